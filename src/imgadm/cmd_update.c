/* SPDX-License-Identifier: MIT */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "libimg/import.h"
#include "libimg/refresh.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

struct update {
	const struct cli_call *call;
	const struct host *host;
	struct sources sources;
	struct jv *list; /* with -j */
	bool dry;
	int status;
};

/* "a, requirements.b" as an array. New. */
static struct jv *names(const char *text)
{
	struct jv *list = jv_array();

	while (*text) {
		size_t len = strcspn(text, ",");
		cleanup_free char *one = xstrndup(text, len);

		jv_push(list, jv_string(one));
		text += len;
		text += strspn(text, ", ");
	}
	return list;
}

static void say(const struct update *u, const char *uuid, const char *url,
		const struct buf *changed, size_t count, bool missing)
{
	const char *dry = u->dry ? "[dry-run] " : "";

	if (u->list) {
		struct jv *v = jv_object();

		jv_set(v, "uuid", jv_string(uuid));
		jv_set(v, "source", jv_string(url));
		jv_set(v, "changed", names(buf_str(changed)));
		jv_set(v, "added", jv_bool(missing));
		jv_push(u->list, v);
	} else if (missing) {
		(void)printf("%sAdded manifest info for image %s from \"%s\"\n", dry, uuid,
			     url);
	} else if (count) {
		(void)printf("%sUpdated %zu manifest field%s for image %s from \"%s\": %s\n",
			     dry, count, count == 1 ? "" : "s", uuid, url, buf_str(changed));
	}
	(void)fflush(stdout);
}

/* One that fails does not keep the others from being updated. */
static void update_one(struct update *u, const char *uuid)
{
	cleanup_buf struct buf changed = BUF_INIT;
	struct source_answer a;
	struct err e = { 0 };
	bool missing = false;
	size_t count = 0;
	int r = import_find(&u->sources, uuid, false, &a, &e);

	if (r == -ENOENT && strcmp(a.code, "ImageNotFound") == 0)
		(void)fprintf(stderr,
			      "warning: Could not find image %s in image sources (skipping)\n",
			      uuid);
	else if (r < 0)
		u->status = imgadm_fail(u->call, a.code, e.msg);
	if (r == 0) {
		r = image_refresh(u->host, uuid, jv_get(a.value, "manifest"), u->dry, &changed,
				  &count, &missing, &e);
		if (r == -ENOENT)
			u->status = imgadm_not_installed(u->call, uuid);
		else if (r < 0)
			u->status = imgadm_fail(u->call, "FileSystem", e.msg);
		else
			say(u, uuid, a.source->url, &changed, count, missing);
	}
	source_answer_done(&a);
}

/* By their folders: one without a manifest is to get one. */
static int update_all(struct update *u, struct err *e)
{
	int fd = host_dir_existing(u->host, HOST_IMAGES, e);
	struct dirent *entry;
	DIR *dir;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : imgadm_fail(u->call, "FileSystem", e->msg);
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return imgadm_fail(u->call, "FileSystem", "cannot read the folder of images");
	}
	while ((r = path_next_entry(dir, &entry, e)) > 0)
		if (uuid_is_valid(entry->d_name))
			update_one(u, entry->d_name);
	(void)closedir(dir);
	return r < 0 ? imgadm_fail(u->call, "FileSystem", e->msg) : u->status;
}

static int update(struct update *u, struct err *e)
{
	if (cli_operands(u->call) == 0)
		return update_all(u, e);
	for (int i = 0; i < cli_operands(u->call); i++) {
		const char *uuid = cli_operand(u->call, i);
		cleanup_image struct image img = { 0 };

		if (!uuid_is_valid(uuid) || image_load(u->host, uuid, &img, e) == -ENOENT)
			u->status = imgadm_load(u->call, u->host, uuid, &img);
		else
			update_one(u, uuid);
	}
	return u->status;
}

int cmd_update(struct cli_call *call, struct err *e)
{
	struct host h = { .fd = -1 };
	struct update u = { .call = call, .host = &h, .dry = cli_has(call, "dry-run") };
	int r = imgadm_begin(call, &h);

	if (cli_has(call, "json"))
		u.list = jv_array();
	if (r == 0)
		r = imgadm_sources(call, &h, &u.sources);
	if (r == 0)
		r = update(&u, e);
	if (u.list)
		imgadm_print_json(u.list);
	jv_unref(u.list);
	sources_done(&u.sources);
	host_close(&h);
	return r;
}
