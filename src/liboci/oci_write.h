/* SPDX-License-Identifier: MIT */
/*
 * oci_write.h - what a registry is given for an image of ours: its configuration and its
 * manifest.
 *
 * A tree is an OCI image of one layer, which is the image's file as it is. A disk is an
 * artifact: its configuration is our manifest, its layer the file.
 */
#pragma once

#include "base/err.h"
#include "libimgfile/compression.h"
#include "liboci/oci.h"

#include <stdbool.h>
#include <stdint.h>

struct jv;

#define OCI_OWN_MANIFEST "application/vnd.dais.image.manifest.v1+json"
#define OCI_OWN_DISK     "application/vnd.dais.image.disk.v1"
#define OCI_OWN_KEY      "org.dais.image.manifest" /* the annotation that has our manifest */

/* What the image's file is. */
struct oci_file {
	enum compression compression;
	bool is_tar;
	char marker[256]; /* the first name that a layer may not have, or "" */
	uint64_t size;
	char digest[OCI_DIGEST_MAX];
	char diff_id[OCI_DIGEST_MAX]; /* of the plain bytes */
};

/* Can a registry have the image? -ENOTSUP says why not. */
ATTR_MUST_CHECK int oci_check_pushable(const struct jv *manifest, const struct oci_file *file,
				       struct err *e);
/* New, both. CONFIG is the text of the first. */
char *oci_write_config(const struct jv *manifest, const struct oci_file *file);
char *oci_write_manifest(const struct jv *manifest, const struct oci_file *file,
			 const char *config);
