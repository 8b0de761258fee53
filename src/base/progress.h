/* SPDX-License-Identifier: MIT */
/*
 * progress.h - a bar for work that takes long.
 *
 * On a terminal one line is redrawn at most ten times a second; elsewhere
 * nothing is drawn and only progress_end() leaves a line; QUIET draws nothing
 * at all. Everything goes to standard error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* TOTAL in bytes, 0 when it is not known. TITLE is copied. */
struct progress *progress_begin(const char *title, uint64_t total, bool quiet);
void progress_update(struct progress *p, uint64_t done);
void progress_end(struct progress *p, bool ok); /* frees; NULL is fine */
