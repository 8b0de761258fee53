/* SPDX-License-Identifier: MIT */
#include "libpayload/prop.h"

#include "base/macro.h"
#include "libpayload/prop_table.h"

#include <assert.h>
#include <string.h>

static const struct {
	const struct prop *rows;
	const size_t *count;
} groups[] = {
	{ prop_rows_general, &prop_count_general },
	{ prop_rows_nics, &prop_count_nics },
	{ prop_rows_hardware, &prop_count_hardware },
	{ prop_rows_output, &prop_count_output },
};

const struct prop *prop_at(size_t i)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		if (i < *groups[g].count)
			return &groups[g].rows[i];
		i -= *groups[g].count;
	}
	return NULL;
}

/* Rows of a group are sorted: a test holds them to it. */
static const struct prop *find_in(const struct prop *rows, size_t count, const char *name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(name, rows[mid].name);

		if (order == 0)
			return &rows[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct prop *prop_find(const char *name)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		const struct prop *p = find_in(groups[g].rows, *groups[g].count, name);

		if (p)
			return p;
	}
	return NULL;
}

bool prop_allowed(const struct prop *p, enum brand brand, enum prop_action action)
{
	assert(action < PROP_ACTION_MAX_);
	return p->allowed[action] & brand;
}

bool prop_is_payload(const struct prop *p)
{
	return p->allowed[PROP_CREATE] || p->allowed[PROP_UPDATE] || p->allowed[PROP_RECEIVE];
}

const char *prop_type_name(enum prop_type type)
{
	static const char *const names[] = {
		[PROP_BOOLEAN] = "boolean", [PROP_INTEGER] = "integer",
		[PROP_STRING] = "string",   [PROP_LIST] = "list",
		[PROP_FLAT] = "object",     [PROP_OBJECTS] = "array of objects",
		[PROP_UUID] = "uuid",       [PROP_ZPOOL] = "pool name",
	};

	_Static_assert(ARRAY_SIZE(names) == PROP_TYPE_MAX_, "a type without a name");
	return names[type];
}

const char *prop_effect_name(enum prop_effect effect)
{
	static const char *const names[] = {
		[PROP_NONE] = "none",         [PROP_LIVE] = "live",
		[PROP_REBOOT] = "next start", [PROP_STOPPED] = "while stopped",
		[PROP_STORED] = "stored",     [PROP_CREATION] = "creation only",
		[PROP_DERIVED] = "derived",
	};

	_Static_assert(ARRAY_SIZE(names) == PROP_EFFECT_MAX_, "an effect without a name");
	return names[effect];
}

static const struct {
	enum brand brand;
	const char *name;
	const char *type;
} brands[] = {
	{ BRAND_JOYENT, "joyent", "OS" },   { BRAND_JOYENT_MINIMAL, "joyent-minimal", "OS" },
	{ BRAND_BUILDER, "builder", "OS" }, { BRAND_LX, "lx", "LX" },
	{ BRAND_KVM, "kvm", "KVM" },        { BRAND_BHYVE, "bhyve", "BHYV" },
};

unsigned int brand_from_name(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(brands); i++)
		if (strcmp(brands[i].name, name) == 0)
			return brands[i].brand;
	return 0;
}

const char *brand_name(enum brand brand)
{
	for (size_t i = 0; i < ARRAY_SIZE(brands); i++)
		if (brands[i].brand == brand)
			return brands[i].name;
	return NULL;
}

const char *brand_type(enum brand brand)
{
	for (size_t i = 0; i < ARRAY_SIZE(brands); i++)
		if (brands[i].brand == brand)
			return brands[i].type;
	return NULL;
}
