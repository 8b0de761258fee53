/* SPDX-License-Identifier: MIT */
/*
 * inspect.c - values as the console of a JavaScript engine shows them: on one line
 * what fits in 72 columns and holds at most three levels, else a line an entry; items of
 * an array with more than six stand in columns.
 */
#include "json/json.h"

#include "base/alloc.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH     80
#define LEVELS    3
#define ITEMS_MAX 100 /* of an array; how many more there are is told */
#define ALONE_MAX 6   /* items that need no columns */
#define COLUMNS   (4 * LEVELS)

struct inspector {
	int depth; /* of the container that was shown last */
};

static void quoted(struct out *o, const char *s, size_t len)
{
	bool has_single = memchr(s, '\'', len) != NULL;
	bool has_double = memchr(s, '"', len) != NULL;
	bool has_tick = memchr(s, '`', len) != NULL;
	char quote = !has_single ? '\'' : !has_double ? '"' : !has_tick ? '`' : '\'';
	static const char from[] = "\b\t\n\v\f\r\\";
	static const char to[] = "btnvfr\\";
	const char *end = s + len;
	char coded[8];
	size_t n;

	out_addc(o, quote);
	for (; s < end; s += n) {
		const char *known = *s ? strchr(from, *s) : NULL;
		uint32_t code;

		n = utf8_char(s, end, &code);
		if (known || code == (uint32_t)quote) {
			out_addc(o, '\\');
			out_addc(o, known ? to[known - from] : quote);
		} else if (code < ' ' || (code >= 0x7f && code <= 0x9f)) {
			(void)snprintf(coded, sizeof(coded), "\\x%02X", code);
			out_adds(o, coded);
		} else if (code >= 0xd800 && code <= 0xdfff) {
			(void)snprintf(coded, sizeof(coded), "\\u%04X", code);
			out_adds(o, coded);
		} else {
			out_add(o, s, n);
		}
	}
	out_addc(o, quote);
}

static void show_key(struct out *o, const struct node *n)
{
	bool plain = n->key_len > 0 && !isdigit((unsigned char)n->key[0]);

	for (uint32_t i = 0; i < n->key_len; i++)
		plain &= isalnum((unsigned char)n->key[i]) || n->key[i] == '_';
	if (plain && n->key_len == 9 && memcmp(n->key, "__proto__", 9) == 0)
		out_adds(o, "['__proto__']");
	else if (plain)
		out_add(o, n->key, n->key_len);
	else
		quoted(o, n->key, n->key_len);
	out_adds(o, ": ");
}

static void show(struct inspector *in, struct out *o, const struct node *n, int depth);

/* The entries one after the other; ENDS[i] is where entry i ends. */
static void show_entries(struct inspector *in, struct out *all, const struct node *n, int depth,
			 struct out *ends)
{
	uint32_t count = 0;
	char more[48];

	in->depth = depth;
	for (const struct node *c = n->child; c; c = c->next) {
		if (n->type == NODE_ARRAY && count++ == ITEMS_MAX) {
			(void)snprintf(more, sizeof(more), "... %u more item%s",
				       n->len - ITEMS_MAX, n->len - ITEMS_MAX > 1 ? "s" : "");
			out_adds(all, more);
			out_add(ends, (const char *)&all->len, sizeof(all->len));
			break;
		}
		if (n->type == NODE_OBJECT)
			show_key(all, c);
		show(in, all, c, depth + 1);
		out_add(ends, (const char *)&all->len, sizeof(all->len));
	}
}

static void join(struct out *o, const struct out *all, const struct out *ends,
		 const char *between)
{
	size_t from = 0;
	size_t to;

	for (size_t i = 0; i < ends->len; i += sizeof(to)) {
		memcpy(&to, ends->data + i, sizeof(to));
		if (i > 0) {
			out_addc(o, ',');
			out_adds(o, between);
		}
		out_add(o, all->data + from, to - from);
		from = to;
	}
}

/* ---- columns -------------------------------------------------------------------- */

static size_t width(const char *s, size_t len)
{
	const struct node text = { .text = s, .len = (uint32_t)len };

	return string_units(&text);
}

struct items {
	const char *text;
	size_t from[ITEMS_MAX + 2]; /* where each begins, and the end */
	size_t width[ITEMS_MAX];
	size_t count;   /* without the one that tells how many more there are */
	size_t entries; /* with it */
	bool numbers;
};

static void items_read(struct items *it, const struct node *n, const struct out *all,
		       const struct out *ends)
{
	const struct node *c = n->child;

	it->text = all->data;
	it->entries = ends->len / sizeof(size_t);
	it->count = it->entries > ITEMS_MAX ? ITEMS_MAX : it->entries;
	it->from[0] = 0;
	memcpy(it->from + 1, ends->data, ends->len);
	it->numbers = true;
	for (size_t i = 0; i < it->count; i++)
		it->width[i] = width(it->text + it->from[i], it->from[i + 1] - it->from[i]);
	for (size_t i = 0; i < it->entries; i++, c = c->next)
		it->numbers &= c->type == NODE_NUMBER;
}

/* About as many rows as make the whole two and a half times as wide as high; 1: none. */
static size_t columns_of(const struct items *it, size_t indent)
{
	size_t total = 0, most = 0, columns;
	double entries = (double)it->entries;
	double biased;

	for (size_t i = 0; i < it->count; i++) {
		total += it->width[i] + 2;
		most = it->width[i] > most ? it->width[i] : most;
	}
	if ((most + 2) * 3 + indent >= WIDTH || (total <= 5 * (most + 2) && most > 6))
		return 1;
	biased = (double)most - 1 - sqrt((double)(most + 2) - (double)total / entries);
	biased = biased < 1 ? 1 : biased;
	columns = (size_t)(sqrt(2.5 * biased * entries) / biased + 0.5);
	columns = columns > COLUMNS ? COLUMNS : columns;
	return columns > (WIDTH - indent) / (most + 2) ? (WIDTH - indent) / (most + 2)
						       : columns;
}

static void add_blanks(struct out *o, size_t n)
{
	while (n-- > 0)
		out_addc(o, ' ');
}

/* Numbers to the right, all else to the left. */
static void add_rows(const struct items *it, size_t columns, struct out *all, struct out *ends)
{
	size_t wide[COLUMNS] = { 0 };

	for (size_t i = 0; i < it->count; i++)
		if (it->width[i] > wide[i % columns])
			wide[i % columns] = it->width[i];
	for (size_t i = 0; i < it->count; i++) {
		bool last = i % columns == columns - 1 || i + 1 == it->count;
		size_t blanks = wide[i % columns] - it->width[i];

		add_blanks(all, it->numbers ? blanks : 0);
		out_add(all, it->text + it->from[i], it->from[i + 1] - it->from[i]);
		if (!last)
			out_adds(all, ", ");
		add_blanks(all, it->numbers || last ? 0 : blanks);
		if (last)
			out_add(ends, (const char *)&all->len, sizeof(all->len));
	}
	if (it->entries > it->count) {
		out_add(all, it->text + it->from[it->count],
			it->from[it->entries] - it->from[it->count]);
		out_add(ends, (const char *)&all->len, sizeof(all->len));
	}
}

/* True when ALL and ENDS are rows of the array N now. */
static bool into_columns(const struct node *n, int depth, struct out *all, struct out *ends)
{
	struct out rows = { .fd = -1 }, row_ends = { .fd = -1 };
	struct items *it;
	size_t columns;

	if (n->type != NODE_ARRAY || ends->len <= ALONE_MAX * sizeof(size_t) ||
	    (size_t)depth * 2 >= WIDTH)
		return false;
	it = xcalloc(1, sizeof(*it));
	items_read(it, n, all, ends);
	columns = columns_of(it, (size_t)depth * 2);
	if (columns > 1) {
		add_rows(it, columns, &rows, &row_ends);
		out_done(all);
		out_done(ends);
		*all = rows;
		*ends = row_ends;
	}
	free(it);
	return columns > 1;
}

/* ---- containers ------------------------------------------------------------------ */

static void show_children(struct inspector *in, struct out *o, const struct node *n, int depth)
{
	bool object = n->type == NODE_OBJECT;
	cleanup_out struct out all = { .fd = -1 };
	cleanup_out struct out ends = { .fd = -1 };
	cleanup_out struct out line = { .fd = -1 };
	size_t count, start;
	bool rows;

	show_entries(in, &all, n, depth, &ends);
	rows = into_columns(n, depth, &all, &ends);
	count = ends.len / sizeof(size_t);
	start = count + (size_t)depth * 2 + 1 + 10;
	out_adds(o, object ? "{" : "[");
	if (!rows && in->depth - depth < LEVELS &&
	    width(all.data, all.len) + count + start <= WIDTH &&
	    !memchr(all.data, '\n', all.len)) {
		out_addc(o, ' ');
		join(o, &all, &ends, " ");
		out_addc(o, ' ');
	} else {
		out_addc(&line, '\n');
		for (int i = 0; i < depth; i++)
			out_adds(&line, "  ");
		out_add(o, line.data, line.len);
		out_adds(o, "  ");
		out_adds(&line, "  ");
		out_addc(&line, '\0');
		join(o, &all, &ends, line.data);
		out_add(o, line.data, line.len - 3);
	}
	out_adds(o, object ? "}" : "]");
}

static void show(struct inspector *in, struct out *o, const struct node *n, int depth)
{
	if (n->type == NODE_STRING) {
		quoted(o, n->text, n->len);
	} else if (n->type < NODE_ARRAY) {
		print_json(o, n, 0);
	} else if (!n->child) {
		out_adds(o, n->type == NODE_OBJECT ? "{}" : "[]");
	} else {
		show_children(in, o, n, depth);
	}
}

void print_inspect(struct out *o, const struct node *n)
{
	struct inspector in = { .depth = 0 };

	show(&in, o, n, 0);
}
