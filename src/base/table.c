/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"

#include <ctype.h>
#include <string.h>

struct table {
	const struct column *const *columns;
	size_t count;
	char **cells; /* rows * count; NULL: empty */
	size_t rows;
	size_t room; /* in rows */
};

struct table *table_new(const struct column *const columns[], size_t count)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns;
	t->count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->rows * t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_free_p(struct table **t)
{
	table_free(*t);
}

static char **cell(const struct table *t, size_t row, size_t column)
{
	return &t->cells[row * t->count + column];
}

void table_add_row(struct table *t)
{
	if (t->rows == t->room) {
		t->room = t->room ? t->room * 2 : 16;
		t->cells = xrealloc_array(t->cells, t->room * t->count, sizeof(*t->cells));
	}
	t->rows++;
	for (size_t i = 0; i < t->count; i++)
		*cell(t, t->rows - 1, i) = NULL;
}

void table_set(struct table *t, size_t column, const char *value)
{
	char **place = cell(t, t->rows - 1, column);

	free(*place);
	*place = xstrdup(value);
}

static int write_out(FILE *out, const char *text, struct err *e)
{
	if (fputs(text, out) < 0 || ferror(out))
		return err_sys(e, "cannot write output");
	return 0;
}

/* One row of a text is one line, and nothing in it moves the cursor. */
static void add_printable(struct buf *b, const char *value)
{
	for (; *value; value++)
		buf_addc(b, (unsigned char)*value < ' ' || *value == 0x7f ? '?' : *value);
}

static int print_parsable(const struct table *t, FILE *out, bool header, const char *delim,
			  struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; header && i < t->count; i++)
		buf_addf(&b, "%s%s", i ? delim : "", t->columns[i]->header);
	if (header)
		buf_addc(&b, '\n');
	for (size_t row = 0; row < t->rows; row++) {
		for (size_t i = 0; i < t->count; i++) {
			const char *value = *cell(t, row, i);

			buf_adds(&b, i ? delim : "");
			add_printable(&b, value ? value : "");
		}
		buf_addc(&b, '\n');
	}
	return write_out(out, buf_str(&b), e);
}

/* A number that is not an integer of 64 bits is kept as the text that it is. */
static struct jv *json_cell(const struct column *c, const char *value)
{
	long long n;
	char *end;

	if (!value)
		return jv_null();
	if (c->is_number && (isdigit((unsigned char)*value) || *value == '-')) {
		errno = 0;
		n = strtoll(value, &end, 10);
		if (*end == '\0' && errno == 0)
			return jv_int(n);
	}
	return jv_string(value);
}

static int print_json(const struct table *t, FILE *out, struct err *e)
{
	cleanup_jv struct jv *rows = jv_array();
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_free char *text = NULL;

	for (size_t row = 0; row < t->rows; row++) {
		struct jv *object = jv_object();

		for (size_t i = 0; i < t->count; i++)
			jv_set(object, t->columns[i]->name,
			       json_cell(t->columns[i], *cell(t, row, i)));
		jv_push(rows, object);
	}
	text = jv_dump(rows, 2);
	buf_adds(&b, text);
	buf_addc(&b, '\n');
	return write_out(out, buf_str(&b), e);
}

/* Characters, which are columns for all that our values hold. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* A column without a width is as wide as its widest value. */
static size_t column_width(const struct table *t, size_t column, bool header)
{
	const struct column *c = t->columns[column];
	size_t width = c->width;

	if (width > 0)
		return width;
	if (header)
		width = width_of(c->header);
	for (size_t row = 0; row < t->rows; row++) {
		const char *value = *cell(t, row, column);
		size_t w = value ? width_of(value) : 1;

		width = w > width ? w : width;
	}
	return width;
}

static void add_blanks(struct buf *b, size_t count)
{
	while (count-- > 0)
		buf_addc(b, ' ');
}

static void add_field(struct buf *b, const char *value, size_t width, bool right)
{
	size_t own = width_of(value);
	size_t blanks = own < width ? width - own : 0;

	if (right)
		add_blanks(b, blanks);
	add_printable(b, value);
	if (!right)
		add_blanks(b, blanks);
}

static void end_line(struct buf *b)
{
	while (b->len > 0 && b->data[b->len - 1] == ' ')
		b->len--;
	buf_addc(b, '\n');
}

static int print_plain(const struct table *t, FILE *out, bool header, struct err *e)
{
	cleanup_free size_t *widths = xcalloc(t->count, sizeof(*widths));
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->count; i++)
		widths[i] = column_width(t, i, header);
	for (size_t row = header ? 0 : 1; row <= t->rows; row++) {
		for (size_t i = 0; i < t->count; i++) {
			const struct column *c = t->columns[i];
			const char *value = row == 0 ? c->header : *cell(t, row - 1, i);

			buf_adds(&b, i ? "  " : "");
			add_field(&b, value ? value : "-", widths[i], c->right);
		}
		end_line(&b);
	}
	return write_out(out, buf_str(&b), e);
}

int table_print(const struct table *t, FILE *out, enum table_form form, bool header,
		const char *delim, struct err *e)
{
	switch (form) {
	case TABLE_PLAIN:
		return print_plain(t, out, header, e);
	case TABLE_PARSABLE:
		return print_parsable(t, out, header, delim, e);
	case TABLE_JSON:
		return print_json(t, out, e);
	}
	abort();
}
