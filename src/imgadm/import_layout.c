/* SPDX-License-Identifier: MIT */
/*
 * import_layout.c - import oci:DIR[:TAG]: the layers of an image in a folder, base first, each
 * installed as `install` does it. What is cut short goes on with the next layer.
 */
#include "imgadm/import_layout.h"

#include "base/alloc.h"
#include "imgadm/session.h"
#include "libimg/image.h"
#include "libimg/install.h"
#include "liboci/layout.h"
#include "liboci/oci.h"

#include <string.h>

#define SCHEME "oci:"

struct work {
	struct session session;
	const char *uuid;
};

static void on_begin(void *data, uint64_t total)
{
	struct session *s = data;
	const struct work *w = s->work;
	cleanup_free char *title = xasprintf("Install image %s", w->uuid);

	session_catch_signals();
	session_bar(s, title, total);
}

static const char *code_of(int r)
{
	const char *code = oci_error_code(r);

	return code ? code : imgadm_local_code(r);
}

static int install_layer(const struct host *h, const struct layout_ref *ref,
			 const struct jv *layer, uint64_t limit, struct work *w, struct err *e)
{
	cleanup_free char *file = layout_blob(ref, jv_get_string(layer, "digest"));
	cleanup_free char *line = NULL;
	const struct install_request req = { .manifest = jv_get(layer, "manifest"),
					     .file = file,
					     .max_bytes = limit,
					     .progress = session_progress,
					     .note = session_note,
					     .begin = on_begin,
					     .data = &w->session,
					     .cancel = &session_interrupted };
	enum install_outcome outcome;
	int r = image_check_installable(req.manifest, e);

	w->uuid = jv_get_string(req.manifest, "uuid");
	if (r == 0)
		r = image_install(h, &req, &outcome, e);
	session_end_bar(&w->session, r == 0);
	if (r < 0)
		return r;
	line = xasprintf("%s %s (%s@%s)%s",
			 outcome == INSTALL_DONE ? "Imported image" : "Image", w->uuid,
			 jv_get_string(req.manifest, "name"),
			 jv_get_string(req.manifest, "version"),
			 outcome == INSTALL_DONE ? "" : " is already installed, skipping");
	session_say(&w->session, line);
	return 0;
}

static void print_result(const struct host *h, const char *uuid, bool was_there)
{
	cleanup_image struct image img = { 0 };
	cleanup_jv struct jv *v = jv_object();

	jv_set(v, "uuid", jv_string(uuid));
	jv_set(v, "outcome", jv_string(was_there ? "already installed" : "installed"));
	if (image_load(h, uuid, &img, NULL) == 0)
		jv_set(v, "meta", jv_copy(img.meta));
	imgadm_print_json(v);
}

bool import_is_layout(const char *name)
{
	return strncmp(name, SCHEME, strlen(SCHEME)) == 0 &&
	       (name[strlen(SCHEME)] == '/' || name[strlen(SCHEME)] == '.');
}

int import_layout(const struct cli_call *call, const struct host *h, const char *name,
		  uint64_t limit)
{
	cleanup_layout_ref struct layout_ref ref = { 0 };
	struct work w = { .session = session_begin(call) };
	cleanup_jv struct jv *layers = NULL;
	cleanup_image struct image before = { 0 };
	struct err e = { 0 };
	const char *uuid;
	bool was_there;
	int r = layout_ref_parse(name + strlen(SCHEME), &ref, &e);

	w.session.work = &w;
	if (r == 0)
		r = layout_read(&ref, cli_get(call, "arch"), &layers, &e);
	if (r < 0)
		return imgadm_fail(call, code_of(r), e.msg);
	uuid = jv_get_string(jv_get(jv_at(layers, 0), "manifest"), "uuid");
	was_there = image_load(h, uuid, &before, NULL) == 0;
	for (size_t i = jv_len(layers); r == 0 && i > 0; i--)
		r = install_layer(h, &ref, jv_at(layers, i - 1), limit, &w, &e);
	if (r < 0)
		return imgadm_fail(call, code_of(r), e.msg);
	if (cli_has(call, "json"))
		print_result(h, uuid, was_there);
	return 0;
}
