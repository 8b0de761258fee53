/* SPDX-License-Identifier: MIT */
#include "libpayload/payload_merge.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload_rules.h"

#include <stdio.h>
#include <string.h>

#define POINTER_STR 96

struct jv *payload_merge_list(struct payload_merge *m, const char *name)
{
	struct jv *list = jv_get(m->record, name);

	if (list)
		return list;
	list = jv_array();
	jv_set(m->record, name, list);
	return list;
}

ssize_t payload_merge_find(const struct jv *list, const char *key, const char *value)
{
	for (size_t i = 0; value && i < jv_len(list); i++) {
		const char *have = jv_get_string(jv_at(list, i), key);

		if (have && strcmp(have, value) == 0)
			return (ssize_t)i;
	}
	return -1;
}

void payload_merge_remove(struct payload_merge *m, const char *name, size_t index)
{
	const struct jv *old = jv_get(m->record, name);
	struct jv *list = jv_array();

	for (size_t i = 0; i < jv_len(old); i++)
		if (i != index)
			jv_push(list, jv_ref(jv_at(old, i)));
	jv_set(m->record, name, list);
}

static bool takes_away(const struct jv *v)
{
	const char *s = jv_as_string(v);

	return jv_type(v) == JV_NULL || (s && !*s);
}

void payload_merge_item(struct payload_merge *m, const struct jv *payload, const char *op,
			size_t index, const char *key, struct jv *item)
{
	const struct jv *change = jv_at(jv_get(m->checked, op), index);
	const struct jv *raw = jv_at(jv_get(payload, op), index);

	for (void *it = jv_iter(change); it; it = jv_iter_next(change, it))
		if (strcmp(jv_iter_key(it), key) != 0)
			jv_set(item, jv_iter_key(it), jv_copy(jv_iter_value(it)));
	for (void *it = jv_iter(raw); it; it = jv_iter_next(raw, it))
		if (takes_away(jv_iter_value(it)) && strcmp(jv_iter_key(it), key) != 0)
			(void)jv_del(item, jv_iter_key(it));
}

void payload_merge_missing(struct payload_merge *m, const char *op, size_t index,
			   const char *key, const char *text)
{
	char pointer[POINTER_STR];

	(void)snprintf(pointer, sizeof(pointer), "/%s/%zu%s%s", op, index, key ? "/" : "",
		       key ? key : "");
	if (m->ignore_missing)
		problems_add(m->ps, PROBLEM_NOTE, op, pointer, "%s; skipped", text);
	else
		problems_add(m->ps, PROBLEM_RULE, op, pointer, "%s", text);
}

/* An array whose elements are found by KEY: what all but NICs have in common. */
struct kind {
	const char *name; /* "disks" */
	const char *one;  /* "disk", for messages */
	const char *key;
};

static void say_absent(struct payload_merge *m, const struct kind *kind, const char *op,
		       size_t index, const char *value)
{
	cleanup_free char *text = NULL;
	bool removes = strncmp(op, "remove_", 7) == 0;

	if (value)
		text = xasprintf("There is no %s with the %s \"%s\"", kind->one, kind->key,
				 value);
	else
		text = xasprintf("%s object needs a .%s property to update", kind->one,
				 kind->key);
	payload_merge_missing(m, op, index, removes ? NULL : kind->key, text);
}

static void remove_items(struct payload_merge *m, const struct kind *kind)
{
	cleanup_free char *op = xasprintf("remove_%s", kind->name);
	const struct jv *gone = jv_get(m->checked, op);

	for (size_t i = 0; i < jv_len(gone); i++) {
		const char *value = jv_as_string(jv_at(gone, i));
		ssize_t at =
			payload_merge_find(jv_get(m->record, kind->name), kind->key, value);

		if (at >= 0)
			payload_merge_remove(m, kind->name, (size_t)at);
		else
			say_absent(m, kind, op, i, value ? value : "?");
	}
}

/* FN looks at the element after, and at the one before. */
static void update_items(struct payload_merge *m, const struct jv *payload,
			 const struct kind *kind,
			 void (*fn)(struct payload_merge *m, const struct jv *change,
				    const struct jv *was, struct jv *now, size_t index))
{
	cleanup_free char *op = xasprintf("update_%s", kind->name);
	const struct jv *changes = jv_get(m->checked, op);

	for (size_t i = 0; i < jv_len(changes); i++) {
		const struct jv *change = jv_at(changes, i);
		const char *value = jv_get_string(change, kind->key);
		struct jv *list = jv_get(m->record, kind->name);
		ssize_t at = payload_merge_find(list, kind->key, value);
		cleanup_jv struct jv *was = NULL;

		if (at < 0) {
			say_absent(m, kind, op, i, value);
			continue;
		}
		was = jv_copy(jv_at(list, (size_t)at));
		payload_merge_item(m, payload, op, i, kind->key, jv_at(list, (size_t)at));
		if (fn)
			fn(m, change, was, jv_at(list, (size_t)at), i);
	}
}

/* Returns the index of the first new one. */
static size_t add_items(struct payload_merge *m, const struct kind *kind)
{
	cleanup_free char *op = xasprintf("add_%s", kind->name);
	const struct jv *added = jv_get(m->checked, op);
	struct jv *list = added ? payload_merge_list(m, kind->name) : NULL;
	size_t first = jv_len(list);

	for (size_t i = 0; i < jv_len(added); i++) {
		const char *value = jv_get_string(jv_at(added, i), kind->key);
		char pointer[POINTER_STR];

		(void)snprintf(pointer, sizeof(pointer), "/%s/%zu/%s", op, i, kind->key);
		if (payload_merge_find(list, kind->key, value) >= 0)
			problems_add(m->ps, PROBLEM_RULE, op, pointer,
				     "There is a %s with the %s \"%s\" already", kind->one,
				     kind->key, value);
		jv_push(list, jv_copy(jv_at(added, i)));
	}
	if (jv_len(list) > PAYLOAD_NICS_MAX)
		problems_add(m->ps, PROBLEM_RULE, op, "/", "a VM has at most %d %s",
			     PAYLOAD_NICS_MAX, kind->name);
	return first;
}

void payload_merge_filesystems(struct payload_merge *m, const struct jv *payload)
{
	static const struct kind kind = { "filesystems", "filesystem", "target" };

	remove_items(m, &kind);
	update_items(m, payload, &kind, NULL);
	(void)add_items(m, &kind);
}

static bool is_stopped(const struct payload_vm *vm)
{
	return strcmp(vm->state, "stopped") == 0 || (strcmp(vm->state, "provisioning") == 0 &&
						     strcmp(vm->zone_state, "installed") == 0);
}

static void say_not_stopped(struct payload_merge *m, const char *name, bool some)
{
	char pointer[POINTER_STR];

	(void)snprintf(pointer, sizeof(pointer), "/%s%s", some ? "update_" : "", name);
	problems_add(m->ps, PROBLEM_RULE, name, pointer,
		     "%s to %s %s only allowed when state is \"stopped\", currently: %s (%s)",
		     some ? "at least one specified update" : "updates", name,
		     some ? "is" : "are", m->vm->state, m->vm->zone_state);
}

/* The members of a disk that can be changed under a guest that runs. */
static bool is_live_change(const struct jv *change)
{
	static const char *const live[] = { "path", "compression", "refreservation" };

	for (void *it = jv_iter(change); it; it = jv_iter_next(change, it)) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(live); i++)
			found |= strcmp(jv_iter_key(it), live[i]) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Is there an operation on NAME that has to wait until the VM is stopped? It is told. */
static void check_stopped(struct payload_merge *m, const char *name, bool some_live)
{
	cleanup_free char *add = xasprintf("add_%s", name);
	cleanup_free char *remove = xasprintf("remove_%s", name);
	cleanup_free char *update = xasprintf("update_%s", name);
	const struct jv *changes = jv_get(m->checked, update);

	if (is_stopped(m->vm))
		return;
	if (jv_get(m->checked, add) || jv_get(m->checked, remove) || (changes && !some_live) ||
	    jv_get(m->checked, name)) {
		say_not_stopped(m, name, false);
		return;
	}
	for (size_t i = 0; i < jv_len(changes); i++) {
		if (is_live_change(jv_at(changes, i)))
			continue;
		say_not_stopped(m, name, true);
		return;
	}
}

static void check_disk(struct payload_merge *m, const struct jv *change, const struct jv *was,
		       struct jv *now, size_t index)
{
	struct payload_list list = { .brand = m->brand, .env = m->env, .ps = m->ps };
	int64_t old = jv_get_int(was, "size", 0), new = jv_get_int(now, "size", 0);
	char pointer[POINTER_STR];

	(void)snprintf(pointer, sizeof(pointer), "/update_disks/%zu", index);
	payload_disk_changed(&list, now, pointer);
	if (jv_get(change, "size") && new < old &&
	    !jv_get_bool(change, "dangerous_allow_shrink", false))
		problems_add(m->ps, PROBLEM_RULE, "size", pointer,
			     "cannot resize disk: new size must be greater than current size. "
			     "(%lld > %lld)",
			     (long long)old, (long long)new);
	(void)jv_del(now, "dangerous_allow_shrink");
}

/* nic_driver and disk_driver apart, what is new is like the first that is there. */
static const char *model_for(const struct payload_merge *m, const char *driver,
			     const char *name)
{
	const char *model = jv_get_string(m->record, driver);

	return model ? model : jv_get_string(jv_at(jv_get(m->vm->record, name), 0), "model");
}

static int merge_disks(struct payload_merge *m, const struct jv *payload, struct err *e)
{
	static const struct kind kind = { "disks", "disk", "path" };
	struct payload_list list = { .brand = m->brand, .env = m->env, .ps = m->ps };
	size_t first;
	int r;

	check_stopped(m, "disks", true);
	remove_items(m, &kind);
	update_items(m, payload, &kind, check_disk);
	first = add_items(m, &kind);
	list.items = jv_get(m->record, "disks");
	list.driver = model_for(m, "disk_driver", "disks");
	r = payload_disks_new(&list,
			      jv_get(m->checked, "add_disks") ? first : jv_len(list.items),
			      "add_disks", jv_get_string(m->record, "bootrom"), e);
	if (r == 0 && (jv_get(m->checked, "add_disks") || jv_get(m->checked, "update_disks")))
		payload_disks_together(&list, "disks");
	return r;
}

int payload_merge_devices(struct payload_merge *m, const struct jv *payload, struct err *e)
{
	static const struct kind kind = { "pci_devices", "pci_device", "path" };
	size_t first;
	int r;

	if (m->brand & BRANDS_ZONE)
		return 0;
	r = merge_disks(m, payload, e);
	if (r < 0)
		return r;
	check_stopped(m, "pci_devices", false);
	remove_items(m, &kind);
	update_items(m, payload, &kind, NULL);
	first = add_items(m, &kind);
	if (jv_get(m->checked, "pci_devices"))
		first = 0;
	else if (!jv_get(m->checked, "add_pci_devices"))
		first = jv_get(m->checked, "update_pci_devices") ? 0 : PAYLOAD_NICS_MAX;
	payload_pci_devices(jv_get(m->record, "pci_devices"), first, "pci_devices", m->ps);
	return 0;
}
