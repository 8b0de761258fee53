/* SPDX-License-Identifier: MIT */
/*
 * import_plan.c - what has to be got, and the locks on it.
 */
#include "libimg/import_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/pool.h"
#include "libmanifest/manifest.h"
#include "libsource/source_ops.h"

#include <stdio.h>
#include <string.h>

/* The source's word on a manifest is checked like anybody's. */
static int check_manifest(const struct jv *m, struct err *e)
{
	struct manifest_problems *problems = xcalloc(1, sizeof(*problems));
	int r = manifest_check(m, MANIFEST_MINIMAL, problems)
			? 0
			: manifest_problems_set(problems, e);

	free(problems);
	return r;
}

/*
 * What the source knows of the file beyond the manifest becomes part of the manifest. What
 * the manifest says, which may be signed, stays.
 */
static void complete_file(struct jv *manifest, const struct jv *from)
{
	static const char *const keys[] = { "sha1", "sha256", "size", "compression" };
	struct jv *file = jv_at(jv_get(manifest, "files"), 0);

	if (jv_type(manifest) != JV_OBJECT || jv_type(from) != JV_OBJECT)
		return;
	if (!jv_get(manifest, "files")) {
		struct jv *files = jv_array();

		jv_push(files, file = jv_object());
		jv_set(manifest, "files", files);
	}
	if (jv_type(file) != JV_OBJECT)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!jv_get(file, keys[i]) && jv_get(from, keys[i]))
			jv_set(file, keys[i], jv_ref(jv_get(from, keys[i])));
}

static int add_item(struct import *im, struct jv *image, struct err *e)
{
	struct import_item *item = &im->items[im->count];
	struct jv *m = jv_get(image, "manifest");
	int r;

	*item = (struct import_item){ .image = jv_ref(image), .lock = -1, .download.fd = -1 };
	im->count++;
	complete_file(m, jv_at(jv_get(image, "files"), 0));
	r = check_manifest(m, e);
	if (r < 0)
		return import_fail(im, "ManifestValidation", r);
	(void)snprintf(item->uuid, sizeof(item->uuid), "%s", jv_get_string(m, "uuid"));
	r = image_check_installable(m, e);
	if (r == 0)
		r = manifest_read_file(m, &item->expect, e);
	if (r < 0) {
		r = err_wrap(e, r, "image %s", item->uuid);
		return import_fail(im, "ManifestValidation", r);
	}
	/* A chain is of disks or of trees. */
	if (im->count > 1 && manifest_is_disk(m) != manifest_is_disk(item_manifest(item - 1)))
		return import_fail(
			im, "InvalidManifest",
			err_set(e, -EINVAL, "image %s %s a disk (zvol), its origin %s %s",
				item[-1].uuid, manifest_is_disk(m) ? "is not" : "is",
				item->uuid, manifest_is_disk(m) ? "is one" : "is not"));
	return 0;
}

/* The origin as the source's first answer had it, or asked for. New. */
static int get_origin(struct import *im, const struct jv *top, const char *uuid,
		      struct jv **ret, struct err *e)
{
	const struct source *source = im->source;
	struct source_answer a;
	const struct jv *origins = jv_get(top, "origins");

	for (size_t i = 0; i < jv_len(origins); i++) {
		struct jv *image = jv_at(origins, i);
		const char *own = jv_get_string(jv_get(image, "manifest"), "uuid");

		if (own && strcmp(own, uuid) == 0) {
			*ret = jv_ref(image);
			return 0;
		}
	}
	source_ask(im->req->sources, &source, 1, SOURCE_GET, uuid, &a);
	if (a.result == -ENOENT) {
		source_answer_done(&a);
		return import_fail(im, "OriginNotFoundInSource",
				   err_set(e, -ENOENT,
					   "origin image \"%s\" was not found in image source "
					   "\"%s\"",
					   uuid, source->url));
	}
	if (a.result < 0) {
		int r = err_set(e, a.result, "%s", a.err.msg);

		(void)import_fail(im, a.code, r);
		source_answer_done(&a);
		return r;
	}
	*ret = take_ptr(a.value);
	return 0;
}

static bool is_known(const struct import *im, const char *uuid)
{
	for (size_t i = 0; i < im->count; i++)
		if (strcmp(im->items[i].uuid, uuid) == 0)
			return true;
	return false;
}

static int check_chain(struct import *im, const char *origin, struct err *e)
{
	if (!uuid_is_valid(origin))
		return import_fail(im, "InvalidManifest",
				   err_set(e, -EINVAL, "the origin of image %s is no UUID",
					   im->items[im->count - 1].uuid));
	if (is_known(im, origin))
		return import_fail(
			im, "InvalidManifest",
			err_set(e, -ELOOP, "image %s is among its own ancestors", origin));
	if (im->count == IMAGE_ORIGINS_MAX)
		return import_fail(im, "MaxOriginDepth",
				   err_set(e, -E2BIG, "image %s has more than %d ancestors",
					   im->items[0].uuid, IMAGE_ORIGINS_MAX - 1));
	return 0;
}

int import_gather(struct import *im, struct source_answer *top, struct err *e)
{
	const char *origin;
	int r = add_item(im, top->value, e);

	while (r == 0 &&
	       (origin = jv_get_string(item_manifest(&im->items[im->count - 1]), "origin"))) {
		cleanup_jv struct jv *image = NULL;

		r = check_chain(im, origin, e);
		if (r == 0 && image_is_installed(im->host, origin)) {
			import_say(im, "Image %s already installed", origin);
			memcpy(im->base, origin, UUID_STR);
			return 0;
		}
		if (r == 0)
			r = get_origin(im, top->value, origin, &image, e);
		if (r == 0)
			r = add_item(im, image, e);
	}
	return r;
}

/* ---- locks ---------------------------------------------------------------- */

/*
 * The image first, then towards its base: everybody who holds several takes them in
 * this order. The base that is there may not be deleted before we are done.
 */
static int take_locks(struct import *im, struct err *e)
{
	for (size_t i = 0; i < im->count; i++) {
		struct import_item *item = &im->items[i];

		item->lock = image_lock_patiently(im->host, item->uuid, im->req->note,
						  im->req->data, e);
		if (item->lock < 0)
			return item->lock;
	}
	if (!im->base[0])
		return 0;
	im->base_lock = image_lock_shared(im->host, im->base, -1, e);
	return im->base_lock < 0 ? im->base_lock : 0;
}

int import_lock(struct import *im, struct err *e)
{
	int r = take_locks(im, e);

	if (r < 0)
		return import_fail(im, "FileSystem", r);
	/* All of them, not the first alone: others may have been at work below it. */
	for (size_t i = 0; i < im->count; i++)
		im->items[i].done = image_is_installed(im->host, im->items[i].uuid);
	if (im->base[0] && !im->items[im->count - 1].done &&
	    !image_is_installed(im->host, im->base))
		return import_fail(im, "OriginNotInstalled",
				   err_set(e, -ENOENT,
					   "origin image %s was deleted meanwhile; try again",
					   im->base));
	return 0;
}
