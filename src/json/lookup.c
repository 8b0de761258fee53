/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - the value at a path such as a.b[0].c or a["x.y"].
 *
 * The separator parts names, but not within brackets; a part without a name is passed
 * over. In brackets stands an index or a quoted name. An index counts from the end when
 * it is negative and not in brackets.
 */
#include "json/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool parse_index(const char *s, size_t len, long *ret)
{
	size_t sign = len > 0 && *s == '-';
	long n = 0;

	if (len == sign || len > 10)
		return false;
	for (size_t i = sign; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		n = n * 10 + (s[i] - '0');
	}
	*ret = sign ? -n : n;
	return true;
}

static struct node *number_node(struct arena *a, size_t value)
{
	struct node *n = arena_node(a, NODE_NUMBER);
	char *text = arena_alloc(a, 24);

	n->text = text;
	n->len = (uint32_t)snprintf(text, 24, "%zu", value);
	return n;
}

static struct node *in_array(struct arena *a, struct node *n, const char *name, size_t len)
{
	struct node *c = n->child;
	long index;

	if (len == 6 && memcmp(name, "length", 6) == 0)
		return number_node(a, n->len);
	if (!parse_index(name, len, &index) || (*name == '0' && len > 1))
		return NULL;
	if (index < 0)
		index += (long)n->len;
	if (index < 0)
		return NULL;
	while (c && index-- > 0)
		c = c->next;
	return c;
}

size_t string_units(const struct node *string)
{
	const char *end = string->text + string->len;
	size_t used, count = 0;
	uint32_t code;

	for (const char *s = string->text; s < end; s += used) {
		used = utf8_char(s, end, &code);
		count += used == 4 ? 2 : 1;
	}
	return count;
}

/* A string has a length and characters, in the units of JavaScript. */
static struct node *in_string(struct arena *a, struct node *n, const char *name, size_t len)
{
	const char *end = n->text + n->len;
	const char *found = NULL;
	long index;
	size_t count = 0;
	size_t used, found_len = 0;

	if (len == 6 && memcmp(name, "length", 6) == 0)
		return number_node(a, string_units(n));
	if (!parse_index(name, len, &index))
		return NULL;
	if (index < 0)
		index += (long)string_units(n);
	if (index < 0)
		return NULL;
	for (const char *s = n->text; s < end; s += used) {
		uint32_t code;

		used = utf8_char(s, end, &code);
		if (count == (size_t)index) {
			found = s;
			found_len = used;
		}
		count += used == 4 ? 2 : 1;
	}
	return found ? arena_string(a, found, found_len) : NULL;
}

/* In brackets a negative index is a name that nothing has. */
static struct node *step(struct arena *a, struct node *n, const char *name, size_t len,
			 bool bracketed)
{
	if (bracketed && n->type != NODE_OBJECT && len > 0 && *name == '-')
		return NULL;
	switch (n->type) {
	case NODE_OBJECT:
		return node_member(n, name, len);
	case NODE_ARRAY:
		return in_array(a, n, name, len);
	case NODE_STRING:
		return in_string(a, n, name, len);
	default:
		return NULL;
	}
}

/* At a '[': the name in the brackets and what is behind them; false when it is none. */
static bool bracket(const char *s, const char **ret_name, size_t *ret_len,
		    const char **ret_rest)
{
	char quote = s[1] == '"' || s[1] == '\'' ? s[1] : '\0';
	const char *name = s + 1 + (quote != '\0');
	const char *end = strchr(name, quote ? quote : ']');
	long index;

	if (!end || (quote && end[1] != ']'))
		return false;
	*ret_name = name;
	*ret_len = (size_t)(end - name);
	*ret_rest = end + 1 + (quote != '\0');
	return quote || parse_index(name, *ret_len, &index);
}

struct node *lookup(struct arena *a, struct node *n, const char *path, const char *separator)
{
	size_t gap = strlen(separator);
	const char *at = path;

	do {
		const char *name = at;
		const char *rest = at;
		size_t len;
		bool bracketed = *at == '[' && bracket(at, &name, &len, &rest);

		if (!bracketed) {
			while (*rest && (gap == 0 || strncmp(rest, separator, gap) != 0) &&
			       !(*rest == '[' && bracket(rest, &name, &len, &name)))
				rest++;
			name = at;
			len = (size_t)(rest - at);
		}
		if (bracketed || len > 0)
			n = step(a, n, name, len, bracketed);
		if (*rest == '\0')
			return n;
		at = gap > 0 && strncmp(rest, separator, gap) == 0 ? rest + gap : rest;
	} while (n);
	return NULL;
}
