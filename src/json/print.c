/* SPDX-License-Identifier: MIT */
/*
 * print.c - nodes to text, and text to where it goes.
 */
#include "json/json.h"

#include "base/alloc.h"
#include "base/fileio.h"

#include <stdio.h>
#include <string.h>

#define OUT_SIZE  ((size_t)256 << 10)
#define KEPT_SIZE ((size_t)256) /* of what is kept there may be one a level */

void out_done(struct out *o)
{
	free(o->data);
}

void out_flush(struct out *o)
{
	if (o->fd < 0)
		return;
	if (o->error == 0 && o->len > 0)
		o->error = file_write_fd(o->fd, o->data, o->len);
	o->len = 0;
}

void out_make_room(struct out *o, size_t more)
{
	size_t cap = o->cap ? o->cap : o->fd < 0 ? KEPT_SIZE : OUT_SIZE;

	if (o->cap)
		out_flush(o);
	while (cap - o->len < more)
		cap *= 2;
	if (cap > o->cap)
		o->data = xrealloc_array(o->data, cap, 1);
	o->cap = cap;
}

void out_add(struct out *o, const char *data, size_t len)
{
	if (o->cap - o->len < len)
		out_make_room(o, len);
	if (len > 0)
		memcpy(o->data + o->len, data, len);
	o->len += len;
}

void out_adds(struct out *o, const char *s)
{
	out_add(o, s, strlen(s));
}

static void add_escaped(struct out *o, const char *s, const char *end)
{
	static const char from[] = "\b\f\n\r\t\"\\";
	static const char to[] = "bfnrt\"\\";
	char coded[8];

	while (s < end) {
		const char *known = *s ? strchr(from, *s) : NULL;
		uint32_t code;
		size_t n = utf8_char(s, end, &code);

		if (known) {
			out_addc(o, '\\');
			out_addc(o, to[known - from]);
		} else if (code < ' ' || (code >= 0xd800 && code <= 0xdfff)) {
			(void)snprintf(coded, sizeof(coded), "\\u%04x", code);
			out_adds(o, coded);
		} else {
			out_add(o, s, n);
		}
		s += n;
	}
}

static void print_string(struct out *o, const char *s, size_t len, bool escape)
{
	out_addc(o, '"');
	if (escape)
		add_escaped(o, s, s + len);
	else
		out_add(o, s, len);
	out_addc(o, '"');
}

void print_bare(struct out *o, const struct node *n)
{
	const char *end = n->text + n->len;
	uint32_t code;
	size_t len;

	if (!n->escape) {
		out_add(o, n->text, n->len);
		return;
	}
	for (const char *s = n->text; s < end; s += len) {
		len = utf8_char(s, end, &code);
		if (code >= 0xd800 && code <= 0xdfff)
			out_add(o, "\xef\xbf\xbd", 3);
		else
			out_add(o, s, len);
	}
}

static void new_line(struct out *o, int indent, int depth)
{
	size_t blanks = (size_t)indent * (size_t)depth;

	if (indent == 0)
		return;
	if (o->cap - o->len < blanks + 1)
		out_make_room(o, blanks + 1);
	o->data[o->len++] = '\n';
	memset(o->data + o->len, ' ', blanks);
	o->len += blanks;
}

static void print_at(struct out *o, const struct node *n, int indent, int depth);

static void print_children(struct out *o, const struct node *n, int indent, int depth)
{
	bool object = n->type == NODE_OBJECT;

	out_addc(o, object ? '{' : '[');
	for (const struct node *c = n->child; c; c = c->next) {
		if (c != n->child)
			out_addc(o, ',');
		new_line(o, indent, depth + 1);
		if (object) {
			print_string(o, c->key, c->key_len, c->key_escape);
			out_add(o, ": ", indent ? 2 : 1);
		}
		print_at(o, c, indent, depth + 1);
	}
	if (n->child)
		new_line(o, indent, depth);
	out_addc(o, object ? '}' : ']');
}

static void print_at(struct out *o, const struct node *n, int indent, int depth)
{
	switch (n->type) {
	case NODE_NULL:
		out_add(o, "null", 4);
		break;
	case NODE_FALSE:
		out_add(o, "false", 5);
		break;
	case NODE_TRUE:
		out_add(o, "true", 4);
		break;
	case NODE_NUMBER:
		out_add(o, n->text, n->len);
		break;
	case NODE_STRING:
		print_string(o, n->text, n->len, n->escape);
		break;
	default:
		print_children(o, n, indent, depth);
	}
}

void print_json(struct out *o, const struct node *n, int indent)
{
	print_at(o, n, indent, 0);
}

/* JSON without blanks, but for one after each comma that a text follows. */
static void add_spaced(struct out *o, const char *json, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (json[i] == '"')
			quoted = !quoted;
		out_addc(o, json[i]);
		if (quoted && json[i] == '\\' && i + 1 < len)
			out_addc(o, json[++i]);
		else if (!quoted && json[i] == ',' && json[i + 1] == '"')
			out_addc(o, ' ');
	}
}

void print_compact(struct out *o, const struct node *n)
{
	if (n->type != NODE_ARRAY || !n->child) {
		print_json(o, n, 0);
		return;
	}
	for (const struct node *c = n->child; c; c = c->next) {
		cleanup_out struct out item = { .fd = -1 };

		print_json(&item, c, 0);
		out_adds(o, c == n->child ? "[\n  " : ",\n  ");
		add_spaced(o, item.data, item.len);
	}
	out_adds(o, "\n]");
}
