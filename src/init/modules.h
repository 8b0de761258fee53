/* SPDX-License-Identifier: MIT */
/*
 * modules.h - the list of kernel modules in the boot archive, and loading them.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define MODULES_MAX      256
#define MODULES_NAME_MAX 63
#define MODULES_TEXT_MAX (32 * 1024)

struct modules {
	char names[MODULES_MAX][MODULES_NAME_MAX + 1];
	size_t count;
};

/*
 * The text of modules.order: one file name a line, '#' starts a comment. A
 * name is [A-Za-z0-9_-] and ends in ".ko". SOURCE is for "SOURCE:LINE: ...".
 */
ATTR_MUST_CHECK int modules_parse(struct modules *m, const char *text, size_t len,
				  const char *source, struct err *e);

/*
 * Load them in order from the folder DIRFD. A module that is there already is
 * fine. One that the kernel refuses is told to WARN, and the rest is loaded:
 * whether it was needed shows later, and better. Returns how many were refused.
 */
int modules_load(const struct modules *m, int dirfd, void (*warn)(const struct err *e));
