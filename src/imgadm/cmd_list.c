/* SPDX-License-Identifier: MIT */
/*
 * cmd_list.c - the installed images.
 */
#include "imgadm/listing.h"

#include <stdio.h>

static void print_json(const struct listing *l)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < l->images.count; i++) {
		const struct image *img = &l->images.items[i];
		struct jv *v = imgadm_describe(img);

		jv_set(v, "cloneNames", imgadm_clone_names(&l->clones, img->uuid));
		jv_set(v, "clones", jv_int((int64_t)image_uses_of(&l->clones, img->uuid)));
		jv_push(all, v);
	}
	imgadm_print_json(all);
}

static int load(struct listing *l, const struct cli_call *call, const struct host *h,
		struct err *e)
{
	bool all = cli_has(call, "json");
	int r = image_list_load_some(h, all || listing_wants(l, "source"),
				     all ? NULL : listing_needs, l, &l->images, e);

	if (r == 0 && (all || listing_wants(l, "clones")))
		r = image_uses_load(h, false, &l->clones, e);
	if (r < 0)
		return imgadm_fail(call, "FileSystem", e->msg);
	if (l->images.unreadable)
		(void)fprintf(stderr, "warning: %zu images cannot be read; one of them: %s\n",
			      l->images.unreadable, l->images.error.msg);
	if (cli_has(call, "docker"))
		listing_select_docker(l, !all);
	listing_filter(l);
	/* They come by published_at and name. */
	if (cli_has(call, "s"))
		listing_sort(l);
	return 0;
}

int cmd_list(struct cli_call *call, struct err *e)
{
	cleanup_listing struct listing l = { .column_count = 0 };
	struct host h = { .fd = -1 };
	int r = listing_begin(&l, call,
			      cli_has(call, "docker") ? LISTING_DOCKER : LISTING_COLUMNS,
			      LISTING_SORT);

	if (r == 0)
		r = listing_add_filters(&l, call);
	if (r == 0)
		r = imgadm_begin(call, &h);
	if (r == 0)
		r = load(&l, call, &h, e);
	if (r == 0 && cli_has(call, "json"))
		print_json(&l);
	else if (r == 0)
		r = listing_print(&l, !cli_has(call, "H"), e);
	host_close(&h);
	return r;
}
