/* SPDX-License-Identifier: MIT */
#include "imgadm/session.h"

#include "base/alloc.h"
#include "imgadm/import_layout.h"
#include "libimg/import.h"

/* -S: these instead of the configured ones, in this order. */
static int take_sources(const struct cli_call *call, const struct host *h, struct sources *s)
{
	struct err e = { 0 };

	if (cli_has(call, "S")) {
		while (s->count > 0)
			sources_remove(s, s->count - 1);
	}
	for (size_t i = 0; cli_get_nth(call, "S", i); i++) {
		const struct source_wish wish = { .url = cli_get_nth(call, "S", i) };
		struct source one = { 0 };

		if (i == SOURCES_MAX)
			return imgadm_fail(call, "InvalidArgument", "too many sources");
		if (source_make(h, &wish, &one, &e) < 0)
			return imgadm_fail(call, "InvalidArgument", e.msg);
		sources_add(s, &one);
	}
	if (cli_get(call, "arch"))
		sources_set_arch(s, cli_get(call, "arch"));
	if (cli_get(call, "C"))
		sources_set_channel(s, cli_get(call, "C"));
	return 0;
}

static void on_begin(void *data, size_t count, uint64_t total)
{
	cleanup_free char *title =
		xasprintf("Download %zu image%s", count, count == 1 ? "" : "s");

	session_catch_signals();
	session_bar(data, title, total);
}

static void print_result(const struct host *h, const struct import_result *res)
{
	cleanup_image struct image img = { 0 };
	cleanup_jv struct jv *v = jv_object();

	jv_set(v, "uuid", jv_string(res->uuid));
	jv_set(v, "outcome",
	       jv_string(res->outcome == INSTALL_DONE ? "installed" : "already installed"));
	jv_set(v, "installed", jv_int((int64_t)res->installed));
	if (image_load(h, res->uuid, &img, NULL) == 0)
		jv_set(v, "meta", jv_copy(img.meta));
	imgadm_print_json(v);
}

static int import_one(const struct cli_call *call, const struct host *h,
		      const struct sources *sources, const char *name, uint64_t limit)
{
	struct session s = session_begin(call);
	const struct import_request req = { .sources = sources,
					    .name = name,
					    .max_bytes = limit,
					    .say = session_say,
					    .note = session_note,
					    .begin = on_begin,
					    .progress = session_progress,
					    .data = &s,
					    .cancel = &session_interrupted };
	struct import_result res;
	struct err e = { 0 };
	int r = image_import(h, &req, &res, &e);

	session_end_bar(&s, r == 0);
	if (r < 0)
		return imgadm_fail(call, res.code[0] ? res.code : "FileSystem", e.msg);
	if (cli_has(call, "json"))
		print_result(h, &res);
	return 0;
}

int cmd_import(struct cli_call *call, struct err *e)
{
	cleanup_sources struct sources s = { 0 };
	unsigned long long limit = 0;
	struct host h = { .fd = -1 };
	int r;

	if (cli_get(call, "max-size") &&
	    cli_parse_size(cli_get(call, "max-size"), &limit, e) < 0)
		return cli_wrong_use(call, "--max-size: %s", e->msg);
	r = imgadm_begin(call, &h);
	if (r == 0)
		r = imgadm_sources(call, &h, &s);
	if (r == 0)
		r = take_sources(call, &h, &s);
	for (int i = 0; r == 0 && i < cli_operands(call); i++) {
		const char *name = cli_operand(call, i);

		r = import_is_layout(name) ? import_layout(call, &h, name, limit)
					   : import_one(call, &h, &s, name, limit);
	}
	host_close(&h);
	return r;
}
