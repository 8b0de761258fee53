/* SPDX-License-Identifier: MIT */
#include "libimg/uses.h"

#include "base/alloc.h"
#include "base/path.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libstore/store.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAX ((size_t)16 << 20)

static void add(struct image_uses *u, const char *image, const char *user,
		enum image_use_kind kind)
{
	struct image_use *use;

	if (!image || !user || !uuid_is_valid(image) || !uuid_is_valid(user))
		return;
	for (size_t i = 0; i < u->count; i++)
		if (strcmp(u->items[i].image, image) == 0 &&
		    strcmp(u->items[i].user, user) == 0)
			return;
	u->items = xrealloc_array(u->items, u->count + 1, sizeof(*u->items));
	use = &u->items[u->count++];
	memcpy(use->image, image, UUID_STR);
	memcpy(use->user, user, UUID_STR);
	use->kind = kind;
}

static int add_clones(const struct host *h, struct image_uses *u, struct err *e)
{
	cleanup_close int fd = host_dir_existing(h, HOST_POOL, e);
	cleanup_free struct store_clone_of *clones = NULL;
	cleanup_store struct store *s = NULL;
	size_t count = 0;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = store_open(fd, &s, e);
	if (r == 0)
		r = store_clones(s, &clones, &count, e);
	for (size_t i = 0; r == 0 && i < count; i++)
		add(u, clones[i].image, clones[i].vm, IMAGE_USE_CLONE);
	return r;
}

static int add_children(const struct host *h, struct image_uses *u, struct err *e)
{
	cleanup_image_list struct image_list list = { 0 };
	int r = image_list_load(h, false, &list, e);

	for (size_t i = 0; r == 0 && i < list.count; i++)
		add(u, jv_get_string(list.items[i].manifest, "origin"), list.items[i].uuid,
		    IMAGE_USE_ORIGIN);
	return r;
}

static int add_record(int dirfd, const char *name, struct image_uses *u, struct err *e)
{
	cleanup_free char *vm = xstrndup(name, strlen(name) - strlen(".json"));
	cleanup_jv struct jv *v = NULL;
	const struct jv *disks;
	int r = jv_load(dirfd, name, RECORD_MAX, &v, e);

	if (r < 0)
		return r == -ENOENT ? 0 : err_wrap(e, r, "which images it needs is unknown");
	add(u, jv_get_string(v, "image_uuid"), vm, IMAGE_USE_RECORD);
	disks = jv_get(v, "disks");
	for (size_t i = 0; i < jv_len(disks); i++)
		add(u, jv_get_string(jv_at(disks, i), "image_uuid"), vm, IMAGE_USE_RECORD);
	return 0;
}

static int add_records(const struct host *h, struct image_uses *u, struct err *e)
{
	int fd = host_dir_existing(h, HOST_RECORDS, e), r = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = err_sys(e, "cannot read the folder of records");
		(void)close(fd);
		return r;
	}
	while (r == 0 && (r = path_next_entry(dir, &entry, e)) > 0) {
		r = 0;
		size_t len = strlen(entry->d_name);

		if (len == UUID_LEN + 5 && strcmp(entry->d_name + UUID_LEN, ".json") == 0)
			r = add_record(dirfd(dir), entry->d_name, u, e);
	}
	(void)closedir(dir);
	return r;
}

int image_uses_load(const struct host *h, bool records, struct image_uses *ret, struct err *e)
{
	struct image_uses u = { 0 };
	int r = add_clones(h, &u, e);

	if (r == 0)
		r = add_children(h, &u, e);
	if (r == 0 && records)
		r = add_records(h, &u, e);
	if (r < 0)
		image_uses_done(&u);
	else
		*ret = u;
	return r;
}

void image_uses_done(struct image_uses *u)
{
	free(u->items);
	*u = (struct image_uses){ 0 };
}

size_t image_uses_of(const struct image_uses *u, const char *image)
{
	size_t n = 0;

	for (size_t i = 0; i < u->count; i++)
		n += strcmp(u->items[i].image, image) == 0;
	return n;
}
