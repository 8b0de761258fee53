/* SPDX-License-Identifier: MIT */
#include "libimg/import.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/import_private.h"
#include "libimg/leftovers.h"
#include "libimg/pool.h"
#include "libimg/refresh.h"
#include "libsource/source_ops.h"
#include "libstore/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *import_title(const struct jv *manifest, const char *between)
{
	const char *name = jv_get_string(manifest, "name");
	const char *version = jv_get_string(manifest, "version");

	return name ? xasprintf(" (%s%s%s)", name, between, version ? version : "")
		    : xstrdup("");
}

void import_say(const struct import *im, const char *fmt, ...)
{
	char line[ERR_MSG_MAX];
	va_list args;

	if (!im->req->say)
		return;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	im->req->say(im->req->data, line);
}

int import_fail(struct import *im, const char *code, int r)
{
	(void)snprintf(im->result->code, sizeof(im->result->code), "%s", code);
	return r;
}

/* ---- finding -------------------------------------------------------------- */

static bool is_active(const struct jv *image)
{
	const char *state = jv_get_string(jv_get(image, "manifest"), "state");

	return !state || strcmp(state, "active") == 0;
}

/* Errors of the sources that could not be asked: they may have it. */
struct troubles {
	size_t registries,
		elsewhere; /* asked; and which of them are not the one that is named */
	struct buf text;
	char code[SOURCE_CODE_MAX];
	struct err first;
	size_t count;
};

static void add_trouble(struct troubles *t, const struct source_answer *a)
{
	if (t->count++ == 0) {
		t->first = a->err;
		memcpy(t->code, a->code, sizeof(t->code));
	}
	if (t->text.len < ERR_MSG_MAX)
		buf_addf(&t->text, "\n    error (%s): %s", a->code, a->err.msg);
}

static int not_found(const struct troubles *t, const char *name, bool active,
		     struct source_answer *ret, struct err *e)
{
	if (t->count == 1) {
		memcpy(ret->code, t->code, sizeof(ret->code));
		return err_set(e, t->first.code, "%s", t->first.msg);
	}
	if (t->count > 1) {
		(void)snprintf(ret->code, sizeof(ret->code), "MultiError");
		return err_set(e, t->first.code, "multiple (%zu) errors%s", t->count,
			       buf_str(&t->text));
	}
	(void)snprintf(ret->code, sizeof(ret->code), "%s",
		       active ? "ActiveImageNotFound" : "ImageNotFound");
	if (t->elsewhere > 0 && t->elsewhere == t->registries)
		return err_set(e, -ENOENT,
			       "image \"%.200s\" was not found: its registry is not among "
			       "the sources (imgadm sources -t docker -a URL adds it)",
			       name);
	if (active)
		return err_set(e, -ENOENT,
			       "an active image \"%.200s\" was not found in image sources",
			       name);
	return err_set(e, -ENOENT, "image \"%.200s\" was not found", name);
}

int import_find(const struct sources *sources, const char *name, bool active,
		struct source_answer *ret, struct err *e)
{
	struct troubles troubles = { .count = 0 };
	bool taken = false, found = false;
	int r;

	*ret = (struct source_answer){ 0 };
	for (size_t i = 0; !found && i < sources->count; i++) {
		const struct source *s = &sources->items[i];

		if (!s->ops->takes(name))
			continue;
		taken = true;
		source_ask(sources, &s, 1, SOURCE_GET, name, ret);
		found = ret->result == 0 && (!active || is_active(ret->value));
		troubles.registries += !s->ops->lists;
		troubles.elsewhere += ret->result == -EXDEV;
		if (ret->result < 0 && ret->result != -ENOENT && ret->result != -EXDEV)
			add_trouble(&troubles, ret);
		if (!found)
			source_answer_done(ret);
	}
	r = found ? 0 : not_found(&troubles, name, active, ret, e);
	if (!found && !taken && sources->count == 0) {
		(void)snprintf(ret->code, sizeof(ret->code), "NoSources");
		r = err_set(e, -ENOENT, "imgadm has no configured sources");
	} else if (!found && !taken) {
		(void)snprintf(ret->code, sizeof(ret->code), "Usage");
		r = err_set(e, -EINVAL,
			    "\"%.200s\" is no image UUID, nor what a configured "
			    "source takes",
			    name);
	}
	buf_done(&troubles.text);
	return r;
}

/* ---- the whole ------------------------------------------------------------ */

static void import_done(struct import *im)
{
	for (size_t i = 0; i < im->count; i++) {
		download_close(&im->items[i].download);
		close_p(&im->items[i].lock);
		jv_unref(im->items[i].image);
	}
	close_p(&im->base_lock);
	close_p(&im->dirfd);
	store_close(im->store);
	free(im);
}

/* By its UUID it can be there before anybody is asked. */
static bool is_there(struct import *im, const char *uuid)
{
	cleanup_image struct image img = { 0 };
	cleanup_free char *title = NULL;

	if (!uuid_is_valid(uuid) || image_load(im->host, uuid, &img, NULL) < 0)
		return false;
	title = import_title(img.manifest, " ");
	import_say(im, "Image %s%s is already installed, skipping", uuid, title);
	memcpy(im->result->uuid, uuid, UUID_STR);
	im->result->outcome = INSTALL_WAS_THERE;
	return true;
}

static int find(struct import *im, struct source_answer *top, struct err *e)
{
	int r = import_find(im->req->sources, im->req->name, true, top, e);
	const char *uuid;

	if (r < 0)
		return import_fail(im, top->code, r);
	im->source = top->source;
	uuid = jv_get_string(jv_get(top->value, "manifest"), "uuid");
	memcpy(im->result->uuid, uuid, UUID_STR);
	return 0;
}

/* The tags of MANIFEST get those names that the same image had before. */
static void keep_names(struct jv *manifest, const struct jv *old)
{
	static const char *const same[] = { "docker:id", "docker:repo" };
	struct jv *tags = jv_get(manifest, "tags");
	const struct jv *had = jv_get(old, "tags");

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (!jv_equal(jv_get(tags, same[i]), jv_get(had, same[i])))
			return;
	for (void *it = jv_iter(had); it; it = jv_iter_next(had, it))
		if (strncmp(jv_iter_key(it), "docker:tag:", 11) == 0)
			jv_set(tags, jv_iter_key(it), jv_copy(jv_iter_value(it)));
}

/*
 * The layers are here, from another image or under another name: what is asked for is
 * known by its name from now on, and what it runs.
 */
static int learn_name(struct import *im, const struct source_answer *top, struct err *e)
{
	const struct jv *manifest = jv_get(top->value, "manifest");
	const char *type = jv_get_string(manifest, "type");
	cleanup_image struct image img = { 0 };
	cleanup_buf struct buf changed = BUF_INIT;
	cleanup_jv struct jv *m = NULL;
	bool missing = false;
	size_t count = 0;
	int r;

	if (!type || strcmp(type, "docker") != 0)
		return 0;
	r = image_load(im->host, im->result->uuid, &img, e);
	if (r < 0)
		return r;
	m = jv_copy(manifest);
	keep_names(m, img.manifest);
	r = image_refresh(im->host, im->result->uuid, m, false, &changed, &count, &missing, e);
	if (r == 0 && count)
		import_say(im, "Image %s is now %s as well", im->result->uuid, im->req->name);
	return r;
}

static int get_all(struct import *im, struct source_answer *top, struct err *e)
{
	cleanup_free char *title = import_title(jv_get(top->value, "manifest"), "@");
	int r;

	import_say(im, "Importing %s%s from \"%s\"", im->result->uuid, title, im->source->url);
	import_say(im, "Gather image %s ancestry", im->result->uuid);
	r = import_gather(im, top, e);
	if (r == 0)
		r = import_lock(im, e);
	if (r < 0)
		return r;
	if (im->items[0].done) {
		im->result->outcome = INSTALL_CAME_MEANWHILE;
		import_say(im, "Image %s%s was imported while waiting on lock",
			   im->result->uuid, title);
		return 0;
	}
	return import_run(im, e);
}

int image_import(const struct host *h, const struct import_request *req,
		 struct import_result *ret, struct err *e)
{
	struct import *im = xcalloc(1, sizeof(*im));
	struct source_answer top = { 0 };
	int r;

	*ret = (struct import_result){ .outcome = INSTALL_DONE };
	im->host = h;
	im->req = req;
	im->result = ret;
	im->base_lock = im->dirfd = -1;
	r = image_pool_open(h, &im->store, e);
	if (r == 0) {
		image_clean_partials(h, im->store);
		image_clean_downloads(h);
	}
	if (r == 0 && !is_there(im, req->name)) {
		r = find(im, &top, e);
		/* A name that is no UUID is known by its own only now. */
		if (r == 0 && !uuid_is_valid(req->name) && is_there(im, ret->uuid))
			r = learn_name(im, &top, e);
		else if (r == 0)
			r = get_all(im, &top, e);
	}
	source_answer_done(&top);
	import_done(im);
	return r;
}
