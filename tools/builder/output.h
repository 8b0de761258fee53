/* SPDX-License-Identifier: MIT */
/*
 * output.h - a file that is there whole, or not at all.
 *
 * It grows beside its place as ".NAME.new" and is moved there by
 * output_commit(). Whoever writes holds a lock on the growing file, so that two
 * builds of the same file refuse each other, and what a killed one left behind
 * is taken over by the next.
 */
#pragma once

#include "base/err.h"

#include <limits.h>

struct output {
	int fd; /* to write to; -1: nothing is open */
	int dirfd;
	const char *name; /* the last part of the path; borrowed */
	char growing[NAME_MAX + 1];
};

#define OUTPUT_INIT                   \
	{                             \
		.fd = -1, .dirfd = -1 \
	}

/* PATH must stay until the end. What is there and is no regular file is refused. */
ATTR_MUST_CHECK int output_open(struct output *o, const char *path, struct err *e);
ATTR_MUST_CHECK int output_commit(struct output *o, struct err *e);

/* Ends O; without a commit nothing stays. */
void output_done(struct output *o);
#define cleanup_output cleanup_with(output_done)
