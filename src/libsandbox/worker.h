/* SPDX-License-Identifier: MIT */
/*
 * worker.h - a child that does one thing without rights, and says how it ended.
 *
 * It ends with the caller, has no descriptors but those that it was given, no terminal, and
 * enters its sandbox itself (sandbox.h) in what it runs.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WORKER_RESULT_MAX 512

struct worker {
	pid_t pid; /* 0: none */
	int verdictfd;
	const char *who;
};

#define WORKER_INIT             \
	{                       \
		.verdictfd = -1 \
	}

struct worker_job {
	const char *who; /* in messages: "the archive's reader"; static; NULL: "a process" */
	/* 0 or -errno; DATA is as it was at the start, RESULT is handed to worker_wait(). */
	int (*run)(void *data, void *result, struct err *e);
	void *data;
	const int *fds; /* that it keeps; -1 is none */
	size_t fd_count;
	bool trusted; /* reads nothing foreign: it keeps all descriptors */
	bool own_ids; /* in its own user namespace, with ids 0 to 65535 mapped to themselves */
};

ATTR_MUST_CHECK int worker_start(const struct worker_job *job, struct worker *ret,
				 struct err *e);
/* Wait for its end. RESULT, of SIZE bytes, may be NULL; it and the error are the child's word.
 */
ATTR_MUST_CHECK int worker_wait(struct worker *w, void *result, size_t size, struct err *e);
void worker_kill(struct worker *w); /* also one that never was */
#define cleanup_worker cleanup_with(worker_kill)
