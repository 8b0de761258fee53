/* SPDX-License-Identifier: MIT */
/*
 * cmd_get.c - get and show: one image, as JSON.
 */
#include "imgadm/imgadm.h"

#include "base/alloc.h"

int cmd_get(struct cli_call *call, struct err *e)
{
	cleanup_image struct image img = { 0 };
	cleanup_clones struct imgadm_clones clones = { 0 };
	cleanup_jv struct jv *v = NULL;
	struct host h = { .fd = -1 };
	struct jv *children;
	int r = imgadm_begin(call, &h);

	if (r == 0)
		r = imgadm_load(call, &h, cli_operand(call, 0), &img);
	if (r == 0 && cli_has(call, "r") && imgadm_clones_load(&h, &clones, e) < 0)
		r = imgadm_fail(call, "FileSystem", e->msg);
	host_close(&h);
	if (r != 0)
		return r;
	v = imgadm_describe(&img);
	if (cli_has(call, "r")) {
		children = jv_object();
		jv_set(children, "snapshots", jv_array());
		jv_set(children, "clones", imgadm_clone_names(&clones, img.uuid));
		jv_set(v, "children", children);
	}
	imgadm_print_json(v);
	return 0;
}

/* Where no source is asked, an image is found among the installed ones only. */
int cmd_show(struct cli_call *call, struct err *e)
{
	cleanup_image struct image img = { 0 };
	struct host h = { .fd = -1 };
	int r = imgadm_begin(call, &h);

	if (r != 0)
		return r;
	if (!uuid_is_valid(cli_operand(call, 0)))
		r = imgadm_load(call, &h, cli_operand(call, 0), &img);
	else if ((r = image_load(&h, cli_operand(call, 0), &img, e)) == -ENOENT) {
		cleanup_free char *msg =
			xasprintf("image \"%s\" was not found", cli_operand(call, 0));

		r = imgadm_fail(call, "ImageNotFound", msg);
	} else if (r < 0) {
		r = imgadm_fail(call, "FileSystem", e->msg);
	} else {
		imgadm_print_json(img.manifest);
	}
	host_close(&h);
	return r;
}
