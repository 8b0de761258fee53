/* SPDX-License-Identifier: MIT */
/*
 * cmd_avail.c - avail: the images of all sources.
 */
#include "imgadm/listing.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "libsource/source.h"
#include "libsource/source_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- no image twice: the first source that has it counts ------------------- */

struct found {
	const char *uuid; /* borrowed from the answers */
	size_t source, at;
};

static int by_uuid(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;
	int r = strcmp(a->uuid, b->uuid);

	if (r == 0)
		r = (a->source > b->source) - (a->source < b->source);
	return r ? r : (a->at > b->at) - (a->at < b->at);
}

static size_t count_all(const struct source_answer *answers, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += jv_len(answers[i].value);
	return n;
}

static void add_found(struct listing *l, const struct source_answer *a, size_t at)
{
	cleanup_jv struct jv *url = jv_string(a->source->url);

	listing_add(l, jv_at(a->value, at), url);
}

static void merge(struct listing *l, const struct source_answer *answers, size_t count)
{
	size_t all = count_all(answers, count), n = 0;
	cleanup_free struct found *list = xcalloc(all + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < jv_len(answers[i].value); at++)
			list[n++] = (struct found){
				jv_get_string(jv_at(answers[i].value, at), "uuid"), i, at
			};
	qsort(list, n, sizeof(*list), by_uuid);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(list[i].uuid, list[i - 1].uuid) != 0)
			add_found(l, &answers[list[i].source], list[i].at);
}

/* ---- output --------------------------------------------------------------- */

static void print_json(const struct listing *l)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < l->images.count; i++) {
		struct jv *v = jv_object();

		jv_set(v, "manifest", jv_copy(l->images.items[i].manifest));
		jv_set(v, "source", jv_copy(jv_get(l->images.items[i].meta, "source")));
		jv_push(all, v);
	}
	imgadm_print_json(all);
}

/* What could be had was printed; now the rest. */
static int fail_sources(const struct cli_call *call, const struct source_answer *answers,
			size_t count)
{
	cleanup_buf struct buf b = BUF_INIT;
	const struct source_answer *last = NULL;
	size_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		if (answers[i].result == 0)
			continue;
		failed++;
		last = &answers[i];
		buf_addf(&b, "\n    error (%s): %s", last->code, last->err.msg);
	}
	if (failed > 1) {
		cleanup_free char *msg =
			xasprintf("multiple (%zu) errors%s", failed, buf_str(&b));

		return imgadm_fail(call, "MultiError", msg);
	}
	return failed ? imgadm_fail(call, last->code, last->err.msg) : 0;
}

static int ask_all(const struct cli_call *call, const struct sources *s, struct listing *l,
		   struct err *e)
{
	const struct source *list[SOURCES_MAX] = { NULL };
	struct source_answer answers[SOURCES_MAX];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].ops->lists)
			list[count++] = &s->items[i];
	source_ask(s, list, count, SOURCE_LIST, NULL, answers);
	merge(l, answers, count);
	listing_filter(l);
	listing_sort(l);
	if (cli_has(call, "json"))
		print_json(l);
	else
		r = listing_print(l, !cli_has(call, "H"), e);
	if (r == 0)
		r = fail_sources(call, answers, count);
	for (size_t i = 0; i < count; i++)
		source_answer_done(&answers[i]);
	return r;
}

int cmd_avail(struct cli_call *call, struct err *e)
{
	cleanup_listing struct listing l = { .column_count = 0 };
	cleanup_sources struct sources s = { 0 };
	struct host h = { .fd = -1 };
	int r = listing_begin(&l, call, LISTING_COLUMNS, LISTING_SORT);

	if (r == 0)
		r = listing_add_filters(&l, call);
	if (r == 0)
		r = imgadm_begin(call, &h);
	if (r == 0)
		r = imgadm_sources(call, &h, &s);
	if (r == 0)
		r = ask_all(call, &s, &l, e);
	host_close(&h);
	return r;
}
