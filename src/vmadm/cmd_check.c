/* SPDX-License-Identifier: MIT */
#include "vmadm/vmadm.h"

#include "base/jv.h"
#include "libvm/vm_check.h"

#include <stdio.h>

static void print_finding(void *data, const struct vm_finding *f)
{
	struct jv *list = data;
	struct jv *item;

	if (!list) {
		printf("%s: %s%s%s\n", f->uuid, f->what, f->action ? ": " : "",
		       f->action ? f->action : "");
		return;
	}
	item = jv_object();
	jv_set(item, "uuid", jv_string(f->uuid));
	jv_set(item, "found", jv_string(f->what));
	jv_set(item, "action", f->action ? jv_string(f->action) : jv_null());
	jv_set(item, "mended", jv_bool(f->mended));
	jv_push(list, item);
}

int cmd_check(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_jv struct jv *list = vmadm_wants_json(call) ? jv_array() : NULL;
	int r, left;

	r = vmadm_need_root("only root may look at what is locked");
	if (r == 0)
		r = vmadm_begin(&v, call, e);
	if (r != 0)
		return r;
	left = vm_check(&v.vh, cli_has(call, "repair"), print_finding, list, e);
	if (left < 0)
		return left;
	if (list) {
		char *text = jv_dump(list, 2);

		puts(text);
		free(text);
	}
	return left ? EXIT_REFUSED : 0;
}
