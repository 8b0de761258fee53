/* SPDX-License-Identifier: MIT */
/*
 * validate: what create and update would say of a payload. Clients parse what is
 * said of one that is wrong, so on standard error stands that one object and nothing
 * else, unless a person reads there: where and why follow then. Programs get them with
 * --json.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload.h"

#include <stdio.h>
#include <string.h>

int vmadm_judge(struct vmadm *v, const struct jv *payload, struct jv **ret_record,
		struct problems *ps, struct err *e)
{
	struct payload_env env = vmadm_payload_env(v);

	return payload_to_record(payload, &env, ret_record, ps, e);
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

static int say(const struct jv *answer)
{
	cleanup_free char *text = jv_dump(answer, 2);

	fprintf(stderr, "%s\n", text);
	return EXIT_REFUSED;
}

/* What breaks a rule between properties has a bad value, when nothing else has. */
static struct jv *bad_values(const struct problems *ps)
{
	bool alone = !problems_has(ps, PROBLEM_VALUE, NULL) &&
		     !problems_has(ps, PROBLEM_MISSING, NULL) &&
		     !problems_has(ps, PROBLEM_UNKNOWN, NULL);

	return names_to_json(ps, alone ? PROBLEM_RULE : PROBLEM_VALUE);
}

static int say_invalid(struct cli_call *call, const struct problems *ps)
{
	cleanup_free char *summary = problems_summary(ps), *details = problems_details(ps);
	cleanup_jv struct jv *answer = jv_object();
	int status;

	jv_set(answer, "bad_values", bad_values(ps));
	jv_set(answer, "bad_properties", names_to_json(ps, PROBLEM_UNKNOWN));
	jv_set(answer, "missing_properties", names_to_json(ps, PROBLEM_MISSING));
	vmadm_answer_error(call, -EINVAL, *summary ? summary : "Properties not allowed", ps);
	status = say(answer);
	if (isatty(STDERR_FILENO) && problems_has(ps, PROBLEM_RULE, NULL))
		fprintf(stderr, "%s\n", summary);
	if (isatty(STDERR_FILENO))
		fputs(details, stderr);
	return status;
}

static int say_bad_brand(struct cli_call *call, const char *brand)
{
	cleanup_jv struct jv *answer = jv_object();

	jv_set(answer, "bad_brand", jv_string(brand ? brand : "undefined"));
	vmadm_answer_error(call, -EINVAL, "Invalid value(s) for: brand", NULL);
	return say(answer);
}

static int say_valid(struct cli_call *call, const char *action, const char *brand,
		     const struct problems *ps)
{
	/* It changes nothing. */
	cleanup_vm_report struct vm_report rep = { .already = true };

	vmadm_remarks(&rep, ps);
	vmadm_done(call, NULL, &rep, "VALID '%s' payload for %s brand VMs.", action, brand);
	return 0;
}

/* The action is asked of the words, the brand too or of the payload. */
static int check(struct vmadm *v, const char *action, const struct jv *payload,
		 enum brand brand, struct problems *ps, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	struct payload_env env = vmadm_payload_env(v);

	if (strcmp(action, "create") == 0)
		return vmadm_judge(v, payload, &record, ps, e);
	if (strcmp(action, "update") == 0)
		return payload_check_update(payload, brand, &env, ps, e);
	/* Any other word is an action that allows nothing. */
	for (void *it = jv_iter(payload); it; it = jv_iter_next(payload, it)) {
		cleanup_free char *pointer = xasprintf("/%s", jv_iter_key(it));

		problems_add(ps, PROBLEM_UNKNOWN, jv_iter_key(it), pointer,
			     "nothing is allowed in a payload of '%s'", action);
	}
	return 0;
}

int cmd_validate(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL;
	const char *action = cli_operand(call, 0), *brand = cli_operand(call, 1);
	int r;

	if (!action)
		return cli_wrong_use(call, "Will not validate without a valid action.");
	if (strcmp(action, "update") == 0 && !brand)
		return cli_wrong_use(call,
				     "Will not validate without a valid action and brand.");
	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_read_payload(call, "validate", &payload, e);
	if (r != 0)
		return r;
	if (strcmp(action, "update") != 0)
		brand = jv_get_string(payload, "brand");
	if (!brand_from_name(brand))
		return say_bad_brand(call, brand);
	r = check(&v, action, payload, (enum brand)brand_from_name(brand), &ps, e);
	if (r < 0 && !problems_fatal(&ps))
		return r;
	if (r < 0 || problems_has(&ps, PROBLEM_UNKNOWN, NULL))
		return say_invalid(call, &ps);
	return say_valid(call, action, brand, &ps);
}
