/* SPDX-License-Identifier: MIT */
/*
 * cmd_ancestry.c - ancestry: an image, its origin, the origin's, ...
 */
#include "imgadm/listing.h"

#include "base/alloc.h"
#include "libmanifest/manifest.h"

#include <string.h>

static int add_chain(const struct cli_call *call, const struct host *h, struct listing *l)
{
	char uuid[UUID_STR];
	int r = 0;

	if (!uuid_is_valid(cli_operand(call, 0))) {
		cleanup_free char *msg =
			xasprintf("invalid uuid: \"%s\"", cli_operand(call, 0));

		return imgadm_fail(call, "InvalidUUID", msg);
	}
	memcpy(uuid, cli_operand(call, 0), UUID_STR);
	while (r == 0) {
		cleanup_image struct image img = { 0 };
		const char *origin;

		if (l->images.count > IMAGE_ORIGINS_MAX)
			return imgadm_fail(call, "MaxOriginDepth",
					   "the image is among its own ancestors");
		r = image_load(h, uuid, &img, NULL);
		if (r == -ENOENT && l->images.count > 0) {
			cleanup_free char *msg =
				xasprintf("origin image \"%s\" was not found on "
					  "zpool \"" IMGADM_POOL "\"",
					  uuid);

			return imgadm_fail(call, "OriginNotInstalled", msg);
		}
		if (r < 0)
			return imgadm_load(call, h, uuid, &img); /* says why */
		listing_add(l, img.manifest, jv_get(img.meta, "source"));
		origin = jv_get_string(img.manifest, "origin");
		if (!origin || !uuid_is_valid(origin))
			break;
		memcpy(uuid, origin, UUID_STR);
	}
	return r;
}

static void print_json(const struct listing *l)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < l->images.count; i++)
		jv_push(all, imgadm_describe(&l->images.items[i]));
	imgadm_print_json(all);
}

int cmd_ancestry(struct cli_call *call, struct err *e)
{
	cleanup_listing struct listing l = { .column_count = 0 };
	struct host h = { .fd = -1 };
	int r = listing_begin(&l, call, "uuid,name,version,published", "");

	if (r == 0)
		r = imgadm_begin(call, &h);
	if (r == 0)
		r = add_chain(call, &h, &l);
	if (r == 0 && cli_has(call, "json"))
		print_json(&l);
	else if (r == 0)
		r = listing_print(&l, !cli_has(call, "H"), e);
	host_close(&h);
	return r;
}
