/* SPDX-License-Identifier: MIT */
/*
 * progress.h - a bar for work that takes long.
 *
 * On a terminal one line is redrawn at most twice a second, over the whole width:
 *
 *	TITLE   [=========>          ]  47%  28.03MB   9.34MB/s     3s
 *
 * the title in a quarter of it, cut at its front; bytes; bytes a second and the time that is
 * left, once there is something to tell them from. The last is the time it took in the end.
 * Where the size is not known there is neither bar nor percent. Elsewhere nothing is drawn
 * and only progress_end() leaves a line; QUIET draws nothing at all. Everything goes to
 * standard error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress;

/* TOTAL in bytes, 0 when it is not known. TITLE is copied. */
struct progress *progress_begin(const char *title, uint64_t total, bool quiet);
/* The first call tells what was there before; it counts as done, and not for the rate. */
void progress_update(struct progress *p, uint64_t done);
/* A line to OUT, above the bar where both are on a terminal. P may be NULL. */
void progress_say(struct progress *p, FILE *out, const char *line);
void progress_end(struct progress *p, bool ok); /* frees; NULL is fine */

/* ---- the line ---- */

#define PROGRESS_LINE_MAX 512

struct progress_state {
	const char *title;
	uint64_t total; /* 0: not known */
	uint64_t done;
	uint64_t before; /* of DONE, that nobody had to wait for */
	int64_t elapsed_ms;
	unsigned int samples; /* how often there was news */
	bool ended;
};

/* At most WIDTH columns. */
void progress_format(const struct progress_state *s, size_t width,
		     char line[static PROGRESS_LINE_MAX]);
