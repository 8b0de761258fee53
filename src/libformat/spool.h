/* SPDX-License-Identifier: MIT */
/*
 * spool.h - formats that are read back and forth, out of a pipe.
 *
 * The file is written to one without a name in the image's root, which ends with its
 * descriptor.
 */
#pragma once

#include "libformat/input.h"

/* All of IN. Returns the descriptor. */
ATTR_MUST_CHECK int spool_input(struct image_input *in, int rootfd,
				const struct extract_limits *limits, uint64_t *ret_size,
				struct err *e);
/* Exactly LEN bytes at OFFSET; -EINVAL when the file ends before. */
ATTR_MUST_CHECK int spool_read(int fd, uint64_t offset, void *data, size_t len, struct err *e);
