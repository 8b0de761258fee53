/* SPDX-License-Identifier: MIT */
/*
 * zdecompress.h - blocks as ZFS compresses them.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	ZCOMPRESS_NONE = 0, /* not compressed; 2 says the same */
	ZCOMPRESS_OFF = 2,
	ZCOMPRESS_LZJB = 3,
	ZCOMPRESS_GZIP_1 = 5,
	ZCOMPRESS_GZIP_9 = 13,
	ZCOMPRESS_ZLE = 14,
	ZCOMPRESS_LZ4 = 15,
	ZCOMPRESS_ZSTD = 16,
};

/* Exactly OUT_LEN bytes, or -EINVAL. */
ATTR_MUST_CHECK int zdecompress(unsigned int how, const unsigned char *in, size_t in_len,
				unsigned char *out, size_t out_len, struct err *e);
