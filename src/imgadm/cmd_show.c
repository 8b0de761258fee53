/* SPDX-License-Identifier: MIT */
/*
 * cmd_show.c - show: a manifest as a source has it.
 */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "libimg/import.h"

#include <string.h>

/*
 * What is installed is known here when no source has it, or none can be asked: that is
 * still the manifest, and the trouble is no news.
 */
static bool show_installed(const struct host *h, const char *name)
{
	cleanup_image struct image img = { 0 };

	if (!uuid_is_valid(name) || image_load(h, name, &img, NULL) < 0)
		return false;
	imgadm_print_json(img.manifest);
	return true;
}

int cmd_show(struct cli_call *call, struct err *e)
{
	const char *name = cli_operand(call, 0);
	cleanup_sources struct sources s = { 0 };
	struct source_answer a = { 0 };
	struct host h = { .fd = -1 };
	int r = imgadm_begin(call, &h);

	if (r == 0)
		r = imgadm_sources(call, &h, &s);
	if (r == 0 && import_find(&s, name, false, &a, e) == 0)
		imgadm_print_json(jv_get(a.value, "manifest"));
	else if (r == 0 && !show_installed(&h, name))
		r = imgadm_fail(call, a.code, e->msg);
	source_answer_done(&a);
	host_close(&h);
	return r;
}
