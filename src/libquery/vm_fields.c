/* SPDX-License-Identifier: MIT */
#include "libquery/vm_query.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/prop.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_WIDTH 20

static const char *const maps[] = { "tags", "customer_metadata", "internal_metadata",
				    "routes" };
static const char *const arrays[] = { "nics", "disks", "pci_devices" };

/* Does KEY begin with one of LIST and a stop? Returns what follows. */
static const char *after_prefix(const char *key, const char *const *list, size_t count,
				const char **ret_prefix)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(list[i]);

		if (strncmp(key, list[i], len) == 0 && key[len] == '.') {
			*ret_prefix = list[i];
			return key + len + 1;
		}
	}
	return NULL;
}

const struct jv *vm_value(const struct jv *vm, const char *key)
{
	const char *prefix, *rest;
	char *end;

	rest = after_prefix(key, maps, ARRAY_SIZE(maps), &prefix);
	if (rest)
		return jv_get(jv_get(vm, prefix), rest);
	rest = after_prefix(key, arrays, ARRAY_SIZE(arrays), &prefix);
	if (rest) {
		unsigned long index = strtoul(rest, &end, 10);

		return jv_get(jv_at(jv_get(vm, prefix), index), *end == '.' ? end + 1 : "");
	}
	return jv_get(vm, key);
}

const char *vm_value_text(const struct jv *value, char buf[static 32])
{
	switch (value ? jv_type(value) : JV_NULL) {
	case JV_TRUE:
		return "true";
	case JV_INT:
		(void)snprintf(buf, 32, "%" PRId64, jv_as_int(value, 0));
		return buf;
	case JV_STRING:
		return jv_as_string(value);
	default:
		return "";
	}
}

/* "nics.0.ip": a number, and a member that the table knows. */
static bool is_array_column(const char *prefix, const char *rest)
{
	size_t digits = strspn(rest, "0123456789");
	cleanup_free char *name = NULL;

	if (digits == 0 || digits > 4 || rest[digits] != '.')
		return false;
	name = xasprintf("%s.*.%s", prefix, rest + digits + 1);
	return prop_find(name);
}

static char *upper(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return copy;
}

/* Fills FIELD for KEY; false when there is no such column. */
static bool find_column(const char *key, struct vm_field *field)
{
	const char *prefix, *rest;
	const struct prop *p;

	rest = after_prefix(key, maps, ARRAY_SIZE(maps), &prefix);
	if (rest && !*rest)
		return false;
	if (!rest) {
		rest = after_prefix(key, arrays, ARRAY_SIZE(arrays), &prefix);
		if (rest && !is_array_column(prefix, rest))
			return false;
	}
	p = rest ? NULL : prop_find(key);
	if (!rest && (!p || !p->header))
		return false;
	field->key = xstrdup(key);
	field->header = rest ? upper(key) : xstrdup(p->header);
	field->width = rest ? MEMBER_WIDTH : p->width;
	return true;
}

static bool begins_with_star(const char *key)
{
	return strncmp(key, "disks.*", 7) == 0 || strncmp(key, "nics.*", 6) == 0 ||
	       strncmp(key, "filesystems.*", 13) == 0;
}

/* KIND is "order" or "sort"; TEXT the element as it was given, sign and all. */
static int add_field(struct vm_fields *f, const char *kind, const char *text, struct err *e)
{
	struct vm_field *field = &f->items[f->count];
	bool sort = *kind == 's';
	const char *key = sort && (*text == '-' || *text == '+') ? text + 1 : text;

	if (begins_with_star(key))
		return err_set(e, -EINVAL, "Invalid %s key: \"%s\"", kind, key);
	if (f->count == QUERY_FIELDS_MAX)
		return err_set(e, -E2BIG, "more than %d %s fields", QUERY_FIELDS_MAX, kind);
	if (!find_column(key, field))
		return err_set(e, -EINVAL, "invalid %s field: %s", kind, text);
	field->descending = sort && *text == '-';
	f->count++;
	return 0;
}

static int parse(const char *text, const char *kind, struct vm_fields *ret, struct err *e)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		cleanup_free char *word = xstrndup(text, len);
		int r = add_field(ret, kind, word, e);

		if (r < 0)
			return r;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

int vm_fields_parse_order(const char *text, struct vm_fields *ret, struct err *e)
{
	return parse(text, "order", ret, e);
}

int vm_fields_parse_sort(const char *text, struct vm_fields *ret, struct err *e)
{
	return parse(text, "sort", ret, e);
}

void vm_fields_done(struct vm_fields *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].key);
		free(f->items[i].header);
	}
	f->count = 0;
}

static int compare_values(const struct jv *a, const struct jv *b)
{
	enum jv_type ta = jv_type(a), tb = jv_type(b);
	char abuf[32], bbuf[32];

	if (ta == JV_INT && tb == JV_INT) {
		int64_t na = jv_as_int(a, 0), nb = jv_as_int(b, 0);

		return (na > nb) - (na < nb);
	}
	return strcmp(vm_value_text(a, abuf), vm_value_text(b, bbuf));
}

/* What has no value comes last, and first when the order is turned round. */
static int compare_field(const struct jv *a, const struct jv *b, const struct vm_field *field)
{
	const struct jv *va = vm_value(a, field->key), *vb = vm_value(b, field->key);
	int order;

	if (!va || !vb)
		order = !va - !vb;
	else
		order = compare_values(va, vb);
	return field->descending ? -order : order;
}

struct sort_item {
	struct jv *vm;
	size_t place;
};

static int compare_items(const void *pa, const void *pb, void *data)
{
	const struct sort_item *a = pa, *b = pb;
	const struct vm_fields *by = data;

	for (size_t i = 0; i < by->count; i++) {
		int order = compare_field(a->vm, b->vm, &by->items[i]);

		if (order)
			return order;
	}
	return (a->place > b->place) - (a->place < b->place);
}

void vm_sort(struct jv **vms, size_t count, const struct vm_fields *by)
{
	struct sort_item *items = xcalloc(count + 1, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = (struct sort_item){ vms[i], i };
	qsort_r(items, count, sizeof(*items), compare_items, (void *)(uintptr_t)by);
	for (size_t i = 0; i < count; i++)
		vms[i] = items[i].vm;
	free(items);
}
