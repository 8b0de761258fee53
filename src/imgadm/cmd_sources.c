/* SPDX-License-Identifier: MIT */
/*
 * cmd_sources.c - sources: list, add, delete, check. cmd_sources_edit.c has -e.
 */
#include "imgadm/sources.h"

#include "base/alloc.h"
#include "base/table.h"
#include "libsource/source_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DOCKER_HUB "https://docker.io"

/* ---- showing -------------------------------------------------------------- */

static const struct column column_url = { .name = "url", .header = "URL" };
static const struct column column_type = { .name = "type", .header = "TYPE" };
static const struct column column_insecure = { .name = "insecure", .header = "INSECURE" };
static const struct column column_ok = { .name = "ok", .header = "OK" };
static const struct column column_error = { .name = "error", .header = "ERROR" };

static void print_json(const struct sources *s)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < s->count; i++) {
		struct jv *v = jv_object();

		jv_set(v, "url", jv_string(s->items[i].url));
		jv_set(v, "type", jv_string(s->items[i].ops->type));
		jv_set(v, "insecure", jv_bool(s->items[i].insecure));
		jv_push(all, v);
	}
	imgadm_print_json(all);
}

static int print_long(const struct sources *s, struct err *e)
{
	static const struct column *const columns[] = { &column_url, &column_type,
							&column_insecure };
	cleanup_table struct table *t = table_new(columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < s->count; i++) {
		table_add_row(t);
		table_set(t, 0, s->items[i].url);
		table_set(t, 1, s->items[i].ops->type);
		table_set(t, 2, s->items[i].insecure ? "true" : "false");
	}
	return s->count ? table_print(t, stdout, TABLE_PLAIN, true, NULL, e) : 0;
}

static int list(const struct cli_call *call, const struct sources *s, struct err *e)
{
	if (cli_has(call, "json")) {
		print_json(s);
		return 0;
	}
	if (cli_has(call, "verbose"))
		return print_long(s, e);
	for (size_t i = 0; i < s->count; i++)
		(void)puts(s->items[i].url);
	return 0;
}

/* ---- asking whether they are there ---------------------------------------- */

static void print_answers(const struct source_answer *answers, size_t count)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t i = 0; i < count; i++) {
		bool ok = answers[i].result == 0;
		struct jv *v = jv_object();

		jv_set(v, "url", jv_string(answers[i].source->url));
		jv_set(v, "type", jv_string(answers[i].source->ops->type));
		jv_set(v, "ok", jv_bool(ok));
		jv_set(v, "error", ok ? jv_null() : jv_string(answers[i].err.msg));
		jv_push(all, v);
	}
	imgadm_print_json(all);
}

static int print_table(const struct source_answer *answers, size_t count, struct err *e)
{
	static const struct column *const columns[] = { &column_url, &column_type, &column_ok,
							&column_error };
	cleanup_table struct table *t = table_new(columns, ARRAY_SIZE(columns));

	for (size_t i = 0; i < count; i++) {
		table_add_row(t);
		table_set(t, 0, answers[i].source->url);
		table_set(t, 1, answers[i].source->ops->type);
		table_set(t, 2, answers[i].result == 0 ? "true" : "false");
		if (answers[i].result < 0)
			table_set(t, 3, answers[i].err.msg);
	}
	return count ? table_print(t, stdout, TABLE_PLAIN, true, NULL, e) : 0;
}

static int check(const struct cli_call *call, const struct sources *s, struct err *e)
{
	struct source_answer answers[SOURCES_MAX];
	const struct source *asked[SOURCES_MAX];
	int r = 0;

	for (size_t i = 0; i < s->count; i++)
		asked[i] = &s->items[i];
	source_ask(s, asked, s->count, SOURCE_PING, NULL, answers);
	if (cli_has(call, "json"))
		print_answers(answers, s->count);
	else
		r = print_table(answers, s->count, e);
	for (size_t i = 0; i < s->count; i++)
		source_answer_done(&answers[i]);
	return r;
}

/* A server whose certificate is not believed stays unusable when it is added by force. */
static const char *hint(const struct source_answer *a)
{
	if (a->result == -ENOKEY)
		return "--ca-file FILE names the authority to trust, -k checks no certificate";
	return "-f adds it all the same";
}

static int ping(const struct cli_call *call, const struct sources *s, const struct source *one)
{
	struct source_answer a;
	int r = 0;

	source_ask(s, &one, 1, SOURCE_PING, NULL, &a);
	if (a.result < 0) {
		cleanup_free char *msg =
			xasprintf("unexpected ping error to image source \"%s\" (%s): %s; %s",
				  one->url, one->ops->type, a.err.msg, hint(&a));

		r = imgadm_fail(call, "SourcePing", msg);
	}
	source_answer_done(&a);
	return r;
}

/* ---- changing ------------------------------------------------------------- */

static int store(const struct cli_call *call, const struct host *h, const struct sources *s)
{
	struct err e = { 0 };

	return sources_store(h, s, &e) < 0 ? imgadm_fail(call, "FileSystem", e.msg) : 0;
}

static int add_made(const struct cli_call *call, const struct host *h, struct sources *s,
		    struct source *one)
{
	const struct source *there = sources_have(s, one);
	int r;

	if (there) {
		sources_say("Already have", there, ", no change");
		return 0;
	}
	if (s->count == SOURCES_MAX)
		return imgadm_fail(call, "ConfigError", "there are too many sources");
	r = cli_has(call, "force") ? 0 : ping(call, s, one);
	if (r != 0)
		return r;
	sources_add(s, one);
	r = store(call, h, s);
	if (r == 0)
		sources_say("Added", &s->items[s->count - 1], "");
	return r;
}

static int add(const struct cli_call *call, const struct host *h, struct sources *s)
{
	bool hub = cli_has(call, "add-docker-hub");
	const struct source_wish wish = { .url = hub ? DOCKER_HUB : cli_get(call, "a"),
					  .type = hub ? "docker" : cli_get(call, "t"),
					  .insecure = cli_has(call, "insecure"),
					  .ca_file = cli_get(call, "ca-file"),
					  .key_file = cli_get(call, "public-key"),
					  .login = cli_get(call, "login"),
					  .login_key = cli_get(call, "login-key") };
	struct source one = { 0 };
	struct err e = { 0 };
	int r;

	if (source_make(h, &wish, &one, &e) < 0)
		return imgadm_fail(call, "InvalidArgument", e.msg);
	r = add_made(call, h, s, &one);
	source_done(&one);
	return r;
}

static int delete (const struct cli_call *call, const struct host *h, struct sources *s)
{
	struct err e = { 0 };
	cleanup_free char *url = source_normalise(cli_get(call, "d"), &e);
	size_t gone = 0;
	int r = 0;

	if (!url)
		return imgadm_fail(call, "InvalidArgument", e.msg);
	for (size_t i = s->count; i > 0; i--)
		if (strcmp(s->items[i - 1].url, url) == 0) {
			sources_say("Deleted", &s->items[i - 1], "");
			sources_remove(s, i - 1);
			gone++;
		}
	if (gone)
		r = store(call, h, s);
	else
		(void)printf("Do not have image source \"%s\", no change\n", url);
	return r;
}

static int change(const struct cli_call *call, const struct host *h, struct err *e)
{
	cleanup_close int lock = sources_lock(h, e);
	cleanup_sources struct sources s = { 0 };
	int r;

	if (lock < 0)
		return imgadm_fail(call, "FileSystem", e->msg);
	r = imgadm_sources(call, h, &s);
	if (r != 0)
		return r;
	if (cli_has(call, "a") || cli_has(call, "add-docker-hub"))
		return add(call, h, &s);
	return cli_has(call, "d") ? delete (call, h, &s) : sources_edit(call, h, &s);
}

int cmd_sources(struct cli_call *call, struct err *e)
{
	int adds = cli_has(call, "a") + cli_has(call, "add-docker-hub");
	bool changes = adds || cli_has(call, "d") || cli_has(call, "e");
	cleanup_sources struct sources s = { 0 };
	struct host h = { .fd = -1 };
	int r;

	if (adds + cli_has(call, "d") + cli_has(call, "e") + cli_has(call, "check") > 1)
		return cli_wrong_use(call, "only one of -a, -c, -d and -e at a time");
	r = imgadm_begin(call, &h);
	if (r == 0 && changes)
		r = change(call, &h, e);
	else if (r == 0 && (r = imgadm_sources(call, &h, &s)) == 0)
		r = cli_has(call, "check") ? check(call, &s, e) : list(call, &s, e);
	host_close(&h);
	return r;
}
