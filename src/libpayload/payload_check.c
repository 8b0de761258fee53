/* SPDX-License-Identifier: MIT */
/*
 * Each property by itself: is it allowed, has its value the right type and size.
 * Values come out in their own type ("512" as 512, "a,b" as a list), so that
 * everything behind this needs to know one form only.
 */
#include "libpayload/payload.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL_EXACT 9007199254740992.0 /* 2^53: below it a double holds every whole number */

struct check {
	enum brand brand;
	enum prop_action action;
	struct problems *ps;
};

/* Where we are: the table's name and the JSON pointer of a value. */
struct place {
	const struct prop *prop;
	const char *name;
	const char *pointer;
};

static void bad_value(struct check *c, const struct place *at, const char *rule)
{
	problems_add(c->ps, PROBLEM_VALUE, at->name, at->pointer, "must be %s", rule);
}

/* KEY as one step of a JSON pointer (RFC 6901). The caller frees. */
static char *pointer_add(const char *pointer, const char *key)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_adds(&b, pointer);
	buf_addc(&b, '/');
	for (; *key; key++) {
		if (*key == '~')
			buf_adds(&b, "~0");
		else if (*key == '/')
			buf_adds(&b, "~1");
		else
			buf_addc(&b, *key);
	}
	return xstrdup(buf_str(&b));
}

/* Each check_TYPE returns the value in its own type, new, or NULL with the problem told. */

static struct jv *check_boolean(struct check *c, const struct place *at, const struct jv *v)
{
	const char *s = jv_as_string(v);

	if (jv_type(v) == JV_TRUE || jv_type(v) == JV_FALSE)
		return jv_bool(jv_type(v) == JV_TRUE);
	if (s && (strcmp(s, "true") == 0 || strcmp(s, "false") == 0))
		return jv_bool(*s == 't');
	if ((jv_type(v) == JV_INT && jv_as_int(v, 0) == 1) || (s && strcmp(s, "1") == 0)) {
		problems_add(c->ps, PROBLEM_NOTE, at->name, at->pointer,
			     "1 is taken as true; write true");
		return jv_bool(true);
	}
	bad_value(c, at, "true or false");
	return NULL;
}

static bool integer_from_text(const char *s, int64_t *ret)
{
	char *end;
	long long n;

	if (!*s || strlen(s) > 20 || strspn(s, "-0123456789") != strlen(s))
		return false;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno || *end)
		return false;
	*ret = n;
	return true;
}

static bool integer_from_real(double d, int64_t *ret)
{
	if (!(d > -REAL_EXACT && d < REAL_EXACT) || (double)(int64_t)d != d)
		return false;
	*ret = (int64_t)d;
	return true;
}

static struct jv *check_integer(struct check *c, const struct place *at, const struct jv *v)
{
	const struct prop *p = at->prop;
	const char *s = jv_as_string(v);
	int64_t n;
	char rule[96];

	if (jv_type(v) == JV_INT)
		n = jv_as_int(v, 0);
	else if (jv_type(v) == JV_REAL && integer_from_real(jv_as_real(v, 0), &n))
		; /* 512.0: people's scripts write whole numbers so */
	else if (!s || !integer_from_text(s, &n)) {
		bad_value(c, at, "a whole number");
		return NULL;
	}
	if (p->bounded && (n < p->min || n > p->max)) {
		if (p->max == INT64_MAX)
			(void)snprintf(rule, sizeof(rule), "a whole number from %" PRId64,
				       p->min);
		else
			(void)snprintf(rule, sizeof(rule),
				       "a whole number from %" PRId64 " to %" PRId64, p->min,
				       p->max);
		bad_value(c, at, rule);
		return NULL;
	}
	return jv_int(n);
}

static struct jv *check_string(struct check *c, const struct place *at, const struct jv *v)
{
	const char *s = jv_as_string(v);
	const char *rule = NULL;

	if (!s)
		rule = "a string";
	else if (at->prop->type == PROP_UUID && !uuid_is_valid(s))
		rule = "a UUID in lower case, 8-4-4-4-12 hex digits";
	else if (at->prop->type == PROP_ZPOOL && strcmp(s, "zones") != 0)
		rule = "'zones', the only pool";
	else if (at->prop->check)
		rule = at->prop->check(s);
	if (rule) {
		bad_value(c, at, rule);
		return NULL;
	}
	return jv_string(s);
}

/* One member of a list: a string that its check accepts; numbers (ports) stay numbers. */
static bool check_member(struct check *c, const struct place *at, const struct jv *v)
{
	const char *s = jv_as_string(v);
	const char *rule = NULL;

	if (jv_type(v) == JV_INT && !at->prop->check)
		return true;
	if (!s)
		rule = "a string";
	else if (at->prop->check)
		rule = at->prop->check(s);
	if (rule)
		bad_value(c, at, rule);
	return !rule;
}

/* "a,b" as an array, for the top level alone. "" is the empty one. */
static struct jv *split_list(const char *s)
{
	struct jv *list = jv_array();

	while (*s) {
		size_t len = strcspn(s, ",");
		cleanup_free char *word = xstrndup(s, len);

		if (len)
			jv_push(list, jv_string(word));
		s += len + (s[len] == ',');
	}
	return list;
}

static struct jv *check_list(struct check *c, const struct place *at, const struct jv *v)
{
	cleanup_jv struct jv *list = NULL;
	bool top = !strstr(at->name, ".*.");
	bool good = true;

	if (jv_type(v) == JV_ARRAY)
		list = jv_copy(v);
	else if (top && jv_as_string(v))
		list = split_list(jv_as_string(v));
	else {
		bad_value(c, at, top ? "an array or words joined by commas" : "an array");
		return NULL;
	}
	if (jv_len(list) > PAYLOAD_LIST_MAX) {
		bad_value(c, at, "an array of at most 1024 members");
		return NULL;
	}
	for (size_t i = 0; i < jv_len(list); i++) {
		cleanup_free char *pointer = xasprintf("%s/%zu", at->pointer, i);
		struct place member = { at->prop, at->name, pointer };

		good &= check_member(c, &member, jv_at(list, i));
	}
	return good ? take_ptr(list) : NULL;
}

static struct jv *check_flat(struct check *c, const struct place *at, const struct jv *v)
{
	bool good = true;

	if (jv_type(v) != JV_OBJECT) {
		bad_value(c, at, "an object");
		return NULL;
	}
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		enum jv_type type = jv_type(jv_iter_value(it));
		cleanup_free char *pointer = pointer_add(at->pointer, jv_iter_key(it));
		struct place member = { at->prop, at->name, pointer };

		if (type != JV_NULL && type != JV_ARRAY && type != JV_OBJECT)
			continue;
		bad_value(c, &member, "a string, a number or a boolean");
		good = false;
	}
	return good ? jv_copy(v) : NULL;
}

static struct jv *check_value(struct check *c, const struct place *at, const struct jv *v);

/* One member KEY of an object of the array PARENT, put into OUT. */
static void check_object_member(struct check *c, const char *parent, const char *pointer,
				const char *key, const struct jv *v, struct jv *out)
{
	cleanup_free char *name = xasprintf("%s.*.%s", parent, key);
	cleanup_free char *where = pointer_add(pointer, key);
	const struct prop *p = prop_find(name);
	struct place at = { p, name, where };
	struct jv *value;

	if (!p || !prop_allowed(p, c->brand, c->action)) {
		problems_add(c->ps, PROBLEM_UNKNOWN, name, where, "is not a property of %s VMs",
			     brand_name(c->brand));
		return;
	}
	if (jv_type(v) == JV_NULL)
		return;
	value = check_value(c, &at, v);
	if (value)
		jv_set(out, key, value);
}

static struct jv *check_objects(struct check *c, const struct place *at, const struct jv *v)
{
	const char *members = at->prop->check_as ? at->prop->check_as : at->name;
	/* What an update adds is new, so it may hold what can be given once only. */
	bool adds = c->action == PROP_UPDATE && strncmp(at->name, "add_", 4) == 0;
	struct check inner = { c->brand, adds ? PROP_CREATE : c->action, c->ps };
	cleanup_jv struct jv *out = NULL;

	if (jv_type(v) != JV_ARRAY) {
		bad_value(c, at, "an array of objects");
		return NULL;
	}
	if (jv_len(v) > PAYLOAD_NICS_MAX) {
		bad_value(c, at, "an array of at most 32 objects");
		return NULL;
	}
	out = jv_array();
	for (size_t i = 0; i < jv_len(v); i++) {
		const struct jv *item = jv_at(v, i);
		cleanup_free char *pointer = xasprintf("%s/%zu", at->pointer, i);
		struct place member = { at->prop, at->name, pointer };
		struct jv *object;

		if (jv_type(item) != JV_OBJECT) {
			bad_value(c, &member, "an object");
			continue;
		}
		object = jv_object();
		for (void *it = jv_iter(item); it; it = jv_iter_next(item, it))
			check_object_member(&inner, members, pointer, jv_iter_key(it),
					    jv_iter_value(it), object);
		jv_push(out, object);
	}
	return take_ptr(out);
}

static struct jv *convert(struct check *c, const struct place *at, const struct jv *v)
{
	switch (at->prop->type) {
	case PROP_BOOLEAN:
		return check_boolean(c, at, v);
	case PROP_INTEGER:
		return check_integer(c, at, v);
	case PROP_LIST:
		return check_list(c, at, v);
	case PROP_FLAT:
		return check_flat(c, at, v);
	case PROP_OBJECTS:
		return check_objects(c, at, v);
	default:
		return check_string(c, at, v);
	}
}

/* Off, nothing and none ask for nothing, so nothing is missed. */
static bool asks_for_something(const struct jv *v)
{
	switch (jv_type(v)) {
	case JV_FALSE:
	case JV_NULL:
		return false;
	case JV_INT:
		return jv_as_int(v, 0) != 0;
	case JV_STRING:
		return *jv_as_string(v);
	case JV_ARRAY:
	case JV_OBJECT:
		return jv_len(v) > 0;
	default:
		return true;
	}
}

static struct jv *check_value(struct check *c, const struct place *at, const struct jv *v)
{
	struct jv *value = convert(c, at, v);

	if (value && at->prop->not_held && asks_for_something(value))
		problems_add(c->ps, PROBLEM_NOTE, at->name, at->pointer,
			     "is stored and has no effect here: %s", at->prop->not_held);
	return value;
}

/*
 * null, and "" for a number or a text, take a property away: it gets its default
 * again, except quota, which is 0 then.
 */
static bool is_unset(const struct prop *p, const struct jv *v)
{
	const char *s = jv_as_string(v);

	if (jv_type(v) == JV_NULL)
		return true;
	return s && !*s && (p->type == PROP_INTEGER || p->type == PROP_STRING);
}

/*
 * What the original drops with an array that is not for this brand, it names one
 * by one: "disks", then "disks.*.size" and so on.
 */
static void unknown_members(struct check *c, const char *key, const struct jv *v)
{
	const struct prop *p = prop_find(key);
	const char *parent = p && p->check_as ? p->check_as : key;

	for (size_t i = 0; p && p->type == PROP_OBJECTS && i < jv_len(v); i++) {
		const struct jv *item = jv_at(v, i);

		for (void *it = jv_iter(item); it; it = jv_iter_next(item, it)) {
			cleanup_free char *name = xasprintf("%s.*.%s", parent, jv_iter_key(it));
			const struct prop *member = prop_find(name);

			if (member && prop_allowed(member, c->brand, c->action))
				continue;
			problems_add(c->ps, PROBLEM_UNKNOWN, name, key,
				     "is not a property of %s VMs", brand_name(c->brand));
		}
	}
}

struct jv *payload_check(const struct jv *payload, enum brand brand, enum prop_action action,
			 struct problems *ps)
{
	struct check c = { brand, action, ps };
	struct jv *out = jv_object();

	for (void *it = jv_iter(payload); it; it = jv_iter_next(payload, it)) {
		const char *key = jv_iter_key(it);
		const struct jv *v = jv_iter_value(it);
		cleanup_free char *pointer = pointer_add("", key);
		const struct prop *p = strstr(key, ".*.") ? NULL : prop_find(key);
		struct place at = { p, key, pointer };
		struct jv *value;

		if (!p || !prop_allowed(p, brand, action)) {
			problems_add(ps, PROBLEM_UNKNOWN, key, pointer,
				     "is not a property of %s VMs here", brand_name(brand));
			unknown_members(&c, key, v);
			continue;
		}
		if (is_unset(p, v)) {
			if (strcmp(key, "quota") == 0)
				jv_set(out, key, jv_int(0));
			continue;
		}
		value = check_value(&c, &at, v);
		if (value)
			jv_set(out, key, value);
	}
	return out;
}
