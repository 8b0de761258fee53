/* SPDX-License-Identifier: MIT */
/*
 * session.h - words, bar and signals of a command that works for long.
 */
#pragma once

#include "imgadm/imgadm.h"

#include "base/progress.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

struct session {
	const struct cli_call *call;
	bool quiet;
	FILE *words; /* standard output, or standard error beside --json */
	struct progress *bar;
	const void *work; /* the caller's own, for its callbacks */
};

extern volatile sig_atomic_t session_interrupted;

struct session session_begin(const struct cli_call *call);
/* From now on signals are asked for by session_interrupted. */
void session_catch_signals(void);
void session_bar(struct session *s, const char *title, uint64_t total);
void session_end_bar(struct session *s, bool ok);

/* For the callbacks of libimg; DATA is the session. */
void session_say(void *data, const char *line);
void session_note(void *data, const char *line);
void session_progress(void *data, uint64_t done);
