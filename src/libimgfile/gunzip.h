/* SPDX-License-Identifier: MIT */
/*
 * gunzip.h - gzip to plain bytes, by ISA-L, which takes half of zlib's time for it.
 *
 * Members follow one another; what comes after the last and begins no other is left alone, as
 * gzip(1) and libarchive have it. Each member's checksum is checked.
 */
#pragma once

#include "base/err.h"
#include "libdigest/digest.h"

/* DIGEST, where it is not NULL, gets the plain bytes. */
ATTR_MUST_CHECK int gunzip(int infd, int outfd, struct digest *digest, struct err *e);
