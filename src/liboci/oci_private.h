/* SPDX-License-Identifier: MIT */
/*
 * oci_private.h - what the readers of documents share.
 */
#pragma once

#include "liboci/oci.h"

#include <stdbool.h>

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

/* Is the media type TYPE, with or without parameters, NAME? */
bool oci_is_type(const char *type, const char *name);

/* "arm/v7" of an object with "architecture"; the variant that one has anyway is left out. New.
 */
char *oci_platform_of(const struct jv *p);
/* Does P serve ARCH? 2: it is just that; 1: it will do; 0: no. */
int oci_platform_match(const struct jv *p, const char *arch);
