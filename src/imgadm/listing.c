/* SPDX-License-Identifier: MIT */
/*
 * listing.c - images as a table: columns, filters, order. For list, avail, ancestry.
 *
 * A column is any field of the manifest, dotted names reach into it, or one of
 * the computed ones.
 */
#include "imgadm/listing.h"

#include "base/alloc.h"
#include "base/table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- fields --------------------------------------------------------------- */

/* "a.b.c" in V; a name with dots of its own is found first. */
static const struct jv *dig(const struct jv *v, const char *name)
{
	const struct jv *whole = jv_get(v, name);
	const char *dot = strchr(name, '.');
	cleanup_free char *head = NULL;

	if (whole || !dot)
		return whole;
	head = xstrndup(name, (size_t)(dot - name));
	v = jv_get(v, head);
	return v ? dig(v, dot + 1) : NULL;
}

static char *text_of(const struct jv *v)
{
	if (!v || jv_type(v) == JV_NULL)
		return NULL;
	return jv_as_string(v) ? xstrdup(jv_as_string(v)) : jv_dump(v, 0);
}

/* published_at without its milliseconds, or its first LEN characters. */
static char *published(const struct image *img, size_t len)
{
	const char *at = jv_get_string(img->manifest, "published_at");
	size_t dot;

	if (!at)
		return NULL;
	if (len)
		return xstrndup(at, len);
	dot = strcspn(at, ".");
	return at[dot] ? xasprintf("%.*sZ", (int)dot, at) : xstrdup(at);
}

/* The value of FIELD as text; NULL when there is none. The caller frees. */
static char *field_text(const struct listing *l, const struct image *img, const char *field)
{
	char *text = NULL;

	if (listing_docker_field(img, field, &text))
		return text;
	if (strcmp(field, "published") == 0 || strcmp(field, "created") == 0)
		return published(img, 0);
	if (strcmp(field, "published_date") == 0 || strcmp(field, "pub") == 0)
		return published(img, 10);
	if (strcmp(field, "source") == 0)
		return text_of(jv_get(img->meta, "source"));
	if (strcmp(field, "zpool") == 0)
		return xstrdup(IMGADM_POOL);
	if (strcmp(field, "clones") == 0)
		return xasprintf("%zu", image_uses_of(&l->clones, img->uuid));
	if (strcmp(field, "size") == 0)
		return text_of(jv_get(jv_at(jv_get(img->manifest, "files"), 0), "size"));
	return text_of(dig(img->manifest, field));
}

/* ---- filters, order ------------------------------------------------------- */

static bool matches(const struct listing *l, const struct image *img, const struct filter *f)
{
	cleanup_free char *text = field_text(l, img, f->field);

	/* A field that is not there is not true. */
	if (!text)
		return !f->part && strcmp(f->value, "false") == 0;
	return f->part ? strstr(text, f->value) != NULL : strcmp(text, f->value) == 0;
}

void listing_filter(struct listing *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->images.count; i++) {
		bool keep = true;

		for (size_t f = 0; keep && f < l->filter_count; f++)
			keep = matches(l, &l->images.items[i], &l->filters[f]);
		if (!keep) {
			image_done(&l->images.items[i]);
		} else {
			struct image img = l->images.items[i];

			l->images.items[kept++] = img;
		}
	}
	l->images.count = kept;
}

static bool is_number(const char *s, double *ret)
{
	char *end;

	*ret = strtod(s, &end);
	return *s && !*end;
}

static int compare_text(const char *a, const char *b)
{
	double x, y;

	if (!a || !b)
		return (a != NULL) - (b != NULL);
	if (is_number(a, &x) && is_number(b, &y))
		return (x > y) - (x < y);
	return strcmp(a, b);
}

/* For qsort_r(). */
static int compare_images(const void *pa, const void *pb, void *data)
{
	const struct listing *l = data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->sort_count; i++) {
		bool reverse = l->sort[i][0] == '-';
		const char *field = l->sort[i] + reverse;
		cleanup_free char *a = field_text(l, pa, field);
		cleanup_free char *b = field_text(l, pb, field);

		r = compare_text(a, b);
		r = reverse ? -r : r;
	}
	return r;
}

/* ---- output --------------------------------------------------------------- */

int listing_print(const struct listing *l, bool header, struct err *e)
{
	struct column columns[LISTING_FIELDS_MAX] = { 0 };
	const struct column *pointers[LISTING_FIELDS_MAX];
	char *headers[LISTING_FIELDS_MAX];
	struct table *t;
	int r;

	if (l->images.count == 0)
		return 0; /* not even a header */
	for (size_t i = 0; i < l->column_count; i++) {
		headers[i] = xstrdup(l->columns[i]);
		for (char *p = headers[i]; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		columns[i].name = l->columns[i];
		columns[i].header = headers[i];
		pointers[i] = &columns[i];
	}
	t = table_new(pointers, l->column_count);
	for (size_t row = 0; row < l->images.count; row++) {
		table_add_row(t);
		for (size_t i = 0; i < l->column_count; i++) {
			cleanup_free char *text =
				field_text(l, &l->images.items[row], l->columns[i]);

			if (text)
				table_set(t, i, text);
		}
	}
	r = table_print(t, stdout, TABLE_PLAIN, header, NULL, e);
	table_free(t);
	for (size_t i = 0; i < l->column_count; i++)
		free(headers[i]);
	return r;
}

/* ---- the command line ----------------------------------------------------- */

static size_t split(const char *text, char *ret[static LISTING_FIELDS_MAX])
{
	size_t n = 0;

	while (*text && n < LISTING_FIELDS_MAX) {
		size_t len = strcspn(text, ",");

		if (len)
			ret[n++] = xstrndup(text, len);
		text += len + (text[len] == ',');
	}
	return n;
}

/* "FIELD=VALUE" or "FIELD=~PART". */
static bool add_filter(struct listing *l, const char *arg)
{
	const char *eq = strchr(arg, '=');
	struct filter *f;

	if (!eq || eq == arg || l->filter_count == LISTING_FIELDS_MAX)
		return false;
	f = &l->filters[l->filter_count++];
	f->field = xstrndup(arg, (size_t)(eq - arg));
	f->part = eq[1] == '~';
	f->value = xstrdup(eq + 1 + f->part);
	return true;
}

bool listing_wants(const struct listing *l, const char *field)
{
	bool found = false;

	for (size_t i = 0; i < l->column_count; i++)
		found |= strcmp(l->columns[i], field) == 0;
	for (size_t i = 0; i < l->sort_count; i++)
		found |= strcmp(l->sort[i] + (l->sort[i][0] == '-'), field) == 0;
	for (size_t i = 0; i < l->filter_count; i++)
		found |= strcmp(l->filters[i].field, field) == 0;
	return found;
}

/* Is FIELD, as a user wrote it, taken from the member NAME of the manifest? */
static bool is_from(const char *field, const char *name, size_t len)
{
	if (listing_is_docker(field))
		field = "tags";
	field = strcmp(field, "size") == 0 ? "files" : field;
	return strncmp(field, name, len) == 0 && (field[len] == '\0' || field[len] == '.');
}

bool listing_needs(const void *data, const char *name, size_t len)
{
	const struct listing *l = data;
	bool found = false;

	for (size_t i = 0; i < l->column_count; i++)
		found |= is_from(l->columns[i], name, len);
	for (size_t i = 0; i < l->sort_count; i++)
		found |= is_from(l->sort[i] + (l->sort[i][0] == '-'), name, len);
	for (size_t i = 0; i < l->filter_count; i++)
		found |= is_from(l->filters[i].field, name, len);
	return found;
}

void listing_done(struct listing *l)
{
	image_list_done(&l->images);
	image_uses_done(&l->clones);
	for (size_t i = 0; i < l->filter_count; i++) {
		free(l->filters[i].field);
		free(l->filters[i].value);
	}
	for (size_t i = 0; i < l->column_count; i++)
		free(l->columns[i]);
	for (size_t i = 0; i < l->sort_count; i++)
		free(l->sort[i]);
}

int listing_begin(struct listing *l, struct cli_call *call, const char *columns,
		  const char *sort)
{
	columns = cli_get(call, "o") ? cli_get(call, "o") : columns;
	sort = cli_get(call, "s") ? cli_get(call, "s") : sort;
	l->column_count = split(columns, l->columns);
	l->sort_count = split(sort, l->sort);
	return l->column_count ? 0 : cli_wrong_use(call, "-o needs at least one field");
}

int listing_add_filters(struct listing *l, struct cli_call *call)
{
	for (int i = 0; i < cli_operands(call); i++)
		if (!add_filter(l, cli_operand(call, i)))
			return cli_wrong_use(call,
					     "'%s' is no filter; a filter is FIELD=VALUE or "
					     "FIELD=~PART",
					     cli_operand(call, i));
	return 0;
}

void listing_sort(struct listing *l)
{
	if (l->images.count)
		qsort_r(l->images.items, l->images.count, sizeof(*l->images.items),
			compare_images, l);
}

void listing_add(struct listing *l, const struct jv *manifest, const struct jv *source)
{
	struct image *img;

	l->images.items =
		xrealloc_array(l->images.items, l->images.count + 1, sizeof(*l->images.items));
	img = &l->images.items[l->images.count++];
	*img = (struct image){ .manifest = jv_copy(manifest), .meta = jv_object() };
	(void)snprintf(img->uuid, sizeof(img->uuid), "%s", jv_get_string(manifest, "uuid"));
	jv_set(img->meta, "source", source ? jv_copy(source) : jv_null());
}
