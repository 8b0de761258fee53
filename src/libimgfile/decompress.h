/* SPDX-License-Identifier: MIT */
/*
 * decompress.h - one compressed stream to plain bytes, descriptor to descriptor.
 *
 * Runs in the decompressor process of extract.h. A file of several members or
 * frames, as parallel compressors write them, is one stream.
 */
#pragma once

#include "base/err.h"
#include "libdigest/digest.h"
#include "libimgfile/compression.h"

/* DIGEST, where it is not NULL, gets the plain bytes. */
ATTR_MUST_CHECK int decompress(enum compression c, int infd, int outfd, struct digest *digest,
			       struct err *e);
