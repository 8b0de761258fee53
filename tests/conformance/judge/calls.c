/* SPDX-License-Identifier: MIT */
/*
 * tests/NAME.json: the calls that the original's own tests made, in their order.
 * Only those of validate carry a result. The others are made here as well, each
 * update on the VM that was created last: it has to be taken or refused with words,
 * and what it makes has to be a record that create could have made.
 */
#include "judge.h"

#include "base/alloc.h"
#include "libpayload/problems.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
	struct judge_host *h;
	struct jv *vm;
	char name[300];
};

static const char *broken_nics(const struct jv *nics)
{
	size_t primaries = 0;

	for (size_t i = 0; i < jv_len(nics); i++) {
		const struct jv *nic = jv_at(nics, i);
		const char *mac = jv_get_string(nic, "mac");

		primaries += jv_get_bool(nic, "primary", false);
		if (!mac || !jv_get_string(nic, "interface") || !jv_get_string(nic, "nic_tag"))
			return "a NIC without mac, interface or nic_tag";
		for (size_t k = 0; k < i; k++)
			if (strcmp(jv_get_string(jv_at(nics, k), "interface"),
				   jv_get_string(nic, "interface")) == 0)
				return "two NICs with one interface";
	}
	return primaries == (jv_len(nics) > 0) ? NULL : "not one primary NIC";
}

/* What holds for every record, or NULL. */
static const char *broken(const struct jv *vm)
{
	int64_t memory = jv_get_int(vm, "max_physical_memory", 0);

	if (memory <= 0 || jv_get_int(vm, "max_swap", 0) < memory ||
	    jv_get_int(vm, "max_locked_memory", 0) > memory ||
	    jv_get_int(vm, "tmpfs", 0) > memory)
		return "limits that do not go together";
	return broken_nics(jv_get(vm, "nics"));
}

static void take(struct replay *r, struct jv *record, const struct problems *ps,
		 const struct err *e)
{
	cleanup_free char *text = judge_refusal(ps, e);
	const char *why = record ? broken(record) : NULL;

	if (record && !why) {
		jv_unref(r->vm);
		r->vm = jv_ref(record);
		judge_agree(r->name);
	} else if (!record && problems_fatal(ps) && *text) {
		judge_agree(r->name);
	} else {
		judge_differ(r->name, "%s", why ? why : text);
	}
}

static void create(struct replay *r, const struct jv *payload)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;
	struct err e = { 0 };

	if (payload_to_record(payload, &r->h->env, &record, &ps, &e) < 0)
		record = NULL;
	take(r, record, &ps, &e);
}

static void update(struct replay *r, const struct jv *payload)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;
	struct payload_vm vm = { r->vm, "stopped", "installed" };
	struct err e = { 0 };

	if (!r->vm) {
		judge_agree(r->name); /* of a VM that nobody made */
		return;
	}
	if (payload_update(&vm, payload, &r->h->env, false, &record, &ps, &e) < 0)
		record = NULL;
	take(r, record, &ps, &e);
}

static bool same(const struct problems *ps, enum problem_kind kind, const struct jv *want)
{
	for (size_t i = 0; i < jv_len(want); i++)
		if (!problems_has(ps, kind, jv_as_string(jv_at(want, i))))
			return false;
	return jv_len(want) > 0 || !problems_has(ps, kind, NULL);
}

static void validate(struct replay *r, const struct jv *args, const struct jv *result)
{
	cleanup_problems struct problems ps = { 0 };
	unsigned int brand = brand_from_name(jv_get_string(args, "brand"));
	const char *action = jv_get_string(args, "action");
	const struct jv *payload = jv_get(args, "payload");
	struct err e = { 0 };
	int status;

	if (!brand || !action) {
		judge_agree(r->name);
		return;
	}
	if (strcmp(action, "update") == 0)
		status = payload_check_update(payload, brand, &r->h->env, &ps, &e);
	else
		status = payload_check_create(payload, brand, &r->h->env, &ps, &e);
	if (same(&ps, PROBLEM_VALUE, jv_get(result, "bad_values")) &&
	    same(&ps, PROBLEM_UNKNOWN, jv_get(result, "bad_properties")) &&
	    same(&ps, PROBLEM_MISSING, jv_get(result, "missing_properties")) &&
	    (status == 0 || jv_type(result) == JV_OBJECT))
		judge_agree(r->name);
	else if (jv_type(result) == JV_NULL && problems_has(&ps, PROBLEM_RULE, NULL) &&
		 !problems_has(&ps, PROBLEM_VALUE, NULL))
		judge_listed("validate-is-create", r->name);
	else
		judge_differ(r->name, "%s", e.msg);
}

static void replay_file(struct judge_host *h, const char *file, const struct jv *data)
{
	const struct jv *calls = jv_get(data, "calls");
	struct replay r = { .h = h };

	for (size_t i = 0; i < jv_len(calls); i++) {
		const struct jv *call = jv_at(calls, i), *args = jv_get(call, "args");
		const char *op = jv_get_string(call, "op");
		const struct jv *payload = jv_get(args, "payload");

		(void)snprintf(r.name, sizeof(r.name), "%s %zu: %s", file, i,
			       jv_get_string(call, "test"));
		if (strcmp(op, "validate") == 0 && jv_get(call, "result"))
			validate(&r, args, jv_get(call, "result"));
		else if (strcmp(op, "create") == 0 && payload)
			create(&r, payload);
		else if (strcmp(op, "update") == 0 && payload)
			update(&r, payload);
	}
	jv_unref(r.vm);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int judge_calls(const char *fixtures)
{
	cleanup_free char *path = xasprintf("%s/vmadm-payloads/tests", fixtures);
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, by_name);
	struct judge_host h;

	if (count < 0)
		return JUDGE_NO_DATA;
	judge_host_open(&h, fixtures);
	for (int i = 0; i < count; i++) {
		cleanup_free char *name = xasprintf("tests/%s", entries[i]->d_name);
		cleanup_jv struct jv *data = NULL;

		if (strstr(entries[i]->d_name, ".json"))
			data = judge_load(fixtures, name);
		replay_file(&h, entries[i]->d_name, data);
		free(entries[i]);
	}
	free(entries);
	judge_host_close(&h);
	return 0;
}
