/* SPDX-License-Identifier: MIT */
/*
 * js_regex.c - reading a regular expression.
 *
 *	either   = sequence { '|' sequence }
 *	sequence = { term }
 *	term     = assertion | atom [ repeat ]
 */
#include "libpayload/js_regex_node.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 1024

struct reader {
	struct js_regex *re;
	const char *pattern;
	const char *p;
	uint32_t groups_in_all;
	const char *wrong; /* what is, NULL: nothing yet */
};

static size_t add_node(struct reader *r, struct node n)
{
	struct js_regex *re = r->re;

	re->nodes = xrealloc_array(re->nodes, re->node_count + 1, sizeof(n));
	re->nodes[re->node_count] = n;
	return re->node_count++;
}

static size_t refuse(struct reader *r, const char *what)
{
	if (!r->wrong)
		r->wrong = what;
	return 0;
}

uint32_t js_regex_character(const char **p)
{
	const unsigned char *c = (const unsigned char *)*p;
	size_t more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	uint32_t value = more ? *c & (0x3fU >> more) : *c;

	for (size_t i = 1; i <= more; i++) {
		if ((c[i] & 0xc0) != 0x80) {
			(*p)++;
			return *c;
		}
		value = value << 6 | (c[i] & 0x3f);
	}
	*p += more + 1;
	return value;
}

/* ---- characters and classes ----------------------------------------------------------- */

static void add_range(struct reader *r, uint32_t first, uint32_t last)
{
	struct js_regex *re = r->re;

	re->ranges = xrealloc_array(re->ranges, re->range_count + 1, sizeof(*re->ranges));
	re->ranges[re->range_count++] = (struct range){ first, last };
}

static const struct range digits[] = { { '0', '9' } };
static const struct range words[] = { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } };
static const struct range spaces[] = {
	{ 0x09, 0x0d },     { ' ', ' ' },       { 0xa0, 0xa0 },     { 0x1680, 0x1680 },
	{ 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
	{ 0x3000, 0x3000 }, { 0xfeff, 0xfeff },
};

/* \d, or in capitals what is none. false: C is no class. */
static bool add_class(struct reader *r, char c)
{
	const struct range *set = digits;
	size_t count = ARRAY_SIZE(digits);
	uint32_t next = 0;

	if (!c || !strchr("dDwWsS", c))
		return false;
	if (c == 'w' || c == 'W') {
		set = words;
		count = ARRAY_SIZE(words);
	} else if (c == 's' || c == 'S') {
		set = spaces;
		count = ARRAY_SIZE(spaces);
	}
	for (size_t i = 0; i < count; i++) {
		if (c >= 'a')
			add_range(r, set[i].first, set[i].last);
		else if (set[i].first > next)
			add_range(r, next, set[i].first - 1);
		next = set[i].last + 1;
	}
	if (c < 'a')
		add_range(r, next, UINT32_MAX);
	return true;
}

/* COUNT hexadecimal digits at the reader, or -1, and it stays. */
static int64_t hex_digits(struct reader *r, size_t count)
{
	char text[8] = "";

	if (strspn(r->p, "0123456789abcdefABCDEF") < count)
		return -1;
	memcpy(text, r->p, count);
	r->p += count;
	return strtol(text, NULL, 16);
}

/* What stands behind '\' as one character. A letter that means nothing is itself. */
static uint32_t read_escape(struct reader *r)
{
	static const char letters[] = "tnvfr0", values[] = "\t\n\v\f\r";
	const char *at = *r->p ? strchr(letters, *r->p) : NULL;
	int64_t code;

	if (at) {
		r->p++;
		return (unsigned char)values[at - letters];
	}
	if (*r->p == 'x' || *r->p == 'u') {
		size_t count = *r->p++ == 'x' ? 2 : 4;

		code = hex_digits(r, count);
		return code >= 0 ? (uint32_t)code : (unsigned char)r->p[-1];
	}
	if (*r->p == 'c' && ((r->p[1] | 0x20) >= 'a' && (r->p[1] | 0x20) <= 'z')) {
		r->p += 2;
		return (uint32_t)r->p[-1] & 0x1f;
	}
	if (*r->p == 'c')
		return '\\';
	return js_regex_character(&r->p);
}

/* One member of a set: a character, or a class, then it is UINT32_MAX. */
static uint32_t read_member(struct reader *r)
{
	if (*r->p != '\\' || !r->p[1])
		return js_regex_character(&r->p);
	r->p++;
	if (add_class(r, *r->p)) {
		r->p++;
		return UINT32_MAX;
	}
	if (*r->p == 'b') {
		r->p++;
		return '\b';
	}
	return read_escape(r);
}

static void read_members(struct reader *r)
{
	while (*r->p && *r->p != ']' && !r->wrong) {
		uint32_t first = read_member(r), last = first;

		if (*r->p == '-' && r->p[1] && r->p[1] != ']') {
			r->p++;
			last = read_member(r);
			/* "\w-x": three members. */
			if (first == UINT32_MAX || last == UINT32_MAX) {
				add_range(r, '-', '-');
				if (first != UINT32_MAX)
					add_range(r, first, first);
				first = last;
			}
		}
		if (first > last)
			refuse(r, "has a range that is out of order");
		if (last != UINT32_MAX)
			add_range(r, first, last);
	}
}

static size_t read_set(struct reader *r)
{
	struct node n = { .kind = NODE_SET, .first = (uint32_t)r->re->range_count };

	n.negated = *r->p == '^';
	r->p += n.negated;
	read_members(r);
	if (*r->p != ']')
		return refuse(r, "has a '[' without its ']'");
	r->p++;
	n.count = (uint32_t)r->re->range_count - n.first;
	return add_node(r, n);
}

static size_t read_escaped_atom(struct reader *r)
{
	struct node n = { .kind = NODE_SET, .first = (uint32_t)r->re->range_count };
	unsigned long number = strtoul(r->p, NULL, 10);

	if (!*r->p)
		return refuse(r, "ends with '\\'");
	if (add_class(r, *r->p)) {
		r->p++;
		n.count = (uint32_t)r->re->range_count - n.first;
	} else if (*r->p >= '1' && *r->p <= '9' && number <= r->groups_in_all) {
		r->p += strspn(r->p, "0123456789");
		n = (struct node){ .kind = NODE_BACK, .first = (uint32_t)number };
	} else {
		n = (struct node){ .kind = NODE_CHAR, .first = read_escape(r) };
	}
	return add_node(r, n);
}

/* ---- groups and repeats --------------------------------------------------------------- */

static size_t read_either(struct reader *r);

static size_t read_group(struct reader *r)
{
	struct node n = { .kind = NODE_GROUP };

	if (*r->p != '?') {
		n.first = ++r->re->groups;
	} else if (r->p[1] == ':' || r->p[1] == '=' || r->p[1] == '!') {
		n.negated = r->p[1] == '!';
		n.kind = r->p[1] == ':' ? NODE_GROUP : NODE_LOOK;
		r->p += 2;
	} else {
		return refuse(r, "has a group that is not supported");
	}
	n.left = read_either(r);
	if (*r->p != ')')
		return refuse(r, "has a '(' without its ')'");
	r->p++;
	return add_node(r, n);
}

static uint32_t read_number(struct reader *r)
{
	uint32_t n = 0;

	for (; *r->p >= '0' && *r->p <= '9'; r->p++)
		if (n < UINT32_MAX / 20)
			n = n * 10 + (uint32_t)(*r->p - '0');
	return n;
}

/* "{N}", "{N,}" and "{N,M}"; a brace that begins none of these is a text. */
static bool read_braces(struct reader *r, struct node *n)
{
	const char *begin = r->p++;

	if (*r->p >= '0' && *r->p <= '9') {
		n->least = n->most = read_number(r);
		if (*r->p == ',') {
			r->p++;
			n->most = *r->p == '}' ? REPEAT_ENDLESS : read_number(r);
		}
		if (*r->p == '}' && (r->p[-1] == ',' || (r->p[-1] >= '0' && r->p[-1] <= '9'))) {
			r->p++;
			return true;
		}
	}
	r->p = begin;
	return false;
}

static bool read_repeat(struct reader *r, struct node *n)
{
	*n = (struct node){ .kind = NODE_REPEAT, .most = REPEAT_ENDLESS };
	if (*r->p == '{')
		return read_braces(r, n);
	if (!*r->p || !strchr("*+?", *r->p))
		return false;
	n->least = *r->p == '+';
	n->most = *r->p == '?' ? 1 : REPEAT_ENDLESS;
	r->p++;
	return true;
}

static size_t read_atom(struct reader *r)
{
	struct node n;
	const char *p = r->p;

	if (read_repeat(r, &n))
		return refuse(r, "repeats what is not there");
	r->p = p;
	switch (*r->p++) {
	case '(':
		return read_group(r);
	case '[':
		return read_set(r);
	case '.':
		return add_node(r, (struct node){ .kind = NODE_ANY });
	case '\\':
		return read_escaped_atom(r);
	default:
		r->p--;
		n = (struct node){ .kind = NODE_CHAR, .first = js_regex_character(&r->p) };
		return add_node(r, n);
	}
}

static size_t repeated(struct reader *r, size_t atom, uint32_t groups_before)
{
	struct node n;

	if (!read_repeat(r, &n))
		return atom;
	if (n.least > n.most)
		return refuse(r, "has a repeat that is out of order");
	if (*r->p == '?') {
		n.lazy = true;
		r->p++;
	}
	n.left = atom;
	n.group_first = groups_before + 1;
	n.group_end = r->re->groups + 1;
	return add_node(r, n);
}

static size_t read_term(struct reader *r)
{
	uint32_t groups = r->re->groups;
	struct node n = { .kind = NODE_EMPTY };

	if (*r->p == '^' || *r->p == '$')
		n.kind = *r->p == '^' ? NODE_BEGIN : NODE_END;
	else if (*r->p == '\\' && (r->p[1] == 'b' || r->p[1] == 'B'))
		n = (struct node){ .kind = NODE_BORDER, .negated = r->p[1] == 'B' };
	if (n.kind != NODE_EMPTY) {
		r->p += n.kind == NODE_BORDER ? 2 : 1;
		return add_node(r, n);
	}
	return repeated(r, read_atom(r), groups);
}

static size_t read_sequence(struct reader *r)
{
	size_t all = add_node(r, (struct node){ .kind = NODE_EMPTY });

	while (*r->p && *r->p != '|' && *r->p != ')' && !r->wrong) {
		size_t term = read_term(r);

		all = add_node(
			r, (struct node){ .kind = NODE_SEQUENCE, .left = all, .right = term });
	}
	return all;
}

static size_t read_either(struct reader *r)
{
	size_t all = read_sequence(r);

	while (*r->p == '|' && !r->wrong) {
		size_t other;

		r->p++;
		other = read_sequence(r);
		all = add_node(
			r, (struct node){ .kind = NODE_EITHER, .left = all, .right = other });
	}
	return all;
}

/* ---- all of it ------------------------------------------------------------------------ */

/* A number behind '\' may be that of a group further on. */
static uint32_t count_groups(const char *p)
{
	uint32_t count = 0;
	bool in_set = false;

	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '[')
			in_set = true;
		else if (*p == ']')
			in_set = false;
		else if (*p == '(' && !in_set && p[1] != '?')
			count++;
	}
	return count;
}

void js_regex_free(struct js_regex *re)
{
	if (!re)
		return;
	free(re->nodes);
	free(re->ranges);
	free(re);
}

int js_regex_compile(const char *pattern, struct js_regex **ret, struct err *e)
{
	struct reader r = { .pattern = pattern, .p = pattern };

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, -E2BIG, "regular expression is longer than %d characters",
			       PATTERN_MAX);
	r.groups_in_all = count_groups(pattern);
	r.re = xcalloc(1, sizeof(*r.re));
	if (r.groups_in_all >= GROUPS_MAX)
		refuse(&r, "has too many groups");
	r.re->root = read_either(&r);
	if (*r.p && !r.wrong)
		refuse(&r, "has a ')' without its '('");
	if (r.wrong) {
		js_regex_free(r.re);
		return err_set(e, -EINVAL, "regular expression '%s': %s", pattern, r.wrong);
	}
	*ret = r.re;
	return 0;
}
