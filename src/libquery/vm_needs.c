/* SPDX-License-Identifier: MIT */
#include "libquery/vm_query.h"

#include "base/alloc.h"

#include <string.h>

/* Columns that are computed, and the members of the record that they come from. */
static const struct {
	const char *column;
	const char *member;
} computed[] = {
	{ "type", "brand" },
	{ "hvm", "brand" },
	{ "ram", "brand" },
	{ "ram", "max_physical_memory" },
	{ "state", "failed" },
	{ "transition_to", "failed" },
	{ "transition_to", "autoboot" },
	{ "zonedid", "idmap_base" },
	{ "kernel_version", "brand" },
	{ "state", "receiving" },
	{ "transition_to", "receiving" },
};

bool vm_needs_has(const struct vm_needs *n, const char *name)
{
	if (n->all)
		return true;
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->names[i], name) == 0)
			return true;
	return false;
}

static void add_name(struct vm_needs *n, const char *name, size_t len)
{
	cleanup_free char *copy = xstrndup(name, len);

	if (n->all || vm_needs_has(n, copy))
		return;
	/* So many members wanted: reading all is as well. */
	if (n->count == ARRAY_SIZE(n->names)) {
		n->all = true;
		return;
	}
	n->names[n->count++] = take_ptr(copy);
}

void vm_needs_add(struct vm_needs *n, const char *key)
{
	size_t len = strcspn(key, ".");

	add_name(n, key, len);
	for (size_t i = 0; i < ARRAY_SIZE(computed); i++)
		if (strcmp(computed[i].column, key) == 0)
			add_name(n, computed[i].member, strlen(computed[i].member));
}

void vm_fields_need(const struct vm_fields *f, struct vm_needs *n)
{
	for (size_t i = 0; i < f->count; i++)
		vm_needs_add(n, f->items[i].key);
}

void vm_needs_done(struct vm_needs *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	n->count = 0;
}
