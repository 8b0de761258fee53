/* SPDX-License-Identifier: MIT */
/*
 * disk.h - write the image's disk, a sparse file, DISK_FILE in its root.
 *
 * Zeros become holes. Writes may come in any order; those that follow each other are
 * put together. Runs in the writer process of extract.h.
 */
#pragma once

#include "libformat/input.h"

#include <stdbool.h>

#define DISK_FILE "disk0.raw"

struct disk {
	int fd;
	uint64_t max;    /* bytes, of data and of the disk itself */
	uint64_t data;   /* bytes written that were not zero */
	uint64_t high;   /* beyond it all is a hole */
	uint64_t unsent; /* bytes written since the disk was last told to begin with them */
	uint64_t batch_at;
	size_t batch_len;
	unsigned char *batch;
};

/* BASED: it is there already, the origin's. */
ATTR_MUST_CHECK int disk_open(int rootfd, bool based, const struct extract_limits *limits,
			      struct disk *ret, struct err *e);
ATTR_MUST_CHECK int disk_write(struct disk *d, uint64_t offset, const void *data, size_t len,
			       struct err *e);
/* Make a hole; up to the end when LEN is UINT64_MAX. */
ATTR_MUST_CHECK int disk_punch(struct disk *d, uint64_t offset, uint64_t len, struct err *e);
/* LEN bytes of what was written; zeros where there is nothing. */
ATTR_MUST_CHECK int disk_read(struct disk *d, uint64_t offset, void *data, size_t len,
			      struct err *e);
/* All is written: it has SIZE bytes. */
ATTR_MUST_CHECK int disk_finish(struct disk *d, uint64_t size,
				struct extract_counts *ret_counts, struct err *e);
void disk_close(struct disk *d);
#define cleanup_disk cleanup_with(disk_close)

/* Bytes that may be a disk of its own. -EFBIG, -EINVAL. */
ATTR_MUST_CHECK int disk_check_size(const struct extract_limits *limits, uint64_t size,
				    struct err *e);
bool disk_is_zero(const unsigned char *p, size_t len);
