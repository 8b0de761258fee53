/* SPDX-License-Identifier: MIT */
#include "libquery/vm_diff.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"

#include <string.h>

/* No object that passes the JSON parser is deeper than this in what we compare. */
#define DEPTH_MAX 32

struct diff {
	struct jv *changes;
	const char *path[DEPTH_MAX]; /* NULL: an element of an array */
	size_t depth;
	const char *ident; /* of the element that we are in */
};

static void compare(struct diff *d, const struct jv *before, const struct jv *after);

/* What makes an element of the array NAME the same one, before and after. */
static const char *ident_of(const char *name)
{
	static const struct {
		const char *array, *key;
	} idents[] = { { "disks", "path" }, { "nics", "mac" } };

	for (size_t i = 0; name && i < ARRAY_SIZE(idents); i++)
		if (strcmp(idents[i].array, name) == 0)
			return idents[i].key;
	return NULL;
}

static struct jv *value_or_null(const struct jv *v)
{
	return v ? jv_copy(v) : jv_null();
}

static void tell(struct diff *d, const struct jv *before, const struct jv *after)
{
	struct jv *change = jv_object(), *path = jv_array();
	cleanup_buf struct buf pretty = BUF_INIT;

	for (size_t i = 0; i < d->depth; i++) {
		if (i)
			buf_addc(&pretty, '.');
		buf_adds(&pretty, d->path[i] ? d->path[i] : "*");
		jv_push(path, d->path[i] ? jv_string(d->path[i]) : jv_null());
	}
	jv_set(change, "prettyPath", jv_string(buf_str(&pretty)));
	jv_set(change, "path", path);
	if (d->ident)
		jv_set(change, "ident", jv_string(d->ident));
	jv_set(change, "action", jv_string(!before ? "added" : !after ? "removed" : "changed"));
	jv_set(change, "oldValue", value_or_null(before));
	jv_set(change, "newValue", value_or_null(after));
	jv_push(d->changes, change);
}

/* One of the two may be absent. */
static void step(struct diff *d, const char *name, const struct jv *before,
		 const struct jv *after)
{
	d->path[d->depth++] = name;
	if (!before || !after)
		tell(d, before, after);
	else
		compare(d, before, after);
	d->depth--;
}

static void compare_objects(struct diff *d, const struct jv *before, const struct jv *after)
{
	for (void *it = jv_iter(before); it; it = jv_iter_next(before, it))
		step(d, jv_iter_key(it), jv_iter_value(it), jv_get(after, jv_iter_key(it)));
	for (void *it = jv_iter(after); it; it = jv_iter_next(after, it))
		if (!jv_get(before, jv_iter_key(it)))
			step(d, jv_iter_key(it), NULL, jv_iter_value(it));
}

/* ---- arrays ------------------------------------------------------------------ */

static const struct jv *find_named(const struct jv *array, const char *key, const char *name)
{
	for (size_t i = 0; i < jv_len(array); i++) {
		const char *other = jv_get_string(jv_at(array, i), key);

		if (other && strcmp(other, name) == 0)
			return jv_at(array, i);
	}
	return NULL;
}

/* Do all elements have a name, each one of its own? */
static bool are_named(const struct jv *array, const char *key)
{
	for (size_t i = 0; i < jv_len(array); i++) {
		const char *name = jv_get_string(jv_at(array, i), key);

		if (!name || find_named(array, key, name) != jv_at(array, i))
			return false;
	}
	return true;
}

static void compare_named(struct diff *d, const char *key, const struct jv *before,
			  const struct jv *after)
{
	const char *outer = d->ident;

	for (size_t i = 0; i < jv_len(before); i++) {
		const struct jv *element = jv_at(before, i);

		d->ident = jv_get_string(element, key);
		step(d, NULL, element, find_named(after, key, d->ident));
	}
	for (size_t i = 0; i < jv_len(after); i++) {
		const struct jv *element = jv_at(after, i);

		d->ident = jv_get_string(element, key);
		if (!find_named(before, key, d->ident))
			step(d, NULL, NULL, element);
	}
	d->ident = outer;
}

/* Marks in USED the partner in ARRAY of each element; is one there for V? */
static bool take_equal(const struct jv *array, bool *used, const struct jv *v)
{
	for (size_t i = 0; i < jv_len(array); i++) {
		if (used[i] || !jv_equal(jv_at(array, i), v))
			continue;
		used[i] = true;
		return true;
	}
	return false;
}

static void compare_bags(struct diff *d, const struct jv *before, const struct jv *after)
{
	cleanup_free bool *used = xcalloc(jv_len(after) + 1, sizeof(*used));
	bool same = true;

	for (size_t i = 0; i < jv_len(before); i++) {
		if (take_equal(after, used, jv_at(before, i)))
			continue;
		step(d, NULL, jv_at(before, i), NULL);
		same = false;
	}
	for (size_t i = 0; i < jv_len(after); i++) {
		if (used[i])
			continue;
		step(d, NULL, NULL, jv_at(after, i));
		same = false;
	}
	if (same)
		tell(d, before, after);
}

static void compare_arrays(struct diff *d, const struct jv *before, const struct jv *after)
{
	const char *key = ident_of(d->depth ? d->path[d->depth - 1] : NULL);

	if (key && are_named(before, key) && are_named(after, key))
		compare_named(d, key, before, after);
	else
		compare_bags(d, before, after);
}

static void compare(struct diff *d, const struct jv *before, const struct jv *after)
{
	enum jv_type type = jv_type(before);

	if (jv_equal(before, after))
		return;
	if (type != jv_type(after) || d->depth >= DEPTH_MAX - 1)
		tell(d, before, after);
	else if (type == JV_OBJECT)
		compare_objects(d, before, after);
	else if (type == JV_ARRAY)
		compare_arrays(d, before, after);
	else
		tell(d, before, after);
}

struct jv *vm_diff(const struct jv *before, const struct jv *after)
{
	cleanup_jv struct jv *nothing = jv_object();
	struct diff d = { .changes = jv_array() };

	compare(&d, before ? before : nothing, after ? after : nothing);
	return d.changes;
}
