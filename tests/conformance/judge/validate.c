/* SPDX-License-Identifier: MIT */
/*
 * validate.json: brand, action, payload, and the three lists of what is wrong.
 *
 * Ours looks further than the original's: it says what create and update will say.
 */
#include "judge.h"

#include "base/alloc.h"

#include <string.h>

static bool list_has(const struct jv *list, const char *name)
{
	for (size_t i = 0; i < jv_len(list); i++)
		if (strcmp(jv_as_string(jv_at(list, i)), name) == 0)
			return true;
	return false;
}

/* Are the names of KIND those of WANT? */
static bool same_names(const struct problems *ps, enum problem_kind kind, const struct jv *want)
{
	for (size_t i = 0; i < ps->count; i++)
		if (ps->items[i].kind == kind && !list_has(want, ps->items[i].name))
			return false;
	for (size_t i = 0; i < jv_len(want); i++)
		if (!problems_has(ps, kind, jv_as_string(jv_at(want, i))))
			return false;
	return true;
}

static bool same_answer(const struct problems *ps, const struct jv *errors)
{
	return same_names(ps, PROBLEM_VALUE, jv_get(errors, "bad_values")) &&
	       same_names(ps, PROBLEM_UNKNOWN, jv_get(errors, "bad_properties")) &&
	       same_names(ps, PROBLEM_MISSING, jv_get(errors, "missing_properties"));
}

static bool is_one(const struct jv *list, const char *name)
{
	return jv_len(list) == 1 && list_has(list, name);
}

static const char *find_rule(const struct jv *c, unsigned int brand, enum prop_action action,
			     const struct problems *ps)
{
	cleanup_problems struct problems alone = { 0 };
	cleanup_jv struct jv *checked = NULL;
	const struct jv *errors = jv_get(c, "errors");

	checked = payload_check(jv_get(c, "payload"), brand, action, &alone);
	/* Single values are right for both; how they go together is not. */
	if (jv_get_bool(c, "valid", false))
		return problems_fatal(&alone) || problems_has(ps, PROBLEM_UNKNOWN, NULL)
			       ? NULL
			       : "validate-is-create";
	if (is_one(jv_get(errors, "bad_values"), "max_swap") && !problems_fatal(ps))
		return "validate-is-create";
	if ((brand & BRANDS_ZONE) && is_one(jv_get(errors, "bad_values"), "image_uuid") &&
	    !problems_fatal(ps))
		return "container-images";
	if (brand == BRAND_LX && is_one(jv_get(errors, "missing_properties"), "kernel_version"))
		return "kernel-version";
	return NULL;
}

static void say_difference(const char *name, const struct problems *ps, const struct jv *errors)
{
	cleanup_free char *values = problems_names(ps, PROBLEM_VALUE);
	cleanup_free char *unknown = problems_names(ps, PROBLEM_UNKNOWN);
	cleanup_free char *missing = problems_names(ps, PROBLEM_MISSING);
	cleanup_free char *summary = problems_summary(ps);
	cleanup_free char *want = errors ? jv_dump(errors, 0) : xstrdup("valid");

	judge_differ(name, "we say values %s, properties %s, missing %s, '%s'; the original %s",
		     values, unknown, missing, summary, want);
}

static int ask(struct judge_host *h, const struct jv *payload, unsigned int brand,
	       enum prop_action action, struct problems *ps, struct err *e)
{
	if (action == PROP_UPDATE)
		return payload_check_update(payload, brand, &h->env, ps, e);
	return payload_check_create(payload, brand, &h->env, ps, e);
}

static void judge_one(struct judge_host *h, const struct jv *data ATTR_UNUSED,
		      const struct jv *c)
{
	const char *name = jv_get_string(c, "name"), *action = jv_get_string(c, "action");
	const struct jv *errors = jv_get(c, "errors");
	const struct jv *payload = jv_get(c, "payload");
	unsigned int brand = brand_from_name(jv_get_string(c, "brand"));
	enum prop_action what = strcmp(action, "update") == 0 ? PROP_UPDATE : PROP_CREATE;
	cleanup_problems struct problems ps = { 0 };
	bool valid = jv_get_bool(c, "valid", false);
	const char *rule;
	struct err e = { 0 };

	if (!brand || jv_get(errors, "bad_brand")) {
		if (!brand && jv_get(errors, "bad_brand"))
			judge_agree(name);
		else
			judge_differ(name, "one of us does not know the brand");
		return;
	}
	if (ask(h, payload, brand, what, &ps, &e) < 0 && !problems_fatal(&ps)) {
		judge_differ(name, "%s", e.msg);
		return;
	}
	if (valid ? !problems_fatal(&ps) && !problems_has(&ps, PROBLEM_UNKNOWN, NULL)
		  : same_answer(&ps, errors)) {
		judge_agree(name);
		return;
	}
	rule = find_rule(c, brand, what, &ps);
	if (rule)
		judge_listed(rule, name);
	else
		say_difference(name, &ps, errors);
}

int judge_validate(const char *fixtures)
{
	return judge_each(fixtures, "oracle/validate.json", judge_one);
}
