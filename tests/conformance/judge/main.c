/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void judge_agree(const char *name)
{
	printf("agree %s\n", name);
}

void judge_listed(const char *rule, const char *name)
{
	printf("listed %s %s\n", rule, name);
}

void judge_differ(const char *name, const char *fmt, ...)
{
	va_list ap;

	printf("differ %s: ", name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* "<random mac>", "<random uuid>", ...: anything. */
static bool is_wildcard(const char *text)
{
	return strncmp(text, "<random", 7) == 0;
}

bool judge_same_text(const char *want, const char *have)
{
	while (*want) {
		if (is_wildcard(want)) {
			const char *after = strchr(want, '>');

			want = after ? after + 1 : want + strlen(want);
			have += *want ? strcspn(have, (char[]){ *want, '\0' }) : strlen(have);
			continue;
		}
		if (*want++ != *have++)
			return false;
	}
	return *have == '\0';
}

static bool is_number(const struct jv *v, double *ret)
{
	const char *s = jv_as_string(v);
	char *end;

	if (jv_type(v) == JV_INT || jv_type(v) == JV_REAL) {
		*ret = jv_as_real(v, 0);
		return true;
	}
	if (!s || !*s)
		return false;
	*ret = strtod(s, &end);
	return *end == '\0';
}

/* "" and "none" in a payload take the property away. */
static bool says_absent(const struct jv *want)
{
	const char *s = jv_as_string(want);

	return jv_type(want) == JV_NULL || (s && (!*s || strcmp(s, "none") == 0));
}

static char *join(const struct jv *list)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < jv_len(list); i++) {
		cleanup_free char *old = text;

		text = xasprintf("%s%s%s", old, i ? "," : "",
				 jv_as_string(jv_at(list, i)) ? jv_as_string(jv_at(list, i))
							      : "?");
	}
	return text;
}

static char *covers_members(const struct jv *want, const struct jv *have, const char *path)
{
	for (void *it = jv_iter(want); it; it = jv_iter_next(want, it)) {
		cleanup_free char *below = xasprintf("%s.%s", path, jv_iter_key(it));
		char *why =
			judge_covers(jv_iter_value(it), jv_get(have, jv_iter_key(it)), below);

		if (why)
			return why;
	}
	return NULL;
}

static char *covers_items(const struct jv *want, const struct jv *have, const char *path)
{
	if (jv_len(want) != jv_len(have))
		return xstrdup(path);
	for (size_t i = 0; i < jv_len(want); i++) {
		cleanup_free char *below = xasprintf("%s.%zu", path, i);
		char *why = judge_covers(jv_at(want, i), jv_at(have, i), below);

		if (why)
			return why;
	}
	return NULL;
}

char *judge_covers(const struct jv *want, const struct jv *have, const char *path)
{
	const char *w = jv_as_string(want), *h = jv_as_string(have);
	double a, b;

	if (says_absent(want) && (!have || says_absent(have)))
		return NULL;
	if (is_number(want, &a) && is_number(have, &b))
		return a == b ? NULL : xstrdup(path);
	if (w && h)
		return judge_same_text(w, h) ? NULL : xstrdup(path);
	if (jv_type(want) == JV_ARRAY && h) {
		cleanup_free char *joined = join(want);

		return strcmp(joined, h) == 0 ? NULL : xstrdup(path);
	}
	if (jv_type(want) != jv_type(have))
		return xstrdup(path);
	if (jv_type(want) == JV_OBJECT)
		return covers_members(want, have, path);
	if (jv_type(want) == JV_ARRAY)
		return covers_items(want, have, path);
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(const char *fixtures);
	} groups[] = {
		{ "calls", judge_calls },
		{ "create", judge_create },
		{ "update", judge_update },
		{ "validate", judge_validate },
	};

	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(groups); i++)
		if (strcmp(argv[1], groups[i].name) == 0)
			return groups[i].fn(argv[2]);
	fprintf(stderr, "usage: judge calls|create|update|validate FIXTURES\n");
	return 2;
}
