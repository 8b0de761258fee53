/* SPDX-License-Identifier: MIT */
/*
 * compress.h - plain bytes to one compressed stream, descriptor to descriptor.
 *
 * Runs in a process of its own (pack.c). The same bytes give the same stream.
 */
#pragma once

#include "libdigest/digest.h"
#include "libimgfile/compression.h"
#include "libimgfile/extract.h"

/* DIGEST gets the plain bytes. */
ATTR_MUST_CHECK int compress_stream(enum compression c, int infd, int outfd,
				    struct digest *digest, struct err *e);
