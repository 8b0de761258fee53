/* SPDX-License-Identifier: MIT */
/*
 * A record and a payload of update to the record after it.
 *
 *	record ──copy──▶ new ◀── values, maps, arrays of the payload
 *	                  │
 *	                  └──▶ limits that follow, then the rules that create has
 */
#include "libpayload/payload.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload_merge.h"
#include "libpayload/payload_rules.h"

#include <stdio.h>
#include <string.h>

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* set_X, remove_X, add_X, update_X: what is done to a property, not one itself. */
static bool is_operation(const char *key)
{
	return starts_with(key, "set_") || starts_with(key, "remove_") ||
	       starts_with(key, "add_") || starts_with(key, "update_");
}

static void merge_values(struct payload_merge *m, const struct jv *payload)
{
	for (void *it = jv_iter(m->checked); it; it = jv_iter_next(m->checked, it))
		if (!is_operation(jv_iter_key(it)))
			jv_set(m->record, jv_iter_key(it), jv_copy(jv_iter_value(it)));
	for (void *it = jv_iter(payload); it; it = jv_iter_next(payload, it)) {
		const char *key = jv_iter_key(it);
		const struct prop *p = prop_find(key);

		/* What was allowed and unset did not come through the check. */
		if (p && prop_allowed(p, m->brand, PROP_UPDATE) && !is_operation(key) &&
		    !jv_get(m->checked, key) && !problems_has(m->ps, PROBLEM_VALUE, key))
			(void)jv_del(m->record, key);
	}
}

/* set_X and remove_X of the map X. A key in both is set. */
static void merge_map(struct payload_merge *m, const char *name)
{
	cleanup_free char *set_key = xasprintf("set_%s", name);
	cleanup_free char *remove_key = xasprintf("remove_%s", name);
	const struct jv *set = jv_get(m->checked, set_key);
	const struct jv *gone = jv_get(m->checked, remove_key);
	struct jv *map = jv_get(m->record, name);

	if (!set && !gone)
		return;
	if (!map) {
		map = jv_object();
		jv_set(m->record, name, map);
	}
	for (size_t i = 0; i < jv_len(gone); i++)
		if (jv_as_string(jv_at(gone, i)))
			(void)jv_del(map, jv_as_string(jv_at(gone, i)));
	for (void *it = jv_iter(set); it; it = jv_iter_next(set, it))
		jv_set(map, jv_iter_key(it), jv_copy(jv_iter_value(it)));
}

static void merge_maps(struct payload_merge *m)
{
	static const char *const maps[] = { "customer_metadata", "internal_metadata", "tags",
					    "routes" };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		merge_map(m, maps[i]);
}

static void check_devices(const struct jv *checked, struct problems *ps)
{
	if (jv_get(checked, "pci_devices") && jv_get(checked, "add_pci_devices"))
		problems_add(ps, PROBLEM_RULE, "pci_devices", "/add_pci_devices",
			     "pci_devices and add_pci_devices cannot be given together");
}

/* What create decides for the whole life of a VM. */
static void check_docker(struct payload_merge *m)
{
	const struct jv *given = jv_get(m->checked, "docker");

	if (given && jv_as_bool(given, false) != jv_get_bool(m->vm->record, "docker", false))
		problems_add(m->ps, PROBLEM_RULE, "docker", "/docker",
			     "docker cannot be changed: the VM was made with the other value");
}

static void check_routes(struct payload_merge *m)
{
	static const char *const keys[] = { "set_routes", "remove_nics", "update_nics" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!jv_get(m->checked, keys[i]))
			continue;
		payload_routes(jv_get(m->record, "routes"), jv_get(m->record, "nics"), m->ps);
		return;
	}
}

static void note_clamped(struct payload_merge *m)
{
	payload_note_clamped(m->checked, m->record, m->ps);
}

static int merge(struct payload_merge *m, const struct jv *payload, struct err *e)
{
	int r;

	merge_values(m, payload);
	merge_maps(m);
	r = payload_merge_nics(m, payload, e);
	if (r == 0)
		r = payload_merge_devices(m, payload, e);
	if (r < 0)
		return r;
	payload_merge_filesystems(m, payload);
	payload_defaults(m->record, m->brand);
	payload_memory_follows(m->record, m->vm->record, m->checked, m->brand);
	payload_limits(m->record, m->brand);
	note_clamped(m);
	check_docker(m);
	check_devices(m->checked, m->ps);
	check_routes(m);
	payload_cross_checks(m->record, m->ps);
	return 0;
}

int payload_update(const struct payload_vm *vm, const struct jv *payload,
		   const struct payload_env *env, bool ignore_missing, struct jv **ret_record,
		   struct problems *ps, struct err *e)
{
	unsigned int brand = brand_from_name(jv_get_string(vm->record, "brand"));
	cleanup_jv struct jv *checked = NULL, *record = NULL;
	struct payload_merge m = { .vm = vm, .env = env, .ps = ps };
	int r;

	if (!brand)
		return err_set(e, -EBADMSG, "the record of VM %s has no brand that is known",
			       jv_get_string(vm->record, "uuid"));
	checked = payload_check(payload, brand, PROP_UPDATE, ps);
	record = jv_copy(vm->record);
	m.brand = brand;
	m.checked = checked;
	m.record = record;
	m.ignore_missing = ignore_missing;
	r = merge(&m, payload, e);
	if (r < 0)
		return r;
	if (problems_fatal(ps))
		return err_set(e, -EINVAL, "payload is refused");
	*ret_record = take_ptr(record);
	return 0;
}

/* The new NICs and disks of a payload, as far as they can be judged without the VM. */
static int check_added(const struct jv *checked, enum brand brand,
		       const struct payload_env *env, struct problems *ps, struct err *e)
{
	struct payload_list nics = { jv_get(checked, "add_nics"), brand, "", env, ps };
	struct payload_list disks = { jv_get(checked, "add_disks"), brand,
				      brand == BRAND_KVM ? "ide" : "ahci", env, ps };
	size_t before = ps->count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < jv_len(nics.items); i++)
		r = payload_nic_new(&nics, i, e);
	payload_nics_together(&nics);
	problems_move(ps, before, "/nics/", "/add_nics/");
	if (r == 0)
		r = payload_disks_new(&disks, 0, "add_disks", NULL, e);
	if (r < 0)
		return r;
	payload_disks_together(&disks, "add_disks");
	payload_pci_devices(jv_get(checked, "add_pci_devices"), 0, "add_pci_devices", ps);
	return 0;
}

int payload_check_update(const struct jv *payload, enum brand brand,
			 const struct payload_env *env, struct problems *ps, struct err *e)
{
	cleanup_jv struct jv *checked = payload_check(payload, brand, PROP_UPDATE, ps);
	size_t before;
	int r;

	r = check_added(checked, brand, env, ps, e);
	if (r < 0)
		return r;
	check_devices(checked, ps);
	if (jv_get(checked, "add_filesystems"))
		jv_set(checked, "filesystems", jv_ref(jv_get(checked, "add_filesystems")));
	before = ps->count;
	payload_cross_checks(checked, ps);
	problems_move(ps, before, "/filesystems/", "/add_filesystems/");
	return problems_fatal(ps) ? err_set(e, -EINVAL, "payload is refused") : 0;
}

static bool is_secret(const char *key)
{
	return strstr(key, "password") || strstr(key, "metadata");
}

static void add_change(struct jv *changes, const char *key, const struct jv *was,
		       const struct jv *now)
{
	cleanup_free char *old = was ? jv_dump(was, 0) : xstrdup("-");
	cleanup_free char *new = now ? jv_dump(now, 0) : xstrdup("-");
	cleanup_free char *text = NULL;

	if (is_secret(key) || strlen(old) + strlen(new) > CHANGE_TEXT_MAX)
		text = xstrdup(key);
	else
		text = xasprintf("%s: %s -> %s", key, old, new);
	jv_push(changes, jv_string(text));
}

struct jv *payload_changes(const struct jv *old, const struct jv *new)
{
	struct jv *changes = jv_array();

	for (void *it = jv_iter(new); it; it = jv_iter_next(new, it)) {
		const struct jv *was = jv_get(old, jv_iter_key(it));

		if (!was || !jv_equal(was, jv_iter_value(it)))
			add_change(changes, jv_iter_key(it), was, jv_iter_value(it));
	}
	for (void *it = jv_iter(old); it; it = jv_iter_next(old, it))
		if (!jv_get(new, jv_iter_key(it)))
			add_change(changes, jv_iter_key(it), jv_iter_value(it), NULL);
	return changes;
}
