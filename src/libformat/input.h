/* SPDX-License-Identifier: MIT */
/*
 * input.h - what each writer of a format gets, and what it says of what it wrote.
 *
 * Writers run in a process that can do nothing but read the one and write below the image's
 * root. All of them have the same face:
 *
 *	int NAME_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
 *		       struct extract_counts *ret_counts, struct err *e)
 */
#pragma once

#include "base/err.h"
#include "libdigest/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct extract_limits {
	uint64_t bytes; /* of file data, attributes and links' targets */
	uint64_t entries;
	bool layer;  /* one of an OCI image: see layer.h */
	bool digest; /* of the decompressed bytes; see counts */
	bool disk;   /* the manifest says that it is one */
};

struct extract_counts {
	uint64_t bytes;
	uint64_t entries;
	uint64_t devices;            /* device nodes and sockets left out: a zone has its own */
	uint64_t xattrs;             /* attributes that cannot be kept */
	uint32_t format;             /* the row of image_formats[] */
	char digest[DIGEST_HEX_MAX]; /* SHA-256 of the decompressed bytes, of compressed ones */
	uint64_t disk;               /* bytes of the disk that it is; 0: a tree */
};

#define IMAGE_HEAD_MAX 4096 /* bytes that a probe sees; fewer when the file is shorter */

/* Bytes as they come: the head again, then the rest. */
struct image_input {
	int fd;
	int basefd; /* as in struct extract_files */
	int statefd;
	struct digest *digest; /* gets all bytes once; NULL: nobody asks. Borrowed */
	size_t head_len;
	size_t head_used;
	unsigned char head[IMAGE_HEAD_MAX];
};

/* More of them, past the head: up to SIZE bytes; 0 at the end, -1 with errno. */
ssize_t image_input_fetch(struct image_input *in, void *buf, size_t size);
/* Up to SIZE bytes; 0 at the end, -1 with errno. */
ssize_t image_input_read(struct image_input *in, void *buf, size_t size);
/* Read away what is left, so that its sender ends well. */
ATTR_MUST_CHECK int image_input_drain(struct image_input *in, struct err *e);
