/* SPDX-License-Identifier: MIT */
/*
 * format.h - what an image's file may be, known by its first bytes.
 *
 * This is what the writer process of extract.h runs, on decompressed bytes: it
 * looks at the first of them, and the row of the table that knows them writes the
 * image. A new format is a new file with a writer, and its row.
 */
#pragma once

#include "libformat/input.h"

#include <stdbool.h>
#include <sys/types.h>

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
