/* SPDX-License-Identifier: MIT */
#include "libmdata/private.h"

#include <string.h>

/* Hidden keys that have a way of their own to be read. */
static bool is_served(const struct jv *vm, const char *key)
{
	return strcmp(mdata_store_of(vm, key), "internal_metadata") == 0 ||
	       strcmp(key, "operator-script") == 0 || strcmp(key, "sdc:volumes") == 0;
}

struct jv *mdata_view(const struct jv *vm)
{
	const struct jv *internal = jv_get(vm, "internal_metadata");
	struct jv *view = jv_object();
	struct jv *served = jv_object();

	for (void *it = jv_iter(vm); it; it = jv_iter_next(vm, it))
		if (jv_iter_value(it) != internal)
			jv_set(view, jv_iter_key(it), jv_ref(jv_iter_value(it)));
	for (void *it = jv_iter(internal); it; it = jv_iter_next(internal, it))
		if (is_served(vm, jv_iter_key(it)))
			jv_set(served, jv_iter_key(it), jv_ref(jv_iter_value(it)));
	jv_set(view, "internal_metadata", served);
	return view;
}

static int check(const struct jv *record, const char *key, const char *value, struct err *e)
{
	const char *name =
		strncmp(key, "sdc:", 4) == 0 ? "sdc" : mdata_namespace_of(record, key);

	if (name)
		return err_set(e, -EPERM, "Cannot update the \"%s\" Namespace.", name);
	if (value && (!*key || !*value || !jv_string_is_valid(key)))
		return err_set(e, -EINVAL, "Invalid PUT Request");
	if (strlen(key) > MDATA_KEY_MAX)
		return err_set(e, -EINVAL, "Key is longer than %zu bytes", MDATA_KEY_MAX);
	if (value && strlen(value) > MDATA_VALUE_MAX)
		return err_set(e, -EINVAL, "Value is longer than %zu bytes", MDATA_VALUE_MAX);
	return 0;
}

/* An operator's script may be set from inside, and is never read under its plain name. */
static const char *store_to_write(const struct jv *record, const char *key)
{
	return strcmp(key, "operator-script") == 0 ? "internal_metadata"
						   : mdata_store_of(record, key);
}

int mdata_change(struct jv *record, const char *key, const char *value, bool *ret_changed,
		 struct err *e)
{
	const char *name = store_to_write(record, key);
	struct jv *store = jv_get(record, name);
	const char *old = jv_get_string(store, key);
	int r = check(record, key, value, e);

	if (r < 0)
		return r;
	if (!value) {
		*ret_changed = jv_type(store) == JV_OBJECT && jv_del(store, key);
		return 0;
	}
	*ret_changed = !old || strcmp(old, value) != 0;
	if (jv_type(store) != JV_OBJECT) {
		jv_set(record, name, jv_object());
		store = jv_get(record, name);
	}
	if (*ret_changed)
		jv_set(store, key, jv_string(value));
	return 0;
}
