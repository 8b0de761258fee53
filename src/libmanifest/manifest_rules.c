/* SPDX-License-Identifier: MIT */
/*
 * manifest_rules.c - one row a field: what it must be, and when it must be there.
 */
#include "libmanifest/manifest_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TAGS_MAX 102400 /* characters as JSON */

/* ---- one function a kind -------------------------------------------------- */

static bool is_uuid(const struct jv *v)
{
	return jv_as_string(v) && uuid_is_valid(jv_as_string(v));
}

static bool is_bool_or_word(const struct jv *v)
{
	static const char *const words[] = { "true", "false", NULL };

	return value_is_bool(v) || value_is_one_of(v, words);
}

/* The text of a string, or of a number or word where the original takes one. */
static const char *text_of(const struct jv *v, char space[static 32])
{
	switch (jv_type(v)) {
	case JV_INT:
		(void)snprintf(space, 32, "%lld", (long long)jv_as_int(v, 0));
		return space;
	case JV_REAL:
		(void)snprintf(space, 32, "%.15g", jv_as_real(v, 0));
		return space;
	case JV_TRUE:
		return "true";
	case JV_FALSE:
		return "false";
	default:
		return jv_as_string(v);
	}
}

static bool is_text(const char *s, size_t max, const char *marks)
{
	size_t len = s ? strlen(s) : 0;

	if (len < 1 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(marks, s[i]))
			return false;
	return true;
}

static bool check_v(struct check *c ATTR_UNUSED, const struct jv *v)
{
	double n;

	return value_is_number(v, &n) && n >= 0;
}

static bool check_uuid(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return is_uuid(v);
}

static bool check_name(struct check *c ATTR_UNUSED, const struct jv *v)
{
	char space[32];

	return is_text(text_of(v, space), 1024, "._/ -");
}

static bool check_version(struct check *c ATTR_UNUSED, const struct jv *v)
{
	char space[32];

	return is_text(text_of(v, space), 512, "._/+-");
}

/* The original counts what has a length, and takes what has none. */
static bool check_description(struct check *c ATTR_UNUSED, const struct jv *v)
{
	const char *s = jv_as_string(v);

	return s ? value_length(s) <= 10240 : jv_type(v) != JV_NULL;
}

static bool check_url(struct check *c ATTR_UNUSED, const struct jv *v)
{
	const char *s = jv_as_string(v);

	if (!s || value_length(s) > 1024)
		return false;
	return strncasecmp(s, "http:", 5) == 0 || strncasecmp(s, "https:", 6) == 0;
}

static bool check_bool(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return is_bool_or_word(v);
}

static bool check_public(struct check *c, const struct jv *v)
{
	bool yes = jv_as_bool(v, false) ||
		   (jv_as_string(v) && strcmp(jv_as_string(v), "true") == 0);

	if (!is_bool_or_word(v))
		return false;
	if (c->mode == MANIFEST_PUBLIC && !yes)
		return false;
	return c->mode != MANIFEST_PRIVATE || !yes;
}

/* "YYYY-MM-DDTHH:MM:SS[.sss]Z", by its shape: month 13 is read, as ever. */
static bool check_date(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	const char *s = jv_as_string(v);
	size_t i;

	if (!s || !*s)
		return value_is_empty(v);
	for (i = 0; shape[i]; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != shape[i])
			return false;
	s += i;
	if (*s == '.')
		for (i = 0, s++; i < 3; i++, s++)
			if (!isdigit((unsigned char)*s))
				return false;
	return strcmp(s, "Z") == 0;
}

static bool check_state(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char *const words[] = { "active", "unactivated", "disabled",
					     "failed", "creating",    NULL };

	return value_is_one_of(v, words);
}

static bool check_error(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_type(v) == JV_OBJECT || jv_type(v) == JV_ARRAY || jv_type(v) == JV_NULL;
}

static bool check_type(struct check *c, const struct jv *v)
{
	static const char *const words[] = { "zone-dataset", "zvol",  "lx-dataset", "docker",
					     "lxd",          "other", NULL };
	static const char *const unready[] = { "creating", "failed", NULL };

	if (value_is_one_of(v, words))
		return true;
	return jv_as_string(v) && strcmp(jv_as_string(v), "null") == 0 &&
	       value_is_one_of(jv_get(c->m, "state"), unready);
}

static bool check_os(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char *const words[] = { "smartos", "linux", "windows", "bsd",
					     "illumos", "other", NULL };

	return value_is_one_of(v, words);
}

/* The original had SHA-1 alone; what comes from other kinds of sources has SHA-256 alone. */
static bool has_hash(const struct jv *file)
{
	return !value_is_empty(jv_get(file, "sha1")) ||
	       !value_is_empty(jv_get(file, "sha256")) ||
	       !value_is_empty(jv_get(file, "digest"));
}

/* Each member that is missing is told of. */
static void check_file(struct check *c, const struct jv *file)
{
	/* zstd is ours: the original had no such thing, and its readers refuse it */
	static const char *const words[] = { "gzip", "bzip2", "xz", "zstd", "none", NULL };

	if (!has_hash(file))
		manifest_complain(c, "files", "Invalid", "a file has no sha1");
	if (value_is_empty(jv_get(file, "size")))
		manifest_complain(c, "files", "Invalid", "a file has no size, or 0");
	if (!value_is_one_of(jv_get(file, "compression"), words))
		manifest_complain(c, "files", "Invalid",
				  "a file's compression is none, gzip, bzip2, xz or zstd");
}

static bool check_files(struct check *c, const struct jv *v)
{
	const char *type = jv_get_string(c->m, "type");
	size_t max = type && strcmp(type, "lxd") == 0 ? 2 : 1;

	if (jv_type(v) != JV_ARRAY || jv_len(v) > max)
		return false;
	for (size_t i = 0; i < jv_len(v); i++)
		check_file(c, jv_at(v, i));
	return true;
}

static bool check_acl(struct check *c ATTR_UNUSED, const struct jv *v)
{
	if (jv_type(v) != JV_ARRAY)
		return false;
	for (size_t i = 0; i < jv_len(v); i++)
		if (!is_uuid(jv_at(v, i)))
			return false;
	return true;
}

static bool is_user(const struct jv *item)
{
	static const char *const keys[] = { "name", NULL };

	return value_has_only(item, keys);
}

static bool check_users(struct check *c, const struct jv *v)
{
	return manifest_check_items(c, "users", v, is_user);
}

static bool is_billing_tag(const struct jv *item)
{
	return jv_as_string(item) && value_length(jv_as_string(item)) <= 128;
}

static bool check_billing_tags(struct check *c, const struct jv *v)
{
	return manifest_check_items(c, "billing_tags", v, is_billing_tag);
}

static bool is_trait(const struct jv *v)
{
	return jv_as_string(v) || value_is_bool(v) || jv_type(v) == JV_ARRAY;
}

static bool check_traits(struct check *c, const struct jv *v)
{
	if (jv_type(v) != JV_OBJECT)
		return manifest_check_items(c, "traits", v, is_trait);
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it))
		if (!is_trait(jv_iter_value(it)))
			manifest_complain(c, "traits", "Invalid", NULL);
	return true;
}

static bool check_tags(struct check *c ATTR_UNUSED, const struct jv *v)
{
	cleanup_free char *text = NULL;

	if (jv_type(v) != JV_OBJECT)
		return false;
	text = jv_dump(v, 0);
	return value_length(text) <= TAGS_MAX;
}

static bool has_type(const struct check *c, const char *type)
{
	const char *own = jv_get_string(c->m, "type");

	return own && strcmp(own, type) == 0;
}

static bool check_inherited(struct check *c, const struct jv *v)
{
	return has_type(c, "zone-dataset") &&
	       manifest_check_items(c, "inherited_directories", v, value_is_string);
}

static bool check_zvol_string(struct check *c, const struct jv *v)
{
	const char *s = jv_as_string(v);

	return s && (!*s || has_type(c, "zvol"));
}

static bool check_image_size(struct check *c, const struct jv *v)
{
	double n;

	if (value_is_empty(v))
		return true;
	return has_type(c, "zvol") && value_is_number(v, &n) && n >= floor(n) && n <= floor(n);
}

/* The servers whose rules these are have no channels; a host takes what one with channels says.
 */
static bool check_channels(struct check *c, const struct jv *v)
{
	return c->mode == MANIFEST_MINIMAL &&
	       manifest_check_items(c, "channels", v, value_is_string);
}

bool manifest_check_string(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_as_string(v);
}

/* ---- the table ------------------------------------------------------------ */

/* In the order in which those are told of that need not be there. */
/* clang-format off */
static const struct rule rules[] = {
	{ "v", check_v, ALWAYS },
	{ "uuid", check_uuid, ALWAYS },
	{ "urn", manifest_check_string, OPTIONAL },
	{ "owner", check_uuid, SERVER },
	{ "name", check_name, ALWAYS },
	{ "version", check_version, ALWAYS },
	{ "description", check_description, OPTIONAL },
	{ "homepage", check_url, OPTIONAL },
	{ "eula", check_url, OPTIONAL },
	{ "disabled", check_bool, SERVER },
	{ "activated", check_bool, SERVER },
	{ "published_at", check_date, SERVER_ACTIVE },
	{ "state", check_state, SERVER },
	{ "public", check_public, SERVER },
	{ "type", check_type, ALWAYS },
	{ "os", check_os, ALWAYS },
	{ "origin", check_uuid, OPTIONAL },
	{ "error", check_error, OPTIONAL },
	{ "files", check_files, SERVER_ACTIVE },
	{ "icon", check_bool, OPTIONAL },
	{ "acl", check_acl, OPTIONAL },
	{ "requirements", manifest_check_requirements, OPTIONAL },
	{ "users", check_users, OPTIONAL },
	{ "billing_tags", check_billing_tags, OPTIONAL },
	{ "traits", check_traits, OPTIONAL },
	{ "tags", check_tags, OPTIONAL },
	{ "generate_passwords", check_bool, OPTIONAL },
	{ "inherited_directories", check_inherited, OPTIONAL },
	{ "nic_driver", check_zvol_string, SERVER_ZVOL },
	{ "disk_driver", check_zvol_string, SERVER_ZVOL },
	{ "cpu_type", check_zvol_string, SERVER_ZVOL },
	{ "image_size", check_image_size, SERVER_ZVOL },
	{ "channels", check_channels, OPTIONAL },
};

/* The others come first, in an order of their own. */
static const char *const required_order[] = {
	"v", "uuid", "owner", "name", "version", "disabled", "activated", "published_at",
	"public", "state", "type", "os", "files", "nic_driver", "disk_driver", "cpu_type",
	"image_size",
};
/* clang-format on */

static const struct rule *rule_of(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].field, field) == 0)
			return &rules[i];
	return NULL;
}

/* Is the field among the first ones? That it must be there is another question. */
static bool comes_first(const struct check *c, const struct rule *rule)
{
	return rule->need == ALWAYS || (rule->need != OPTIONAL && c->mode != MANIFEST_MINIMAL);
}

static bool is_required(const struct check *c, const struct rule *rule)
{
	switch (rule->need) {
	case SERVER_ZVOL:
		return has_type(c, "zvol");
	case SERVER_ACTIVE:
		return jv_get_bool(c->m, "activated", false);
	default:
		return true;
	}
}

static void check_value(struct check *c, const struct rule *rule)
{
	const struct jv *value = jv_get(c->m, rule->field);

	if (value && !rule->check(c, value))
		manifest_complain(c, rule->field, "Invalid", NULL);
}

static void check_required(struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(required_order); i++) {
		const struct rule *rule = rule_of(required_order[i]);

		if (!rule || !comes_first(c, rule))
			continue;
		if (!jv_get(c->m, rule->field) && is_required(c, rule))
			manifest_complain(c, rule->field, "MissingParameter", NULL);
		check_value(c, rule);
	}
}

static void check_optional(struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (!comes_first(c, &rules[i]))
			check_value(c, &rules[i]);
}

static void check_unknown(struct check *c)
{
	for (void *it = jv_iter(c->m); it; it = jv_iter_next(c->m, it))
		if (!rule_of(jv_iter_key(it)))
			manifest_complain(c, jv_iter_key(it), "Invalid", "unknown field");
}

bool manifest_check(const struct jv *m, enum manifest_mode mode,
		    struct manifest_problems *ret_problems)
{
	struct check c = { .m = m, .mode = mode, .out = ret_problems };

	ret_problems->count = 0;
	check_required(&c);
	check_optional(&c);
	check_unknown(&c);
	return ret_problems->count == 0;
}
