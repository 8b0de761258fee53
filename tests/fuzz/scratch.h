/* SPDX-License-Identifier: MIT */
/*
 * scratch.h - a folder for fuzzers that write files; in memory where that is possible,
 * and gone at the end. For one file of a program.
 */
#pragma once

#include "base/err.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[64];
static int scratchfd = -1;

static void scratch_remove(void)
{
	if (path_remove_tree(AT_FDCWD, scratch, NULL) < 0)
		(void)fprintf(stderr, "'%s' is left\n", scratch);
}

/* Only the first call does something. */
static inline void scratch_make(void)
{
	if (scratchfd >= 0)
		return;
	(void)snprintf(scratch, sizeof(scratch), "%s/dais-fuzz-XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(scratch))
		abort();
	scratchfd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)atexit(scratch_remove);
}
