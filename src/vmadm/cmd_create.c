/* SPDX-License-Identifier: MIT */
/*
 * create and validate: the two that judge a payload. Both ask the same rules
 * with the same host behind them.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libvm/payload.h"
#include "libvm/record.h"

#include <stdio.h>
#include <string.h>

static int judge(struct vmadm *v, const struct jv *payload, struct jv **ret_record,
		 struct problems *ps, struct err *e)
{
	struct payload_env env = vmadm_payload_env(v);

	return payload_to_record(payload, &env, ret_record, ps, e);
}

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
	vmadm_done(call, uuid, &rep, "Successfully created VM %s", uuid);
	vmadm_remarks(ps);
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
	r = judge(&v, payload, &record, &ps, &why);
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

/* Each name once. */
static struct jv *names_to_json(const struct problems *ps, enum problem_kind kind)
{
	struct jv *names = jv_object(), *list = jv_array();

	for (size_t i = 0; i < ps->count; i++) {
		const struct problem *p = &ps->items[i];

		if (p->kind != kind || jv_get(names, p->name))
			continue;
		jv_set(names, p->name, jv_null());
		jv_push(list, jv_string(p->name));
	}
	jv_unref(names);
	return list;
}

/* The answer of the original, and below it where and why. */
static int say_invalid(const struct problems *ps)
{
	cleanup_jv struct jv *answer = jv_object();
	cleanup_free char *details = problems_details(ps);
	cleanup_free char *rules = NULL, *text = NULL;

	jv_set(answer, "bad_values", names_to_json(ps, PROBLEM_VALUE));
	jv_set(answer, "bad_properties", names_to_json(ps, PROBLEM_UNKNOWN));
	jv_set(answer, "missing_properties", names_to_json(ps, PROBLEM_MISSING));
	text = jv_dump(answer, 2);
	fprintf(stderr, "%s\n", text);
	rules = problems_summary(ps);
	if (problems_has(ps, PROBLEM_RULE, NULL))
		fprintf(stderr, "%s\n", rules);
	fputs(details, stderr);
	return EXIT_REFUSED;
}

static int say_bad_brand(const char *brand)
{
	cleanup_jv struct jv *answer = jv_object();
	cleanup_free char *text = NULL;

	jv_set(answer, "bad_brand", jv_string(brand ? brand : "undefined"));
	text = jv_dump(answer, 2);
	fprintf(stderr, "%s\n", text);
	return EXIT_REFUSED;
}

static int validate_update(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL;
	const char *brand = cli_operand(call, 1);
	struct payload_env env;
	int r;

	if (!brand)
		return cli_wrong_use(call,
				     "Will not validate without a valid action and brand.");
	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_read_payload(call, "validate", &payload, e);
	if (r != 0)
		return r;
	if (!brand_from_name(brand))
		return say_bad_brand(brand);
	env = vmadm_payload_env(&v);
	r = payload_check_update(payload, brand_from_name(brand), &env, &ps, e);
	if (r < 0 && !problems_fatal(&ps))
		return r;
	if (r < 0 || problems_has(&ps, PROBLEM_UNKNOWN, NULL))
		return say_invalid(&ps);
	fprintf(stderr, "VALID 'update' payload for %s brand VMs.\n", brand);
	vmadm_remarks(&ps);
	return 0;
}

static int validate_create(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL, *record = NULL;
	const char *brand;
	int r;

	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_read_payload(call, "validate", &payload, e);
	if (r != 0)
		return r;
	brand = jv_get_string(payload, "brand");
	if (!brand_from_name(brand))
		return say_bad_brand(brand);
	r = judge(&v, payload, &record, &ps, e);
	if (r < 0 && !problems_fatal(&ps))
		return r;
	if (r < 0 || problems_has(&ps, PROBLEM_UNKNOWN, NULL))
		return say_invalid(&ps);
	fprintf(stderr, "VALID 'create' payload for %s brand VMs.\n", brand);
	vmadm_remarks(&ps);
	return 0;
}

/* Another action allows no property at all; that is the original's answer to a wrong word. */
static int validate_nothing(struct cli_call *call, struct err *e)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL;
	const char *brand;
	int r;

	r = vmadm_read_payload(call, "validate", &payload, e);
	if (r != 0)
		return r;
	brand = jv_get_string(payload, "brand");
	if (!brand_from_name(brand))
		return say_bad_brand(brand);
	for (void *it = jv_iter(payload); it; it = jv_iter_next(payload, it))
		problems_add(&ps, PROBLEM_UNKNOWN, jv_iter_key(it), "/", "no such action");
	return say_invalid(&ps);
}

int cmd_validate(struct cli_call *call, struct err *e)
{
	const char *action = cli_operand(call, 0);

	if (!action)
		return cli_wrong_use(call, "Will not validate without a valid action.");
	if (strcmp(action, "update") == 0)
		return validate_update(call, e);
	return strcmp(action, "create") == 0 ? validate_create(call, e)
					     : validate_nothing(call, e);
}
