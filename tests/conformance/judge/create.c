/* SPDX-License-Identifier: MIT */
/*
 * create.json: payload, and either the text of the refusal or the payload that
 * the original went on with.
 */
#include "judge.h"

#include "base/alloc.h"

#include <string.h>

struct answer {
	struct jv *record; /* NULL: refused */
	char *text;        /* of the refusal */
	struct problems ps;
};

static void answer_done(struct answer *a)
{
	jv_unref(a->record);
	free(a->text);
	problems_done(&a->ps);
}

static void ask(struct judge_host *h, const struct jv *payload, struct answer *a)
{
	struct err e = { 0 };

	if (payload_to_record(payload, &h->env, &a->record, &a->ps, &e) < 0) {
		a->text = judge_refusal(&a->ps, &e);
		return;
	}
	a->text = judge_conflict(h, a->record);
	if (!a->text)
		return;
	jv_unref(a->record);
	a->record = NULL;
}

static bool is_zone(const struct jv *payload)
{
	const char *brand = jv_get_string(payload, "brand");

	return !brand || (brand_from_name(brand) & BRANDS_ZONE);
}

/* What the original's payload holds and the record of a VM has in another form. */
static struct jv *expected(const struct jv *payload, const struct jv *effective)
{
	static const char *const renamed[][2] = { { "add_nics", "nics" },
						  { "add_disks", "disks" },
						  { "add_filesystems", "filesystems" },
						  { "add_pci_devices", "pci_devices" } };
	static const char *const dropped[] = { "nowait", "mdata_exec_timeout", "dataset_uuid",
					       "zfs_storage_pool_name", "zonename" };
	struct jv *want = jv_copy(effective);

	for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
		if (!jv_get(want, renamed[i][0]))
			continue;
		jv_set(want, renamed[i][1], jv_copy(jv_get(want, renamed[i][0])));
		(void)jv_del(want, renamed[i][0]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		(void)jv_del(want, dropped[i]);
	/* Containers have one memory limit; "ram" is a column computed from it. */
	if (is_zone(payload))
		(void)jv_del(want, "ram");
	for (size_t i = 0; i < jv_len(jv_get(want, "nics")); i++)
		(void)jv_del(jv_at(jv_get(want, "nics"), i), "interface");
	return want;
}

static char *interfaces_differ(const struct jv *want, const struct jv *record)
{
	const struct jv *nics = jv_get(record, "nics");

	for (size_t i = 0; i < jv_len(want); i++) {
		const char *name = jv_get_string(jv_at(nics, i), "interface");

		if (!name || strcmp(name, jv_as_string(jv_at(want, i))) != 0)
			return xasprintf("interfaces.%zu", i);
	}
	return NULL;
}

static char *primary_differs(const char *want, const struct jv *record)
{
	const struct jv *nics = jv_get(record, "nics");

	for (size_t i = 0; want && i < jv_len(nics); i++)
		if (jv_get_bool(jv_at(nics, i), "primary", false) !=
		    judge_same_text(want, jv_get_string(jv_at(nics, i), "mac")))
			return xasprintf("nics.%zu.primary", i);
	return NULL;
}

static char *record_differs(const struct jv *c, const struct jv *record)
{
	cleanup_jv struct jv *want = expected(jv_get(c, "payload"), jv_get(c, "effective"));
	char *why = judge_covers(want, record, "");

	if (!why)
		why = interfaces_differ(jv_get(c, "interfaces"), record);
	if (!why)
		why = primary_differs(jv_get_string(c, "primary_mac"), record);
	return why;
}

static bool names_only(const struct problems *ps, const char *name)
{
	for (size_t i = 0; i < ps->count; i++)
		if (ps->items[i].kind <= PROBLEM_RULE && strcmp(ps->items[i].name, name) != 0)
			return false;
	return problems_fatal(ps);
}

/* What was dropped by name and went on all the same: "docker" and sizes beside an image. */
static const char *rule_for_record(const struct problems *ps, const char *path)
{
	for (size_t i = 0; i < ps->count; i++) {
		const struct problem *p = &ps->items[i];

		if (p->kind != PROBLEM_UNKNOWN)
			continue;
		if (strcmp(p->name, "docker") == 0 || (*path && strstr(path, p->name)))
			return "dropped-is-dropped";
	}
	return strcmp(path, ".init_name") == 0 ? "docker-init" : NULL;
}

/* Only addresses are wrong, which the original has many texts for. */
static bool only_addresses(const struct problems *ps)
{
	static const char *const names[] = { "nics.*.ip",          "nics.*.ips",
					     "nics.*.allowed_ips", "nics.*.gateway",
					     "gateways",           "allowed_ips" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names_only(ps, names[i]))
			return true;
	return false;
}

/* An image of another kind of container than the brand's own. */
static bool takes_any_container(const struct jv *c, const struct answer *a)
{
	return a->record && is_zone(jv_get(c, "payload")) &&
	       strcmp(jv_get_string(c, "error"), "Invalid value(s) for: image_uuid") == 0;
}

static const char *rule_for_refusal(const struct jv *c, const struct answer *a)
{
	const char *want = jv_get_string(c, "error");
	const char *brand = jv_get_string(jv_get(c, "payload"), "brand");

	if (!want && names_only(&a->ps, "nics.*.mac"))
		return "mac-unicast";
	if (!want)
		return NULL;
	if (strstr(want, "(crash)"))
		return "no-crash";
	if (strncmp(want, "Invalid value(s)", 16) != 0 && only_addresses(&a->ps))
		return "address-text";
	if (takes_any_container(c, a))
		return "container-images";
	if (strstr(want, "undefined") || strstr(want, "\"\"") ||
	    strncmp(want, "Invalid value for ", 18) == 0)
		return "message-text";
	if (a->record && brand && strcmp(brand, "lx") == 0 && strstr(want, "kernel_version"))
		return "kernel-version";
	return NULL;
}

static void judge_one(struct judge_host *h, const struct jv *data ATTR_UNUSED,
		      const struct jv *c)
{
	const char *name = jv_get_string(c, "name"), *want = jv_get_string(c, "error");
	struct answer a = { 0 };
	cleanup_free char *why = NULL;
	const char *rule = NULL;

	ask(h, jv_get(c, "payload"), &a);
	if (a.record && !want) {
		why = record_differs(c, a.record);
		rule = why ? rule_for_record(&a.ps, why) : NULL;
	} else if (!a.record && want && judge_same_text(want, a.text)) {
		why = NULL;
	} else {
		why = xasprintf("we say '%s', the original '%s'", a.text ? a.text : "yes",
				want ? want : "yes");
		rule = rule_for_refusal(c, &a);
	}
	if (!why)
		judge_agree(name);
	else if (rule)
		judge_listed(rule, name);
	else
		judge_differ(name, "%s", why);
	answer_done(&a);
}

int judge_create(const char *fixtures)
{
	return judge_each(fixtures, "oracle/create.json", judge_one);
}
