/* SPDX-License-Identifier: MIT */
#include "libquery/vm_query.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libnet/address.h"
#include "libquery/js_regex.h"
#include "libpayload/prop.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define UUID_PREFIX_LEAST 8

struct term {
	char *key;
	char *value;
	bool is_prefix;         /* of the UUID */
	struct js_regex *regex; /* NULL: it is none */
};

struct vm_filter {
	struct term *terms;
	size_t count;
};

/* "nics.X.K", X a number or '*': is "nics.*.K" a key? */
static bool is_array_key(const char *key)
{
	const char *first = strchr(key, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	cleanup_free char *name = NULL;
	const struct prop *p;
	size_t digits;

	if (!second)
		return false;
	digits = strspn(first + 1, "0123456789");
	if (!(first[1] == '*' && second == first + 2) &&
	    !(digits > 0 && first + 1 + digits == second))
		return false;
	name = xasprintf("%.*s.*%s", (int)(first - key), key, second);
	p = prop_find(name);
	return p && p->filter;
}

static bool is_map_key(const char *key)
{
	static const char *const maps[] = { "tags.", "customer_metadata.",
					    "internal_metadata." };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (strncmp(key, maps[i], strlen(maps[i])) == 0)
			return key[strlen(maps[i])];
	return false;
}

static bool is_key(const char *key)
{
	const struct prop *p = prop_find(key);

	if (p && !strchr(key, '*'))
		return p->header;
	return is_map_key(key) || is_array_key(key);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), elen = strlen(end);

	return len >= elen && strcmp(text + len - elen, end) == 0;
}

/* UUIDs are the same in capitals; records have them small. */
static char *lower(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* Values that are written in more than one way get the one that is kept. */
static char *normal_value(const char *key, const char *value)
{
	const struct prop *p = prop_find(key);
	char mac[MAC_STR];

	if (p && p->type == PROP_UUID)
		return lower(value);
	if (ends_with(key, ".mac") && mac_normalise(value, mac, NULL) == 0)
		return xstrdup(mac);
	if (strcmp(key, "type") == 0 && strcmp(value, "BHYVE") == 0)
		return xstrdup("BHYV");
	return xstrdup(value);
}

/* A word without '=' that begins a UUID. */
static bool is_uuid_prefix(const char *word)
{
	static const char shape[] = "00000000-0000-4000-8000-000000000000";
	char whole[UUID_STR];
	size_t len = strlen(word);

	if (len < UUID_PREFIX_LEAST || len > UUID_LEN)
		return false;
	(void)snprintf(whole, sizeof(whole), "%s%s", word, shape + len);
	for (char *c = whole; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return uuid_is_valid(whole);
}

static int parse_word(const char *word, const char *action, struct term *t, struct err *e)
{
	const char *equals = strchr(word, '=');

	if (!equals && is_uuid_prefix(word)) {
		t->key = xstrdup("uuid");
		t->value = lower(word);
		t->is_prefix = true;
		return 0;
	}
	t->key = equals ? xstrndup(word, (size_t)(equals - word)) : xstrdup(word);
	if (!is_key(t->key))
		return err_set(e, -EINVAL, "Invalid %s key: \"%s\"", action, t->key);
	if (equals && equals[1] == '~')
		return js_regex_compile(equals + 2, &t->regex, e);
	t->value = normal_value(t->key, equals ? equals + 1 : "");
	return 0;
}

static void term_done(struct term *t)
{
	free(t->key);
	free(t->value);
	js_regex_free(t->regex);
	*t = (struct term){ 0 };
}

/* The same key again: the later word counts. */
static void drop_earlier(struct vm_filter *f, const char *key)
{
	for (size_t i = 0; i < f->count; i++) {
		if (strcmp(f->terms[i].key, key) != 0)
			continue;
		term_done(&f->terms[i]);
		f->terms[i] = f->terms[--f->count];
		return;
	}
}

int vm_filter_new(const char *const *words, size_t count, const char *action,
		  struct vm_filter **ret, struct err *e)
{
	cleanup_vm_filter struct vm_filter *f = xcalloc(1, sizeof(*f));

	f->terms = xcalloc(count + 1, sizeof(*f->terms));
	for (size_t i = 0; i < count; i++) {
		struct term t = { 0 };
		int r = parse_word(words[i], action, &t, e);

		if (r < 0) {
			term_done(&t);
			return r;
		}
		drop_earlier(f, t.key);
		f->terms[f->count++] = t;
	}
	*ret = take_ptr(f);
	return 0;
}

void vm_filter_free(struct vm_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		term_done(&f->terms[i]);
	free(f->terms);
	free(f);
}

void vm_filter_free_p(struct vm_filter **f)
{
	vm_filter_free(*f);
	*f = NULL;
}

void vm_filter_need(const struct vm_filter *f, struct vm_needs *n)
{
	for (size_t i = 0; i < f->count; i++)
		vm_needs_add(n, f->terms[i].key);
}

static bool value_matches(const struct term *t, const struct jv *value)
{
	char buf[32];
	const char *text;

	if (!value)
		return false;
	text = jv_type(value) == JV_FALSE ? "false" : vm_value_text(value, buf);
	if (t->regex)
		return js_regex_finds(t->regex, text);
	if (t->is_prefix)
		return strncmp(text, t->value, strlen(t->value)) == 0;
	return *t->value && strcmp(text, t->value) == 0;
}

/* "nics.*.ip": does any of them match? */
static bool any_matches(const struct term *t, const struct jv *vm)
{
	size_t prefix = strcspn(t->key, ".");
	cleanup_free char *name = xstrndup(t->key, prefix);
	const struct jv *array = jv_get(vm, name);

	for (size_t i = 0; i < jv_len(array); i++)
		if (value_matches(t, jv_get(jv_at(array, i), t->key + prefix + 3)))
			return true;
	return false;
}

bool vm_filter_match(const struct vm_filter *f, const struct jv *vm)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct term *t = &f->terms[i];
		bool any = strstr(t->key, ".*.") && !is_map_key(t->key);

		if (!(any ? any_matches(t, vm) : value_matches(t, vm_value(vm, t->key))))
			return false;
	}
	return true;
}
