/* SPDX-License-Identifier: MIT */
/*
 * cmd_check.c - check: what dead commands left. validate: a manifest, by the rules.
 */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "libimg/leftovers.h"
#include "libmanifest/manifest.h"
#include "libvm/vm_capture.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void print_leftover(void *data, const struct leftover *l)
{
	struct jv *list = data, *v;

	if (!list) {
		(void)printf("%s: %s%s\n", l->name, l->text, l->removed ? ": removed" : "");
		return;
	}
	v = jv_object();
	jv_set(v, "name", jv_string(l->name));
	jv_set(v, "found", jv_string(l->text));
	jv_set(v, "bytes", jv_int((int64_t)l->bytes));
	jv_set(v, "removed", jv_bool(l->removed));
	jv_push(list, v);
}

static void print_copy(void *data, const char *uuid, bool removed)
{
	struct leftover l = { .text = "a copy of a VM, of a create that was not finished",
			      .removed = removed };

	(void)snprintf(l.name, sizeof(l.name), "%s", uuid);
	print_leftover(data, &l);
}

static int check_all(const struct host *h, bool repair, struct jv *list, struct err *e)
{
	cleanup_free char *zoneadmd = zoneadmd_find();
	const struct vm_host vh = { h, zoneadmd };
	int copies = vm_capture_clean(&vh, repair, print_copy, list, e);
	int left = copies < 0 ? copies : image_leftovers(h, repair, print_leftover, list, e);

	return left < 0 ? left : left + copies;
}

int cmd_check(struct cli_call *call, struct err *e)
{
	cleanup_jv struct jv *list = cli_has(call, "json") ? jv_array() : NULL;
	struct host h = { .fd = -1 };
	int r = imgadm_begin(call, &h), left;

	if (r != 0)
		return r;
	left = check_all(&h, cli_has(call, "repair"), list, e);
	host_close(&h);
	if (left < 0)
		return imgadm_fail(call, "FileSystem", e->msg);
	if (list)
		imgadm_print_json(list);
	return left ? EXIT_FAILURE : 0;
}

static struct jv *problems_json(const struct manifest_problems *p)
{
	struct jv *list = jv_array();

	for (size_t i = 0; i < p->count; i++) {
		struct jv *v = jv_object();

		jv_set(v, "field", jv_string(p->items[i].field));
		jv_set(v, "code", jv_string(p->items[i].code));
		if (p->items[i].msg[0])
			jv_set(v, "message", jv_string(p->items[i].msg));
		jv_push(list, v);
	}
	return list;
}

static int mode_of(const char *name, enum manifest_mode *ret)
{
	static const char *const modes[] = { "minimal", "dc", "public", "private" };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(modes[i], name ? name : modes[0]) == 0) {
			*ret = (enum manifest_mode)i;
			return 0;
		}
	return -EINVAL;
}

static int report(const struct cli_call *call, struct jv *m, enum manifest_mode mode)
{
	struct manifest_problems *p = xcalloc(1, sizeof(*p));
	bool good = manifest_check(m, mode, p);
	cleanup_jv struct jv *list = problems_json(p);
	struct err e = { 0 };

	if (!good)
		(void)manifest_problems_set(p, &e);
	free(p);
	if (cli_has(call, "json"))
		imgadm_print_json(list);
	else if (cli_has(call, "u"))
		imgadm_print_json(m);
	if (cli_has(call, "json"))
		return good ? 0 : EXIT_FAILURE;
	return good ? 0 : imgadm_fail(call, "ManifestValidation", e.msg);
}

int cmd_validate(struct cli_call *call, struct err *e)
{
	cleanup_jv struct jv *m = NULL;
	enum manifest_mode mode;

	if (mode_of(cli_get(call, "mode"), &mode) < 0)
		return cli_wrong_use(call, "--mode is minimal, dc, public or private");
	if (imgadm_load_json(cli_operand(call, 0), &m, e) < 0)
		return imgadm_fail(call, "InvalidManifest", e->msg);
	if (jv_type(m) != JV_OBJECT)
		return imgadm_fail(call, "InvalidManifest", "a manifest is an object");
	if (cli_has(call, "u") && manifest_upgrade(m, e) < 0)
		return imgadm_fail(call, "InvalidManifest", e->msg);
	return report(call, m, mode);
}
