/* SPDX-License-Identifier: MIT */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "libimg/install.h"

#include <stdio.h>
#include <string.h>

static int fail_used(const struct cli_call *call, const struct host *h, const char *uuid,
		     const char *fallback)
{
	cleanup_image_uses struct image_uses clones = { 0 };
	cleanup_buf struct buf b = BUF_INIT;
	size_t n = 0;

	if (image_uses_load(h, false, &clones, NULL) == 0)
		buf_addf(&b, "image \"%s\" has dependent clones: ", uuid);
	for (size_t i = 0; i < clones.count; i++)
		if (strcmp(clones.items[i].image, uuid) == 0)
			buf_addf(&b, "%s" IMGADM_POOL "/%s", n++ ? ", " : "",
				 clones.items[i].user);
	return imgadm_fail(call, "ImageHasDependentClones", n ? buf_str(&b) : fallback);
}

static int delete_one(const struct cli_call *call, const struct host *h, const char *uuid)
{
	struct err e = { 0 };
	int r;

	if (!uuid_is_valid(uuid)) {
		cleanup_free char *msg = xasprintf("invalid uuid: \"%s\"", uuid);

		return imgadm_fail(call, "InvalidUUID", msg);
	}
	r = image_delete(h, uuid, &e);
	if (r == -ENOENT)
		return imgadm_not_installed(call, uuid);
	if (r == -EBUSY)
		return fail_used(call, h, uuid, e.msg);
	return r < 0 ? imgadm_fail(call, "FileSystem", e.msg) : 0;
}

int cmd_delete(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	const char *uuid = cli_operand(call, 0);
	cleanup_jv struct jv *v = NULL;
	struct host h = { .fd = -1 };
	int r = imgadm_begin(call, &h);

	if (r == 0)
		r = delete_one(call, &h, uuid);
	host_close(&h);
	if (r != 0)
		return r;
	if (cli_has(call, "json")) {
		v = jv_object();
		jv_set(v, "uuid", jv_string(uuid));
		jv_set(v, "deleted", jv_bool(true));
		imgadm_print_json(v);
	} else {
		(void)printf("Deleted image %s\n", uuid);
	}
	return 0;
}
