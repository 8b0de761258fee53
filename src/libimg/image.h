/* SPDX-License-Identifier: MIT */
/*
 * image.h - the images that are installed on this host.
 *
 *	ROOT/zones/images/UUID/manifest.json    what the publisher says (manifest.h)
 *	ROOT/zones/images/UUID/meta.json        what this host knows: "source",
 *	                                        "installed_at", sizes and digests
 *	ROOT/zones/images/UUID/rootfs           the tree (store.h clones it); of a disk
 *	                                        (zvol) it holds just disk0.raw
 *	ROOT/zones/images/UUID/state            what an image on top will need, if anything
 *
 * One rename publishes all of it, so an image is there whole or not at all, and
 * a reader needs no lock to look. Whoever clones an image holds its lock shared
 * meanwhile; installing and deleting hold it exclusively.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;

struct image {
	char uuid[UUID_STR];
	struct jv *manifest; /* an object; "uuid", "name", "version", "type", "os" are valid
				strings */
	struct jv *meta;     /* an object, possibly empty */
};

/*
 * Read one image. -ENOENT, "image 'UUID' is not installed", when it is not
 * there (or when there is no pool). The caller ends with image_done().
 */
ATTR_MUST_CHECK int image_load(const struct host *h, const char *uuid, struct image *ret_image,
			       struct err *e);
void image_done(struct image *img); /* also zeroed memory */
#define cleanup_image cleanup_with(image_done)

/* Shorthands into the manifest; NULL, 0 or DEF when it does not say. Borrowed. */
const char *image_name(const struct image *img);
const char *image_version(const struct image *img);
const char *image_type(const struct image *img); /* "zone-dataset", "lx-dataset", "zvol", ... */
const char *image_os(const struct image *img);   /* "linux", "smartos", ... */
/* manifest.requirements.KEY, e.g. "brand", "min_ram"; NULL when absent. */
struct jv *image_requirement(const struct image *img, const char *key);

struct image_list {
	struct image *items; /* by published_at, then name */
	size_t count;
	size_t unreadable; /* left out, because their manifests are damaged */
	struct err error;  /* why the last of those is */
};

/*
 * All of them. No pool, or no image yet, is an empty list. Without WITH_META each
 * meta is an empty object, and half of the files need not be read.
 */
ATTR_MUST_CHECK int image_list_load(const struct host *h, bool with_meta,
				    struct image_list *ret_list, struct err *e);
/* Of the manifests only the members that WANTED accepts, and those named above: much quicker.
 */
ATTR_MUST_CHECK int
image_list_load_some(const struct host *h, bool with_meta,
		     bool (*wanted)(const void *data, const char *name, size_t name_len),
		     const void *data, struct image_list *ret_list, struct err *e);
void image_list_done(struct image_list *list);
#define cleanup_image_list cleanup_with(image_list_done)

/*
 * Take the image's lock (ROOT/run/dais/lock/image.UUID). Shared for a clone,
 * exclusive for a change. WAIT_MS as lock_take(). Returns the descriptor.
 */
ATTR_MUST_CHECK int image_lock_shared(const struct host *h, const char *uuid, int wait_ms,
				      struct err *e);
ATTR_MUST_CHECK int image_lock_exclusive(const struct host *h, const char *uuid, int wait_ms,
					 struct err *e);
