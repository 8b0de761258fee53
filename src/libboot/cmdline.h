/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h - the kernel command line as names and values.
 *
 * Words are split at blanks; double quotes keep blanks, around a value
 * (name="a b") or around the whole word ("name=a b"), as the kernel has it.
 * A word without '=' is a name with an empty value.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CMDLINE_MAX       4096 /* bytes; the kernel's own bound on x86 is 2048 */
#define CMDLINE_WORDS_MAX 256

struct cmdline {
	char text[CMDLINE_MAX + 1]; /* the words, taken apart */
	struct {
		const char *name;
		const char *value; /* never NULL */
	} words[CMDLINE_WORDS_MAX];
	size_t count;
};

/* -E2BIG: longer than the bounds. -EINVAL: a quote is not closed, or a byte is not text. */
ATTR_MUST_CHECK int cmdline_parse(struct cmdline *c, const char *text, size_t len,
				  struct err *e);

/* Reads PATH ("/proc/cmdline"). */
ATTR_MUST_CHECK int cmdline_read(struct cmdline *c, const char *path, struct err *e);

/* The last value given for NAME, or NULL. Borrowed from C. */
const char *cmdline_get(const struct cmdline *c, const char *name);

/* "true", "yes", "on", "1", or the name alone. */
bool cmdline_is_true(const struct cmdline *c, const char *name);
