/* SPDX-License-Identifier: MIT */
/*
 * manifest_file.h - what a manifest says of the image's file.
 */
#pragma once

#include "base/err.h"
#include "libdigest/digest.h"

#include <stdint.h>

struct jv;

/* What the manifest (and the source) say of the image's file. */
struct manifest_file {
	uint64_t size;
	char sha1[DIGEST_HEX_MAX];    /* "" when not given; one of the */
	char sha256[DIGEST_HEX_MAX];  /* two is */
	char diff_id[DIGEST_HEX_MAX]; /* SHA-256 of the unpacked file; "" when not given */
};

/* From files[0]. -EINVAL, saying what is missing or wrong. */
ATTR_MUST_CHECK int manifest_read_file(const struct jv *manifest, struct manifest_file *ret,
				       struct err *e);
