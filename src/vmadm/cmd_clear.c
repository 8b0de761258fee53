/* SPDX-License-Identifier: MIT */
/*
 * clear: the way out of failed, and out of what was cut short.
 */
#include "vmadm/vmadm.h"

int cmd_clear(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	struct err why = { 0 };
	int r;

	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_find(&v, call, e);
	if (r == 0)
		r = vmadm_need_root("only root may change VMs");
	if (r != 0)
		return r;
	if (vm_clear(&v.vh, v.uuid, &rep, &why) < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	if (rep.already)
		vmadm_done(call, v.uuid, &rep, "VM %s has nothing to clear", v.uuid);
	else
		vmadm_done(call, v.uuid, &rep, "Successfully cleared VM %s", v.uuid);
	return 0;
}
