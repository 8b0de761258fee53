/* SPDX-License-Identifier: MIT */
/*
 * format.h - what an image's file may be, known by its first bytes.
 *
 * This is what the writer process of extract.h runs, on decompressed bytes: it
 * looks at the first of them, and the row of the table that knows them writes the
 * image. A new format is a new file with a writer, and its row.
 */
#pragma once

#include "libimg/extract.h"

#include <stdbool.h>
#include <sys/types.h>

#define IMAGE_HEAD_MAX 4096 /* bytes that a probe sees; fewer when the file is shorter */

/* Bytes as they come: the head again, then the rest. */
struct image_input {
	int fd;
	int basefd; /* as in struct extract_files */
	int statefd;
	size_t head_len;
	size_t head_used;
	unsigned char head[IMAGE_HEAD_MAX];
};

/* Up to SIZE bytes; 0 at the end, -1 with errno. */
ssize_t image_input_read(struct image_input *in, void *buf, size_t size);
/* Read away what is left, so that its sender ends well. */
ATTR_MUST_CHECK int image_input_drain(struct image_input *in, struct err *e);

struct image_format {
	const char *name; /* "tar archive", for messages; "a" goes before it */
	bool (*probe)(const unsigned char *head, size_t len);
	/*
	 * Write the image below ROOTFD, and nowhere else. NULL: the format is known by its
	 * face only, and refused by name.
	 */
	int (*write)(struct image_input *in, int rootfd, const struct extract_limits *limits,
		     struct extract_counts *ret_counts, struct err *e);
};

extern const struct image_format image_formats[]; /* ends with a NULL name */

/* NULL: nobody knows it. */
const struct image_format *image_format_probe(const unsigned char *head, size_t len);

/* Read IN, of which only the descriptors are set, and write what it is below ROOTFD. */
ATTR_MUST_CHECK int image_write(struct image_input *in, int rootfd,
				const struct extract_limits *limits,
				struct extract_counts *ret_counts, struct err *e);
