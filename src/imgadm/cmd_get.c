/* SPDX-License-Identifier: MIT */
/*
 * cmd_get.c - get: an installed image, as JSON.
 */
#include "imgadm/imgadm.h"

int cmd_get(struct cli_call *call, struct err *e)
{
	cleanup_image struct image img = { 0 };
	cleanup_image_uses struct image_uses clones = { 0 };
	cleanup_jv struct jv *v = NULL;
	struct host h = { .fd = -1 };
	struct jv *children;
	int r = imgadm_begin(call, &h);

	if (r == 0)
		r = imgadm_load(call, &h, cli_operand(call, 0), &img);
	if (r == 0 && cli_has(call, "r") && image_uses_load(&h, false, &clones, e) < 0)
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
