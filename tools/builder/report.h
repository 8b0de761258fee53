/* SPDX-License-Identifier: MIT */
/*
 * report.h - where findings go: every fault of the input, not just the first.
 *
 * A finding is one line, "FILE:LINE:COLUMN: message"; LINE and COLUMN are left
 * out where they are 0, and warnings read "FILE:LINE: warning: message".
 * Functions that take a report go on after a fault where that makes sense;
 * whoever holds the report asks for its errors before acting on the result.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* More errors are counted, and not printed: one bad file must not flood a build log. */
#define REPORT_ERRORS_SHOWN 200

struct report {
	FILE *out;    /* NULL: only count */
	bool lenient; /* what the original only warned about is a warning */
	size_t errors;
	size_t warnings;
};

/* A place in a manifest. */
struct place {
	const char *file;
	unsigned int line;
	unsigned int column;
};

void report_error(struct report *r, struct place at, const char *fmt, ...) ATTR_PRINTF(3, 4);
void report_warning(struct report *r, struct place at, const char *fmt, ...) ATTR_PRINTF(3, 4);
