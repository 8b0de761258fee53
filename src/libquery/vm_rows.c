/* SPDX-License-Identifier: MIT */
#include "libquery/vm_rows.h"

#include "base/jv.h"

#include <ctype.h>
#include <string.h>

static void pad(struct buf *b, size_t from, unsigned int width)
{
	/* Characters, not bytes: names may be in any script. */
	size_t shown = 0;

	for (size_t i = from; i < b->len; i++)
		shown += ((unsigned char)b->data[i] & 0xc0) != 0x80;
	for (; shown < width; shown++)
		buf_addc(b, ' ');
}

static void end_row(struct buf *b, size_t from)
{
	/* One empty cell is a line all the same. */
	if (b->len == from)
		buf_addc(b, ' ');
	while (b->len > from && b->data[b->len - 1] == ' ')
		b->len--;
	buf_addc(b, '\n');
}

/* Texts of a payload may be foreign: neither a terminal nor a reader of lines obeys them. */
static void add_shown(struct buf *b, const char *text)
{
	for (; *text; text++)
		buf_addc(b, iscntrl((unsigned char)*text) ? '?' : *text);
}

static void add_cell(struct buf *b, size_t column, const char *text, unsigned int width,
		     bool parsable)
{
	size_t from;

	if (column > 0)
		buf_adds(b, parsable ? ":" : "  ");
	from = b->len;
	add_shown(b, *text || parsable ? text : "-");
	if (!parsable)
		pad(b, from, width);
}

void vm_rows_header(struct buf *out, const struct vm_fields *fields, bool parsable)
{
	size_t from = out->len;

	for (size_t i = 0; i < fields->count; i++)
		add_cell(out, i, fields->items[i].header, fields->items[i].width, parsable);
	end_row(out, from);
}

void vm_rows_add(struct buf *out, const struct jv *vm, const struct vm_fields *fields,
		 bool parsable)
{
	size_t from = out->len;
	char text[32];

	for (size_t i = 0; i < fields->count; i++)
		add_cell(out, i, vm_value_text(vm_value(vm, fields->items[i].key), text),
			 fields->items[i].width, parsable);
	end_row(out, from);
}
