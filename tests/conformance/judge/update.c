/* SPDX-License-Identifier: MIT */
/*
 * update.json: a VM, a payload, and either the text of the refusal or the payload
 * that the original went on with, which must be what the new record holds.
 */
#include "judge.h"

#include "base/alloc.h"

#include <string.h>

static const struct jv *find_item(const struct jv *list, const char *key, const char *value)
{
	for (size_t i = 0; value && i < jv_len(list); i++) {
		const char *have = jv_get_string(jv_at(list, i), key);

		if (have && strcmp(have, value) == 0)
			return jv_at(list, i);
	}
	return NULL;
}

/* Items of add_X and update_X, each found by KEY in the new record. */
static char *items_differ(const struct jv *want, const struct jv *list, const char *key,
			  const char *op)
{
	for (size_t i = 0; i < jv_len(want); i++) {
		cleanup_jv struct jv *item = jv_copy(jv_at(want, i));
		const char *id = jv_get_string(item, key);
		const struct jv *have = find_item(list, key, id);
		char *why;

		(void)jv_del(item, "interface");
		(void)jv_del(item, "dangerous_allow_shrink");
		/* What is new and was not named is at the end. */
		if (!id)
			have = jv_at(list, jv_len(list) - jv_len(want) + i);
		if (!have)
			return xasprintf("%s.%zu", op, i);
		why = judge_covers(item, have, op);
		if (why)
			return why;
	}
	return NULL;
}

static char *removed_differ(const struct jv *gone, const struct jv *list, const char *key)
{
	for (size_t i = 0; i < jv_len(gone); i++)
		if (find_item(list, key, jv_as_string(jv_at(gone, i))))
			return xasprintf("%s", jv_as_string(jv_at(gone, i)));
	return NULL;
}

static char *map_differs(const struct jv *effective, const char *name, const struct jv *record)
{
	cleanup_free char *set_key = xasprintf("set_%s", name);
	cleanup_free char *remove_key = xasprintf("remove_%s", name);
	const struct jv *set = jv_get(effective, set_key);
	const struct jv *gone = jv_get(effective, remove_key);
	const struct jv *map = jv_get(record, name);
	char *why = set ? judge_covers(set, map, set_key) : NULL;

	for (size_t i = 0; !why && i < jv_len(gone); i++) {
		const char *key = jv_as_string(jv_at(gone, i));

		if (jv_get(map, key) && !jv_get(set, key))
			why = xasprintf("%s.%s", remove_key, key);
	}
	return why;
}

static char *array_differs(const struct jv *effective, const char *name, const char *key,
			   const struct jv *record)
{
	cleanup_free char *add = xasprintf("add_%s", name);
	cleanup_free char *update = xasprintf("update_%s", name);
	cleanup_free char *gone = xasprintf("remove_%s", name);
	const struct jv *list = jv_get(record, name);
	char *why = items_differ(jv_get(effective, add), list, key, add);

	if (!why)
		why = items_differ(jv_get(effective, update), list, key, update);
	if (!why)
		why = removed_differ(jv_get(effective, gone), list, key);
	return why;
}

static bool is_operation(const char *key)
{
	return strncmp(key, "add_", 4) == 0 || strncmp(key, "set_", 4) == 0 ||
	       strncmp(key, "remove_", 7) == 0 || strncmp(key, "update_", 7) == 0;
}

static char *values_differ(const struct jv *effective, const struct jv *record)
{
	bool zone = brand_from_name(jv_get_string(record, "brand")) & BRANDS_ZONE;

	for (void *it = jv_iter(effective); it; it = jv_iter_next(effective, it)) {
		const char *key = jv_iter_key(it);
		char *why;

		if (is_operation(key) || (zone && strcmp(key, "ram") == 0))
			continue;
		why = judge_covers(jv_iter_value(it), jv_get(record, key), key);
		if (why)
			return why;
	}
	return NULL;
}

static char *record_differs(const struct jv *c, const struct jv *record)
{
	static const char *const maps[] = { "customer_metadata", "internal_metadata", "tags",
					    "routes" };
	static const char *const arrays[][2] = { { "nics", "mac" },
						 { "disks", "path" },
						 { "filesystems", "target" },
						 { "pci_devices", "path" } };
	const struct jv *effective = jv_get(c, "effective");
	const char *primary = jv_get_string(c, "new_primary");
	char *why = values_differ(effective, record);

	for (size_t i = 0; !why && i < ARRAY_SIZE(maps); i++)
		why = map_differs(effective, maps[i], record);
	for (size_t i = 0; !why && i < ARRAY_SIZE(arrays); i++)
		why = array_differs(effective, arrays[i][0], arrays[i][1], record);
	if (!why && primary &&
	    !jv_get_bool(find_item(jv_get(record, "nics"), "mac", primary), "primary", false))
		why = xstrdup("new_primary");
	return why;
}

static bool names_only(const struct problems *ps, const char *name)
{
	for (size_t i = 0; i < ps->count; i++)
		if (ps->items[i].kind <= PROBLEM_RULE && strcmp(ps->items[i].name, name) != 0)
			return false;
	return problems_fatal(ps);
}

static const char *find_rule(const struct jv *c, const struct problems *ps)
{
	static const char *const missing[] = { "remove_nics", "remove_disks",
					       "remove_filesystems", "remove_pci_devices" };
	const char *want = jv_get_string(c, "error");

	if (!want) {
		for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
			if (names_only(ps, missing[i]))
				return "remove-missing";
		if (problems_has(ps, PROBLEM_UNKNOWN, "docker") && !problems_fatal(ps))
			return "dropped-is-dropped";
		if (names_only(ps, "docker"))
			return "docker-fixed";
		return names_only(ps, "nics.*.mac") ? "mac-unicast" : NULL;
	}
	if (strstr(want, "(crash)"))
		return problems_fatal(ps) ? "no-crash" : NULL;
	if (problems_fatal(ps) && (strstr(want, "undefined") || strstr(want, "\"\"") ||
				   strncmp(want, "Invalid value for ", 18) == 0))
		return "message-text";
	return NULL;
}

static void judge_one(struct judge_host *h, const struct jv *data, const struct jv *c)
{
	const char *name = jv_get_string(c, "name"), *want = jv_get_string(c, "error");
	const struct jv *vm = jv_get(jv_get(data, "vms"), jv_get_string(c, "vm"));
	struct payload_vm state = { vm, jv_get_string(vm, "state"),
				    jv_get_string(vm, "zone_state") };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;
	cleanup_free char *text = NULL, *why = NULL;
	struct err e = { 0 };
	const char *rule;

	if (payload_update(&state, jv_get(c, "payload"), &h->env, false, &record, &ps, &e) < 0)
		text = judge_refusal(&ps, &e);
	if (record && !want)
		why = record_differs(c, record);
	else if (record || !want || !judge_same_text(want, text))
		why = xasprintf("we say '%s', the original '%s'", text ? text : "yes",
				want ? want : "yes");
	rule = why ? find_rule(c, &ps) : NULL;
	if (!why)
		judge_agree(name);
	else if (rule)
		judge_listed(rule, name);
	else
		judge_differ(name, "%s", why);
}

int judge_update(const char *fixtures)
{
	return judge_each(fixtures, "oracle/update.json", judge_one);
}
