/* SPDX-License-Identifier: MIT */
/*
 * pack.h - the file of an image, from a tree.
 *
 *	tree ──▶ archiver ──tar──▶ compressor ──▶ caller: hashes, writes
 *	         may only read     no files
 *
 * The same tree gives the same bytes: names in order, owners as numbers, times of change to
 * the nanosecond, holes, hard links, and of the extended attributes those that an
 * image keeps. Devices and sockets are left out.
 *
 * With a base only what differs from it: what is new or changed, and of what is gone
 * ".wh.NAME", as layers of OCI images have it (docs/images.md).
 */
#pragma once

#include "base/err.h"
#include "libdigest/digest.h"
#include "libimgfile/compression.h"
#include "libimgfile/extract.h"

#include <signal.h>
#include <stdint.h>

#define PACK_WHITEOUT ".wh."

struct pack_counts {
	uint64_t entries;
	uint64_t bytes;    /* of files */
	uint64_t left_out; /* devices and sockets */
};

struct pack_request {
	int rootfd; /* the tree, which nobody changes meanwhile */
	int basefd; /* -1: all of it */
	enum compression compression;
	int outfd;
	void (*progress)(void *data, uint64_t done); /* bytes of the file; may be NULL */
	void *data;
	const volatile sig_atomic_t *cancel; /* -EINTR when it becomes non-zero. May be NULL */
};

struct pack_result {
	struct pack_counts counts;
	uint64_t size;
	char sha1[DIGEST_HEX_MAX], sha256[DIGEST_HEX_MAX];
	char diff_id[DIGEST_HEX_MAX]; /* SHA-256 of the tar */
};

ATTR_MUST_CHECK int pack(const struct pack_request *req, struct pack_result *ret,
			 struct err *e);

/* Of a disk, whose file REQ->rootfd is: just compressed, which must not be COMPRESSION_NONE. */
ATTR_MUST_CHECK int pack_disk(const struct pack_request *req, struct pack_result *ret,
			      struct err *e);

/* The archiver's work, in its process: to OUTFD. In pack_tree.c. */
ATTR_MUST_CHECK int pack_tree(int rootfd, int basefd, int outfd, struct pack_counts *ret,
			      struct err *e);
