/* SPDX-License-Identifier: MIT */
/*
 * manifest_requirements.c - the members of "requirements". One that is empty is not given.
 */
#include "libmanifest/manifest_private.h"

#include "base/jv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct jv *requirement(const struct check *c, const char *name)
{
	const struct jv *v = jv_get(jv_get(c->m, "requirements"), name);

	return v && !value_is_empty(v) ? v : NULL;
}

static bool is_network(const struct jv *item)
{
	static const char *const keys[] = { "name", "description", NULL };

	return value_has_only(item, keys);
}

static bool req_networks(struct check *c, const struct jv *v)
{
	return manifest_check_items(c, "requirements.networks", v, is_network);
}

static bool req_bool(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return value_is_bool(v);
}

static bool req_ram(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return value_is_integer(v);
}

static bool req_max_ram(struct check *c, const struct jv *v)
{
	const struct jv *min = requirement(c, "min_ram");

	if (!value_is_integer(v))
		return false;
	return !value_is_integer(min) || jv_as_real(min, 0) <= jv_as_real(v, 0);
}

/* Like 20141030T081701Z: a time that a clock may show, but no calendar is asked; from 2012 on.
 */
static bool is_platform(const char *s)
{
	static const struct {
		unsigned char at;
		const char *min, *max;
	} parts[] = { { 0, "2012", "9999" }, { 4, "01", "12" },  { 6, "01", "31" },
		      { 9, "00", "23" },     { 11, "00", "59" }, { 13, "00", "59" } };

	if (!s || strlen(s) != 16 || s[8] != 'T' || s[15] != 'Z')
		return false;
	for (size_t i = 0; i < 15; i++)
		if (i != 8 && !isdigit((unsigned char)s[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *part = s + parts[i].at;
		size_t len = strlen(parts[i].min);

		if (strncmp(part, parts[i].min, len) < 0 ||
		    strncmp(part, parts[i].max, len) > 0)
			return false;
	}
	return true;
}

static bool req_platform(struct check *c ATTR_UNUSED, const struct jv *v)
{
	if (jv_type(v) != JV_OBJECT || jv_len(v) == 0)
		return false;
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it))
		if (!is_platform(jv_as_string(jv_iter_value(it))))
			return false;
	return true;
}

static bool req_bootrom(struct check *c, const struct jv *v)
{
	static const char *const words[] = { "bios", "uefi", NULL };
	const struct jv *brand = requirement(c, "brand");

	if (!brand) {
		manifest_complain(c, "requirements.bootrom", "MissingParameter",
				  "bootrom needs requirements.brand");
		return true;
	}
	return jv_as_string(brand) && strcmp(jv_as_string(brand), "bhyve") == 0 &&
	       value_is_one_of(v, words);
}

static const struct rule requirement_rules[] = {
	{ "networks", req_networks, OPTIONAL },
	{ "brand", manifest_check_string, OPTIONAL },
	{ "ssh_key", req_bool, OPTIONAL },
	{ "min_ram", req_ram, OPTIONAL },
	{ "max_ram", req_max_ram, OPTIONAL },
	{ "min_platform", req_platform, OPTIONAL },
	{ "max_platform", req_platform, OPTIONAL },
	{ "bootrom", req_bootrom, OPTIONAL },
};

static void check_unknown(struct check *c, const struct jv *v)
{
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(requirement_rules) &&
		       strcmp(requirement_rules[i].field, jv_iter_key(it)) != 0)
			i++;
		if (i == ARRAY_SIZE(requirement_rules))
			manifest_complain(c, jv_iter_key(it), "Invalid", NULL);
	}
}

bool manifest_check_requirements(struct check *c, const struct jv *v)
{
	char field[96];

	if (jv_type(v) != JV_OBJECT)
		return jv_type(v) != JV_NULL && (value_is_empty(v) || jv_type(v) == JV_TRUE ||
						 jv_type(v) == JV_INT || jv_type(v) == JV_REAL);
	for (size_t i = 0; i < ARRAY_SIZE(requirement_rules); i++) {
		const struct rule *rule = &requirement_rules[i];
		const struct jv *value = requirement(c, rule->field);

		(void)snprintf(field, sizeof(field), "requirements.%s", rule->field);
		if (value && !rule->check(c, value))
			manifest_complain(c, field, "Invalid", NULL);
	}
	check_unknown(c, v);
	return true;
}
