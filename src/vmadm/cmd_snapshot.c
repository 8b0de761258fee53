/* SPDX-License-Identifier: MIT */
/*
 * create-snapshot, delete-snapshot, rollback-snapshot and reprovision.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"

#include <string.h>

/* Root, host, VM, and exactly one word more. Not 0: what run() returns. */
static int begin(struct vmadm *v, struct cli_call *call, struct err *e)
{
	if (cli_operands(call) != 2)
		return cli_wrong_use(call, "Wrong number of parameters to \"%s\"",
				     cli_command(call));
	return vmadm_begin_change(v, call, e);
}

/* DONE is the result's first word. */
static int change(struct cli_call *call,
		  int (*fn)(const struct vm_host *vh, const char *uuid, const char *name,
			    struct err *e),
		  const char *done, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	const char *name = cli_operand(call, 1);
	struct err why = { 0 };
	int r = begin(&v, call, e);

	if (r != 0)
		return r;
	if (fn(&v.vh, v.uuid, name, &why) < 0)
		return vmadm_failed(call, NULL, NULL, &why);
	vmadm_done(call, v.uuid, NULL, "%s snapshot %s for VM %s", done, name, v.uuid);
	return 0;
}

int cmd_create_snapshot(struct cli_call *call, struct err *e)
{
	return change(call, vm_snapshot_create, "Created", e);
}

int cmd_delete_snapshot(struct cli_call *call, struct err *e)
{
	return change(call, vm_snapshot_delete, "Deleted", e);
}

int cmd_rollback_snapshot(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	const char *name = cli_operand(call, 1);
	struct err why = { 0 };
	int r = begin(&v, call, e);

	if (r != 0)
		return r;
	if (vm_rollback(&v.vh, v.uuid, name, cli_has(call, "start"), &rep, &why) < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Rolled back snapshot %s for VM %s", name, v.uuid);
	return 0;
}

int cmd_reprovision(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_jv struct jv *payload = NULL;
	cleanup_free char *prefix = NULL;
	struct err why = { 0 };
	const char *image;
	int r;

	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_find(&v, call, e);
	if (r == 0)
		r = vmadm_need_root("only root may change VMs");
	if (r == 0)
		r = vmadm_read_payload(call, "take payload", &payload, &why);
	prefix = xasprintf("Failed to reprovision VM %s", v.uuid);
	if (r < 0 && why.code)
		return vmadm_failed(call, NULL, NULL, &why);
	if (r != 0)
		return r;
	image = jv_get_string(payload, "image_uuid");
	if (!image)
		(void)err_set(&why, -EINVAL, "payload is missing image_uuid");
	if (!image || vm_reprovision(&v.vh, v.uuid, image, &rep, &why) < 0)
		return vmadm_failed(call, prefix, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Successfully reprovisioned VM %s", v.uuid);
	return 0;
}
