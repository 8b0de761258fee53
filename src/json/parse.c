/* SPDX-License-Identifier: MIT */
/*
 * parse.c - text to nodes, by descent, one arena for all of them.
 */
#include "json/json.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MANY 48 /* members from which on names are found through a table */

struct parser {
	struct arena *arena;
	const char *at, *end;
	int depth;
};

static inline void skip_white(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')
		p->at++;
}

/* To the next byte that may end a plain run: a quote, a backslash, a control. */
static const char *skip_plain(const char *s, const char *end)
{
	const uint64_t ones = 0x0101010101010101U;
	const uint64_t tops = 0x8080808080808080U;
	uint64_t w, quote, slash, hit;

	for (; end - s >= 8; s += 8) {
		memcpy(&w, s, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		hit = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
		      ((w - ones * ' ') & ~w);
		if (hit & tops)
			break;
	}
	while ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
		s++;
	return s;
}

/* At a backslash: behind the escape, or NULL. */
static const char *skip_escape(struct parser *p, const char *s)
{
	if (s[1] == 'u') {
		for (int i = 2; i < 6; i++)
			if (!isxdigit((unsigned char)s[i])) {
				p->at = s + i;
				return NULL;
			}
		return s + 6;
	}
	if (s[1] && strchr("\"\\/bfnrt", s[1]))
		return s + 2;
	p->at = s + 1;
	return NULL;
}

static bool parse_string(struct parser *p, const char **ret_text, uint32_t *ret_len,
			 bool *ret_escape)
{
	const char *start = p->at + 1;
	const char *s = skip_plain(start, p->end);
	bool coded = false;
	char *copy;

	while (*s == '\\') {
		coded = true;
		s = skip_escape(p, s);
		if (!s)
			return false;
		s = skip_plain(s, p->end);
	}
	p->at = s;
	if (*s != '"')
		return false;
	p->at = s + 1;
	*ret_text = start;
	*ret_len = (uint32_t)(s - start);
	*ret_escape = false;
	if (!coded)
		return true;
	copy = arena_alloc(p->arena, *ret_len + 1U);
	*ret_len = (uint32_t)json_unescape(start, *ret_len, copy, ret_escape);
	*ret_text = copy;
	return true;
}

static bool skip_digits(struct parser *p)
{
	if (!isdigit((unsigned char)*p->at))
		return false;
	while (isdigit((unsigned char)*p->at))
		p->at++;
	return true;
}

static bool parse_number(struct parser *p, struct node *n)
{
	const char *start = p->at;

	p->at += *p->at == '-';
	if (*p->at == '0')
		p->at++;
	else if (!skip_digits(p))
		return false;
	if (*p->at == '.') {
		p->at++;
		if (!skip_digits(p))
			return false;
	}
	if ((*p->at | 0x20) == 'e') {
		p->at++;
		p->at += *p->at == '+' || *p->at == '-';
		if (!skip_digits(p))
			return false;
	}
	number_set(p->arena, n, start, (size_t)(p->at - start));
	return true;
}

static bool parse_word(struct parser *p, const char *word)
{
	while (*word && *p->at == *word) {
		p->at++;
		word++;
	}
	return !*word;
}

static bool parse_value(struct parser *p, struct node *n);

static bool parse_array(struct parser *p, struct node *array)
{
	struct node **link = &array->child;

	p->at++;
	skip_white(p);
	if (*p->at == ']') {
		p->at++;
		return true;
	}
	for (;;) {
		struct node *n = arena_node(p->arena, NODE_NULL);

		*link = n;
		link = &n->next;
		array->len++;
		if (!parse_value(p, n))
			return false;
		skip_white(p);
		if (*p->at == ']') {
			p->at++;
			return true;
		}
		if (*p->at != ',')
			return false;
		p->at++;
	}
}

/* The members of one object while it is read: has a name been there before? */
struct names {
	uint64_t seen; /* a bit for each kind of name; clear: surely a new one */
	struct node **table;
	size_t size;
	bool indexes;
};

static uint32_t hash(const char *s, size_t len)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619U;
	return h;
}

bool node_is_key(const struct node *n, const char *name, size_t len)
{
	return n->key_len == len && memcmp(n->key, name, len) == 0;
}

struct node *node_member(const struct node *object, const char *name, size_t len)
{
	for (struct node *n = object->child; n; n = n->next)
		if (node_is_key(n, name, len))
			return n;
	return NULL;
}

/* An index of an array as JavaScript has them: no leading zero, below 2^32 - 1. */
static bool key_is_index(const struct node *n, uint64_t *ret)
{
	*ret = 0;
	if (n->key_len == 0 || n->key_len > 10 || (n->key[0] == '0' && n->key_len > 1))
		return false;
	for (uint32_t i = 0; i < n->key_len; i++) {
		if (!isdigit((unsigned char)n->key[i]))
			return false;
		*ret = *ret * 10 + (uint64_t)(n->key[i] - '0');
	}
	return *ret < UINT32_MAX;
}

static void table_put(struct names *names, struct node *n)
{
	size_t i = hash(n->key, n->key_len) & (names->size - 1);

	while (names->table[i])
		i = (i + 1) & (names->size - 1);
	names->table[i] = n;
}

static void table_grow(struct names *names, struct node *object)
{
	free(names->table);
	names->size = names->size ? names->size * 4 : MANY * 8;
	names->table = xcalloc(names->size, sizeof(*names->table));
	for (struct node *n = object->child; n; n = n->next)
		table_put(names, n);
}

static struct node *table_get(const struct names *names, const struct node *n)
{
	size_t i = hash(n->key, n->key_len) & (names->size - 1);

	while (names->table[i] && !node_is_key(names->table[i], n->key, n->key_len))
		i = (i + 1) & (names->size - 1);
	return names->table[i];
}

static struct node *find_earlier(struct names *names, struct node *object, const struct node *n)
{
	unsigned char first = n->key_len ? (unsigned char)n->key[0] : 0;
	unsigned char last = n->key_len ? (unsigned char)n->key[n->key_len - 1] : 0;
	uint64_t bit = (uint64_t)1 << ((first * 7U + last * 3U + n->key_len) & 63);
	bool maybe = names->seen & bit;

	names->seen |= bit;
	names->indexes |= first >= '0' && first <= '9';
	if (names->table)
		return table_get(names, n);
	return maybe ? node_member(object, n->key, n->key_len) : NULL;
}

static int compare_members(const void *a, const void *b)
{
	const struct node *const *l = a;
	const struct node *const *r = b;
	uint64_t x, y;

	(void)key_is_index(*l, &x);
	(void)key_is_index(*r, &y);
	return (x > y) - (x < y);
}

/* Indexes to the front, in order; the others stay in theirs. */
void node_sort_members(struct node *object)
{
	cleanup_free struct node **list = xcalloc(object->len + 1U, sizeof(struct node *));
	struct node **link = &object->child;
	size_t count = 0;
	uint64_t index;

	while (*link) {
		if (!key_is_index(*link, &index)) {
			link = &(*link)->next;
			continue;
		}
		list[count++] = *link;
		*link = (*link)->next;
	}
	qsort(list, count, sizeof(*list), compare_members);
	while (count-- > 0) {
		list[count]->next = object->child;
		object->child = list[count];
	}
}

/* Later values go before earlier ones of the same name, at their place. */
static void replace_value(struct node *earlier, const struct node *n)
{
	struct node kept = *earlier;

	*earlier = *n;
	earlier->key = kept.key;
	earlier->key_len = kept.key_len;
	earlier->key_escape = kept.key_escape;
	earlier->next = kept.next;
}

static bool parse_member(struct parser *p, struct node *n)
{
	if (*p->at != '"' || !parse_string(p, &n->key, &n->key_len, &n->key_escape))
		return false;
	skip_white(p);
	if (*p->at != ':')
		return false;
	p->at++;
	return parse_value(p, n);
}

static void add_member(struct names *names, struct node *object, struct node ***link,
		       struct node *n)
{
	struct node *earlier = find_earlier(names, object, n);

	if (earlier) {
		replace_value(earlier, n);
		return;
	}
	**link = n;
	*link = &n->next;
	object->len++;
	if (object->len >= MANY && object->len * 2 > names->size)
		table_grow(names, object);
	else if (names->table)
		table_put(names, n);
}

static bool parse_members(struct parser *p, struct node *object, struct names *names)
{
	struct node **link = &object->child;

	p->at++;
	skip_white(p);
	if (*p->at == '}') {
		p->at++;
		return true;
	}
	for (;;) {
		struct node *n = arena_node(p->arena, NODE_NULL);

		skip_white(p);
		if (!parse_member(p, n))
			return false;
		add_member(names, object, &link, n);
		skip_white(p);
		if (*p->at == '}') {
			p->at++;
			return true;
		}
		if (*p->at != ',')
			return false;
		p->at++;
	}
}

static bool parse_object(struct parser *p, struct node *object)
{
	struct names names = { .table = NULL };
	bool good = parse_members(p, object, &names);

	free(names.table);
	if (good && names.indexes)
		node_sort_members(object);
	return good;
}

static bool parse_nested(struct parser *p, struct node *n)
{
	bool good;

	if (p->depth == JSON_DEPTH_MAX)
		return false;
	p->depth++;
	n->type = *p->at == '[' ? NODE_ARRAY : NODE_OBJECT;
	good = n->type == NODE_ARRAY ? parse_array(p, n) : parse_object(p, n);
	p->depth--;
	return good;
}

static bool parse_value(struct parser *p, struct node *n)
{
	skip_white(p);
	switch (*p->at) {
	case '{':
	case '[':
		return parse_nested(p, n);
	case '"':
		n->type = NODE_STRING;
		return parse_string(p, &n->text, &n->len, &n->escape);
	case 't':
		n->type = NODE_TRUE;
		return parse_word(p, "true");
	case 'f':
		n->type = NODE_FALSE;
		return parse_word(p, "false");
	case 'n':
		return parse_word(p, "null");
	default:
		n->type = NODE_NUMBER;
		return parse_number(p, n);
	}
}

struct node *json_parse(struct arena *a, const char *text, size_t len, const char **ret_at)
{
	struct parser p = { .arena = a, .at = text, .end = text + len };
	struct node *n = arena_node(a, NODE_NULL);
	bool good = parse_value(&p, n);

	if (good)
		skip_white(&p);
	*ret_at = p.at;
	return good && p.at == p.end ? n : NULL;
}
