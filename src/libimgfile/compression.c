/* SPDX-License-Identifier: MIT */
#include "libimgfile/compression.h"

#include <string.h>

static const struct {
	const char *name;
	const char *magic;
	size_t len;
} kinds[COMPRESSION_MAX_] = {
	[COMPRESSION_NONE] = { "none", "", 0 },
	[COMPRESSION_GZIP] = { "gzip", "\x1f\x8b\x08", 3 },
	[COMPRESSION_BZIP2] = { "bzip2", "BZh", 3 },
	[COMPRESSION_XZ] = { "xz",
			     "\xfd"
			     "7zXZ",
			     6 },
	[COMPRESSION_ZSTD] = { "zstd", "\x28\xb5\x2f\xfd", 4 },
};

enum compression compression_sniff(const void *head, size_t len)
{
	for (int c = COMPRESSION_GZIP; c < COMPRESSION_MAX_; c++)
		if (len >= kinds[c].len && memcmp(head, kinds[c].magic, kinds[c].len) == 0)
			return (enum compression)c;
	return COMPRESSION_NONE;
}

const char *compression_name(enum compression c)
{
	return kinds[c].name;
}
