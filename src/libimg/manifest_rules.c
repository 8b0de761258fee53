/* SPDX-License-Identifier: MIT */
/*
 * manifest_rules.c - one row a field: what it must be, and when it must be there.
 */
#include "libimg/manifest.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TAGS_MAX 102400 /* bytes as JSON */

struct check {
	const struct jv *m;
	enum manifest_mode mode;
	struct manifest_problems *out;
};

/* True when VALUE is right. A check that says more itself returns true. */
typedef bool check_fn(struct check *c, const struct jv *value);

static void complain(struct check *c, const char *field, const char *code, const char *msg)
{
	struct manifest_problem *p;

	if (c->out->count == MANIFEST_PROBLEMS_MAX)
		return;
	p = &c->out->items[c->out->count++];
	(void)snprintf(p->field, sizeof(p->field), "%s", field);
	(void)snprintf(p->msg, sizeof(p->msg), "%s", msg ? msg : "");
	/* Field names may be foreign: they are shown. */
	for (unsigned char *s = (unsigned char *)p->field; *s; s++)
		if (iscntrl(*s))
			*s = '?';
	p->code = code;
}

static bool is_one_of(const struct jv *v, const char *const words[])
{
	const char *s = jv_as_string(v);

	for (size_t i = 0; s && words[i]; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

static bool is_array_of_strings(const struct jv *v)
{
	if (jv_type(v) != JV_ARRAY)
		return false;
	for (size_t i = 0; i < jv_len(v); i++)
		if (!jv_as_string(jv_at(v, i)))
			return false;
	return true;
}

static bool is_uuid(const struct jv *v)
{
	return jv_as_string(v) && uuid_is_valid(jv_as_string(v));
}

static bool is_bool(const struct jv *v)
{
	return jv_type(v) == JV_TRUE || jv_type(v) == JV_FALSE;
}

static bool is_bool_or_word(const struct jv *v)
{
	static const char *const words[] = { "true", "false", NULL };

	return is_bool(v) || is_one_of(v, words);
}

/* The text of a string, or of a number where the original takes one. */
static const char *text_of(const struct jv *v, char space[static 32])
{
	if (jv_type(v) != JV_INT)
		return jv_as_string(v);
	(void)snprintf(space, 32, "%lld", (long long)jv_as_int(v, 0));
	return space;
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

/* ---- one function a kind -------------------------------------------------- */

static bool check_v(struct check *c ATTR_UNUSED, const struct jv *v)
{
	const char *s = jv_as_string(v);
	char *end;

	if (jv_type(v) == JV_INT)
		return jv_as_int(v, -1) >= 0;
	return s && isdigit((unsigned char)*s) && (strtoull(s, &end, 10), !*end);
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

static bool check_description(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_as_string(v) && strlen(jv_as_string(v)) <= 10240;
}

static bool check_url(struct check *c ATTR_UNUSED, const struct jv *v)
{
	const char *s = jv_as_string(v);

	if (!s || strlen(s) > 1024)
		return false;
	return (strncmp(s, "http://", 7) == 0 && s[7]) ||
	       (strncmp(s, "https://", 8) == 0 && s[8]);
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

	if (!s)
		return false;
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

	return is_one_of(v, words);
}

static bool check_object(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_type(v) == JV_OBJECT;
}

static bool check_type(struct check *c, const struct jv *v)
{
	static const char *const words[] = { "zone-dataset", "zvol",  "lx-dataset", "docker",
					     "lxd",          "other", NULL };
	static const char *const unready[] = { "creating", "failed", NULL };

	if (is_one_of(v, words))
		return true;
	return (jv_type(v) == JV_NULL ||
		(jv_as_string(v) && strcmp(jv_as_string(v), "null") == 0)) &&
	       is_one_of(jv_get(c->m, "state"), unready);
}

static bool check_os(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char *const words[] = { "smartos", "linux", "windows", "bsd",
					     "illumos", "other", NULL };

	return is_one_of(v, words);
}

/* The original had SHA-1 alone; what comes from other kinds of sources has SHA-256 alone. */
static bool has_hash(const struct jv *file)
{
	return jv_get(file, "sha1") || jv_get_string(file, "sha256") ||
	       jv_get_string(file, "digest");
}

static bool check_files(struct check *c, const struct jv *v)
{
	/* zstd is ours: the original had no such thing, and its readers refuse it */
	static const char *const words[] = { "gzip", "bzip2", "xz", "zstd", "none", NULL };
	const char *type = jv_get_string(c->m, "type");
	size_t max = type && strcmp(type, "lxd") == 0 ? 2 : 1;

	if (jv_type(v) != JV_ARRAY || jv_len(v) > max)
		return false;
	for (size_t i = 0; i < jv_len(v); i++) {
		const struct jv *f = jv_at(v, i);

		if (!has_hash(f) || !jv_get(f, "size") ||
		    !is_one_of(jv_get(f, "compression"), words))
			return false;
	}
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

/* Every item has exactly the members of KEYS. */
static bool is_array_of(const struct jv *v, const char *const keys[])
{
	if (jv_type(v) != JV_ARRAY)
		return false;
	for (size_t i = 0; i < jv_len(v); i++) {
		const struct jv *item = jv_at(v, i);
		size_t n = 0;

		if (jv_type(item) != JV_OBJECT)
			return false;
		for (; keys[n]; n++)
			if (!jv_get_string(item, keys[n]))
				return false;
		if (jv_len(item) != n)
			return false;
	}
	return true;
}

static bool check_users(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char *const keys[] = { "name", NULL };

	return is_array_of(v, keys);
}

static bool check_billing_tags(struct check *c ATTR_UNUSED, const struct jv *v)
{
	if (!is_array_of_strings(v))
		return false;
	for (size_t i = 0; i < jv_len(v); i++)
		if (strlen(jv_as_string(jv_at(v, i))) > 128)
			return false;
	return true;
}

static bool check_traits(struct check *c ATTR_UNUSED, const struct jv *v)
{
	if (jv_type(v) != JV_OBJECT)
		return false;
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		const struct jv *t = jv_iter_value(it);

		if (!jv_as_string(t) && !is_bool(t) && jv_type(t) != JV_ARRAY)
			return false;
	}
	return true;
}

static bool check_tags(struct check *c ATTR_UNUSED, const struct jv *v)
{
	cleanup_free char *text = NULL;

	if (jv_type(v) != JV_OBJECT)
		return false;
	text = jv_dump(v, 0);
	return strlen(text) <= TAGS_MAX;
}

static bool has_type(const struct check *c, const char *type)
{
	const char *own = jv_get_string(c->m, "type");

	return own && strcmp(own, type) == 0;
}

static bool check_inherited(struct check *c, const struct jv *v)
{
	return has_type(c, "zone-dataset") && is_array_of_strings(v);
}

static bool check_zvol_string(struct check *c, const struct jv *v)
{
	return has_type(c, "zvol") && jv_as_string(v);
}

static bool check_image_size(struct check *c, const struct jv *v)
{
	const char *s = jv_as_string(v);
	char *end;

	if (!has_type(c, "zvol"))
		return false;
	if (jv_type(v) == JV_INT)
		return true;
	return s && *s && (strtoll(s, &end, 10), !*end);
}

static bool check_strings(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return is_array_of_strings(v);
}

static bool check_string(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_as_string(v);
}

/* ---- requirements --------------------------------------------------------- */

static bool req_networks(struct check *c ATTR_UNUSED, const struct jv *v)
{
	static const char *const keys[] = { "name", "description", NULL };

	return is_array_of(v, keys);
}

static bool req_bool(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return is_bool(v);
}

static bool req_ram(struct check *c ATTR_UNUSED, const struct jv *v)
{
	return jv_type(v) == JV_INT;
}

static bool req_max_ram(struct check *c, const struct jv *v)
{
	const struct jv *min = jv_get(jv_get(c->m, "requirements"), "min_ram");

	if (jv_type(v) != JV_INT)
		return false;
	return jv_type(min) != JV_INT || jv_as_int(min, 0) <= jv_as_int(v, 0);
}

/* Values like 20141030T081701Z, from 2012 on. */
static bool req_platform(struct check *c ATTR_UNUSED, const struct jv *v)
{
	if (jv_type(v) != JV_OBJECT || jv_len(v) == 0)
		return false;
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		const char *s = jv_as_string(jv_iter_value(it));

		if (!s || strlen(s) != 16 || s[8] != 'T' || s[15] != 'Z')
			return false;
		for (size_t i = 0; i < 15; i++)
			if (i != 8 && !isdigit((unsigned char)s[i]))
				return false;
		if (strncmp(s, "2012", 4) < 0)
			return false;
	}
	return true;
}

static bool req_bootrom(struct check *c, const struct jv *v)
{
	static const char *const words[] = { "bios", "uefi", NULL };
	const struct jv *brand = jv_get(jv_get(c->m, "requirements"), "brand");

	if (!brand) {
		complain(c, "requirements.bootrom", "MissingParameter",
			 "bootrom needs requirements.brand");
		return true;
	}
	return jv_as_string(brand) && strcmp(jv_as_string(brand), "bhyve") == 0 &&
	       is_one_of(v, words);
}

struct rule {
	const char *field;
	check_fn *check;
	/* Required: always; by servers; by servers and zvols */
	enum { OPTIONAL, ALWAYS, SERVER, SERVER_ZVOL, SERVER_ACTIVE } need;
};

static const struct rule requirement_rules[] = {
	{ "networks", req_networks, OPTIONAL },     { "brand", check_string, OPTIONAL },
	{ "ssh_key", req_bool, OPTIONAL },          { "min_ram", req_ram, OPTIONAL },
	{ "max_ram", req_max_ram, OPTIONAL },       { "min_platform", req_platform, OPTIONAL },
	{ "max_platform", req_platform, OPTIONAL }, { "bootrom", req_bootrom, OPTIONAL },
};

static bool check_requirements(struct check *c, const struct jv *v)
{
	char field[96];

	if (jv_type(v) != JV_OBJECT)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(requirement_rules); i++) {
		const struct rule *rule = &requirement_rules[i];
		const struct jv *value = jv_get(v, rule->field);

		(void)snprintf(field, sizeof(field), "requirements.%s", rule->field);
		if (value && !rule->check(c, value))
			complain(c, field, "Invalid", NULL);
	}
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(requirement_rules) &&
		       strcmp(requirement_rules[i].field, jv_iter_key(it)) != 0)
			i++;
		if (i == ARRAY_SIZE(requirement_rules))
			complain(c, jv_iter_key(it), "Invalid", NULL);
	}
	return true;
}

/* ---- the table ------------------------------------------------------------ */

/* clang-format off */
static const struct rule rules[] = {
	{ "v", check_v, ALWAYS },
	{ "uuid", check_uuid, ALWAYS },
	{ "owner", check_uuid, SERVER },
	{ "name", check_name, ALWAYS },
	{ "version", check_version, ALWAYS },
	{ "description", check_description, OPTIONAL },
	{ "homepage", check_url, OPTIONAL },
	{ "eula", check_url, OPTIONAL },
	{ "icon", check_bool, OPTIONAL },
	{ "error", check_object, OPTIONAL },
	{ "disabled", check_bool, SERVER },
	{ "activated", check_bool, SERVER },
	{ "public", check_public, SERVER },
	{ "published_at", check_date, SERVER_ACTIVE },
	{ "state", check_state, SERVER },
	{ "type", check_type, ALWAYS },
	{ "os", check_os, ALWAYS },
	{ "origin", check_uuid, OPTIONAL },
	{ "files", check_files, SERVER_ACTIVE },
	{ "acl", check_acl, OPTIONAL },
	{ "requirements", check_requirements, OPTIONAL },
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
	{ "channels", check_strings, OPTIONAL },
	{ "urn", check_string, OPTIONAL },
};
/* clang-format on */

static bool is_required(const struct check *c, const struct rule *rule)
{
	bool server = c->mode != MANIFEST_MINIMAL;

	switch (rule->need) {
	case ALWAYS:
		return true;
	case SERVER:
		return server;
	case SERVER_ZVOL:
		return server && has_type(c, "zvol");
	case SERVER_ACTIVE:
		return server && jv_get_bool(c->m, "activated", false);
	default:
		return false;
	}
}

static void check_rules(struct check *c, bool required)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct jv *value = jv_get(c->m, rules[i].field);

		if (is_required(c, &rules[i]) != required)
			continue;
		if (!value && required)
			complain(c, rules[i].field, "MissingParameter", NULL);
		else if (value && !rules[i].check(c, value))
			complain(c, rules[i].field, "Invalid", NULL);
	}
}

static void check_unknown(struct check *c)
{
	for (void *it = jv_iter(c->m); it; it = jv_iter_next(c->m, it)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(rules) && strcmp(rules[i].field, jv_iter_key(it)) != 0)
			i++;
		if (i == ARRAY_SIZE(rules))
			complain(c, jv_iter_key(it), "Invalid", "unknown field");
	}
}

bool manifest_check(const struct jv *m, enum manifest_mode mode,
		    struct manifest_problems *ret_problems)
{
	struct check c = { .m = m, .mode = mode, .out = ret_problems };

	ret_problems->count = 0;
	check_rules(&c, true);
	check_rules(&c, false);
	check_unknown(&c);
	return ret_problems->count == 0;
}
