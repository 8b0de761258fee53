/* SPDX-License-Identifier: MIT */
/*
 * simplestreams.h - what a simplestreams server has, as images.
 *
 *	streams/v1/index.json ─▶ products ─▶ versions ─▶ items
 *
 * A version is up to two images: a root file system, and the disk of a virtual
 * machine. Their uuid is the first 32 digits of the fingerprint that the server's own clients
 *use, their version the version's key.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

/* The paths of the lists of products that an index names. New: an array of strings. */
ATTR_MUST_CHECK int simplestreams_read_index(const char *text, size_t len,
					     struct jv **ret_paths, struct err *e);
/*
 * Add to IMAGES the images of TEXT, a list of products, for the architecture ARCH: objects
 * as of source_ops.h get(), whose url is BASE/path, and "aliases", an array of names. With
 * ALL those of every version, else of the newest that has what it takes.
 */
ATTR_MUST_CHECK int simplestreams_read_products(const char *text, size_t len, const char *base,
						const char *arch, bool all, struct jv *images,
						struct err *e);
/* The one with this uuid or alias; of several versions the first. Borrowed, NULL: none. */
struct jv *simplestreams_find(const struct jv *images, const char *name);
