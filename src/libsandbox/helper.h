/* SPDX-License-Identifier: MIT */
/*
 * helper.h - a child without rights that talks to servers for us.
 *
 *	caller ◀──pipe── helper ◀──TLS, HTTP, JSON── a server
 *	   root             nobody: no capabilities, cannot gain rights, may write only
 *	                    to the descriptors that it was given
 *
 * What it says is foreign still: callers bound and check it.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct helper {
	pid_t pid; /* 0: none */
	int fd;    /* what it says; the caller reads */
};

#define HELPER_INIT      \
	{                \
		.fd = -1 \
	}

/*
 * Start FN in a child. It gets DATA as it is now, the pipe's other end, and the
 * COUNT descriptors in KEEP; files may grow to FILE_MAX. The child ends with FN,
 * and with the caller.
 */
ATTR_MUST_CHECK int helper_start(void (*fn)(void *data, int outfd), void *data, const int *keep,
				 size_t count, uint64_t file_max, struct helper *ret_helper,
				 struct err *e);

/* After the end of the pipe: wait. What did not end by itself with 0 is an error. */
ATTR_MUST_CHECK int helper_wait(struct helper *h, struct err *e);
void helper_kill(struct helper *h); /* also one that never was */
#define cleanup_helper cleanup_with(helper_kill)
