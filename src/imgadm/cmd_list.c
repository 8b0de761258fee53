/* SPDX-License-Identifier: MIT */
/*
 * cmd_list.c - the installed images as a table or JSON.
 *
 * A column is any field of the manifest, dotted names reach into it, or one of
 * the computed ones.
 */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "base/table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX     64
#define DEFAULT_COLUMNS "uuid,name,version,os,type,pub"
#define DEFAULT_SORT    "published_at,name"

struct filter {
	char *field;
	char *value;
	bool part; /* "=~": somewhere in it */
};

struct listing {
	struct image_list images;
	struct imgadm_clones clones;
	struct filter filters[COLUMNS_MAX];
	size_t filter_count;
	char *columns[COLUMNS_MAX];
	size_t column_count;
	char *sort[COLUMNS_MAX];
	size_t sort_count;
};

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
	if (strcmp(field, "published") == 0)
		return published(img, 0);
	if (strcmp(field, "published_date") == 0 || strcmp(field, "pub") == 0)
		return published(img, 10);
	if (strcmp(field, "source") == 0)
		return text_of(jv_get(img->meta, "source"));
	if (strcmp(field, "zpool") == 0)
		return xstrdup(IMGADM_POOL);
	if (strcmp(field, "clones") == 0)
		return xasprintf("%zu", imgadm_clones_of(&l->clones, img->uuid));
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

static void drop_unmatched(struct listing *l)
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

static int print_table(const struct listing *l, bool header, struct err *e)
{
	struct column columns[COLUMNS_MAX] = { 0 };
	const struct column *pointers[COLUMNS_MAX];
	char *headers[COLUMNS_MAX];
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

static void print_json(const struct listing *l)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < l->images.count; i++) {
		const struct image *img = &l->images.items[i];
		struct jv *v = imgadm_describe(img);

		jv_set(v, "cloneNames", imgadm_clone_names(&l->clones, img->uuid));
		jv_set(v, "clones", jv_int((int64_t)imgadm_clones_of(&l->clones, img->uuid)));
		jv_push(all, v);
	}
	imgadm_print_json(all);
}

/* ---- the command line ----------------------------------------------------- */

static size_t split(const char *text, char *ret[static COLUMNS_MAX])
{
	size_t n = 0;

	while (*text && n < COLUMNS_MAX) {
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

	if (!eq || eq == arg || l->filter_count == COLUMNS_MAX)
		return false;
	f = &l->filters[l->filter_count++];
	f->field = xstrndup(arg, (size_t)(eq - arg));
	f->part = eq[1] == '~';
	f->value = xstrdup(eq + 1 + f->part);
	return true;
}

/* Does FIELD show anywhere? What is dear to find out is found out only then. */
static bool wants(const struct listing *l, const struct cli_call *call, const char *field)
{
	bool found = cli_has(call, "json");

	for (size_t i = 0; i < l->column_count; i++)
		found |= strcmp(l->columns[i], field) == 0;
	for (size_t i = 0; i < l->sort_count; i++)
		found |= strcmp(l->sort[i] + (l->sort[i][0] == '-'), field) == 0;
	for (size_t i = 0; i < l->filter_count; i++)
		found |= strcmp(l->filters[i].field, field) == 0;
	return found;
}

static void listing_done(struct listing *l)
{
	image_list_done(&l->images);
	imgadm_clones_done(&l->clones);
	for (size_t i = 0; i < l->filter_count; i++) {
		free(l->filters[i].field);
		free(l->filters[i].value);
	}
	for (size_t i = 0; i < l->column_count; i++)
		free(l->columns[i]);
	for (size_t i = 0; i < l->sort_count; i++)
		free(l->sort[i]);
}

static int load(struct listing *l, const struct cli_call *call, const struct host *h,
		struct err *e)
{
	int r = image_list_load(h, wants(l, call, "source"), &l->images, e);

	if (r == 0 && wants(l, call, "clones"))
		r = imgadm_clones_load(h, &l->clones, e);
	if (r < 0)
		return imgadm_fail(call, "FileSystem", e->msg);
	if (l->images.unreadable)
		(void)fprintf(stderr, "warning: %zu images cannot be read; one of them: %s\n",
			      l->images.unreadable, l->images.error.msg);
	drop_unmatched(l);
	/* They come by published_at and name. */
	if (cli_has(call, "s") && l->images.count)
		qsort_r(l->images.items, l->images.count, sizeof(*l->images.items),
			compare_images, l);
	return 0;
}

int cmd_list(struct cli_call *call, struct err *e)
{
	const char *columns = cli_get(call, "o"), *sort = cli_get(call, "s");
	struct host h = { .fd = -1 };
	struct listing l = { 0 };
	int r = 0;

	l.column_count = split(columns ? columns : DEFAULT_COLUMNS, l.columns);
	l.sort_count = split(sort ? sort : DEFAULT_SORT, l.sort);
	if (l.column_count == 0)
		r = cli_wrong_use(call, "-o needs at least one field");
	for (int i = 0; r == 0 && i < cli_operands(call); i++)
		if (!add_filter(&l, cli_operand(call, i)))
			r = cli_wrong_use(call,
					  "'%s' is no filter; a filter is FIELD=VALUE or "
					  "FIELD=~PART",
					  cli_operand(call, i));
	if (r == 0)
		r = imgadm_begin(call, &h);
	if (r == 0)
		r = load(&l, call, &h, e);
	if (r == 0 && cli_has(call, "json"))
		print_json(&l);
	else if (r == 0)
		r = print_table(&l, !cli_has(call, "H"), e);
	host_close(&h);
	listing_done(&l);
	return r;
}
