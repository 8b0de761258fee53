/* SPDX-License-Identifier: MIT */
/*
 * compression.h - how an image's file is compressed, and its name in manifests.
 */
#pragma once

#include <stddef.h>

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_BZIP2,
	COMPRESSION_XZ,
	COMPRESSION_ZSTD,
	COMPRESSION_MAX_,
};

#define COMPRESSION_SNIFF_MAX 6 /* bytes that compression_sniff() looks at */

enum compression compression_sniff(const void *head, size_t len);
const char *compression_name(enum compression c); /* "gzip", ... "none" */
