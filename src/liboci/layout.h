/* SPDX-License-Identifier: MIT */
/*
 * layout.h - an image in an OCI layout: a folder, as `skopeo copy ... oci:DIR:TAG` and umoci
 *make it.
 *
 *	DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/DIGITS
 */
#pragma once

#include "base/err.h"

struct jv;

struct layout_ref {
	char *dir;
	char *tag; /* NULL: not said */
};

/* "DIR[:TAG]": what stands behind a colon in the last part. */
ATTR_MUST_CHECK int layout_ref_parse(const char *text, struct layout_ref *ret, struct err *e);
void layout_ref_done(struct layout_ref *ref);
#define cleanup_layout_ref cleanup_with(layout_ref_done)

/*
 * As oci_describe(), with all documents checked against their digests. ARCH is as there.
 * -ENOENT: there is no such tag, or without one there are several.
 */
ATTR_MUST_CHECK int layout_read(const struct layout_ref *ref, const char *arch,
				struct jv **ret_layers, struct err *e);

/* The path of the blob with DIGEST, a valid one. New. */
char *layout_blob(const struct layout_ref *ref, const char *digest);
