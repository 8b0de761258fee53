/* SPDX-License-Identifier: MIT */
/*
 * extract.h - unpack a foreign archive in processes without rights.
 *
 *	caller ──bytes──▶ decompressor ──tar──▶ writer ──▶ rootfs
 *	   (hashes them)   no files at all      chroot: the rootfs is all it sees
 *	                        └──────────status──────────┘
 *
 * The caller pushes the file as it has it, compressed or not; what it is shows
 * in its first bytes. Both processes are bounded in memory, may call only what
 * sandbox.c lists, and die with the caller.
 */
#pragma once

#include "base/err.h"
#include "libformat/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct extract;

/* Open files of the caller's, which the writer may use. */
struct extract_files {
	int rootfd;  /* the folder to fill: empty, or what the origin has */
	int basefd;  /* what the origin's writer left, to read; -1: there is no origin */
	int statefd; /* what an image on top of this one will need to know; -1: nothing */
};

/*
 * Start the processes. HEAD is the first bytes of what will be fed (they are fed again).
 */
ATTR_MUST_CHECK int extract_begin(const struct extract_files *files, const void *head,
				  size_t len, const struct extract_limits *limits,
				  struct extract **ret_extract, struct err *e);
/*
 * Never waits: *RET_TAKEN of the bytes are taken, 0 while the processes are busy; poll
 * extract_feedfd() for writing. When this fails the reason is the extraction's own, not
 * a broken pipe.
 */
ATTR_MUST_CHECK int extract_feed(struct extract *x, const void *data, size_t len,
				 size_t *ret_taken, struct err *e);
int extract_feedfd(const struct extract *x);
/* No more bytes: wait for the rest, and for the verdict. */
ATTR_MUST_CHECK int extract_finish(struct extract *x, struct extract_counts *ret_counts,
				   struct err *e);
/* Ends the processes where extract_finish() has not. NULL is fine. */
void extract_free(struct extract *x);
void extract_free_p(struct extract **x);
#define cleanup_extract cleanup_with(extract_free_p)
