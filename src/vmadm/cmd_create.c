/* SPDX-License-Identifier: MIT */
/*
 * create: a payload is judged as validate does, and made a VM of.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload.h"
#include "librecord/record.h"

/* --strict: what would be dropped refuses. */
static int refuse_unknown(struct cli_call *call, const struct problems *ps)
{
	cleanup_free char *names = problems_names(ps, PROBLEM_UNKNOWN);
	struct err e = { 0 };

	if (!cli_has(call, "strict") || !*names)
		return 0;
	(void)err_set(&e, -EINVAL, "Properties not allowed: %s", names);
	return vmadm_failed(call, NULL, NULL, &e);
}

static int refuse_hardware(const struct vmadm *v, const struct jv *record, struct err *e)
{
	const char *brand = jv_get_string(record, "brand");
	const char *uuid = jv_get_string(record, "uuid");

	if (!(brand_from_name(brand) & BRANDS_HARDWARE))
		return 0;
	if (record_exists(&v->host, uuid, NULL) > 0)
		return err_set(e, -EEXIST, "VM with UUID %s already exists", uuid);
	return err_set(e, -ENOTSUP,
		       "/brand: hardware VMs (%s) cannot be made on this host; the brands lx, "
		       "joyent, joyent-minimal and builder can",
		       brand);
}

static int create(struct vmadm *v, struct cli_call *call, struct jv *record,
		  const struct problems *ps)
{
	cleanup_vm_report struct vm_report rep = { 0 };
	const char *uuid = jv_get_string(record, "uuid");
	struct err e = { 0 };
	int r;

	r = vm_create(&v->vh, record, jv_get_bool(record, "autoboot", true), &rep, &e);
	if (r < 0)
		return vmadm_failed(call, NULL, &rep, &e);
	vmadm_remarks(&rep, ps);
	vmadm_done(call, uuid, &rep, "Successfully created VM %s", uuid);
	return 0;
}

int cmd_create(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL, *record = NULL;
	struct err why = { 0 };
	int r;

	r = vmadm_need_root("only root may create VMs");
	if (r == 0)
		r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_read_payload(call, "create", &payload, &why);
	if (r < 0 && why.code)
		return vmadm_failed(call, NULL, NULL, &why);
	if (r != 0)
		return r;
	r = vmadm_judge(&v, payload, &record, &ps, &why);
	if (r < 0)
		return problems_fatal(&ps) ? vmadm_refused(call, &ps)
					   : vmadm_failed(call, NULL, NULL, &why);
	r = refuse_unknown(call, &ps);
	if (r > 0)
		return r;
	if (refuse_hardware(&v, record, &why) < 0)
		return vmadm_failed(call, NULL, NULL, &why);
	return create(&v, call, record, &ps);
}
