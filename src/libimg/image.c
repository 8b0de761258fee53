/* SPDX-License-Identifier: MIT */
#include "libimg/image.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/jv_skim.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "libmanifest/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int not_installed(const char *uuid, struct err *e)
{
	return err_set(e, -ENOENT, "image '%s' is not installed", uuid);
}

static int open_images(const struct host *h, struct err *e)
{
	return host_dir_existing(h, HOST_IMAGES, e);
}

/* The fields that everybody relies on; the rest was checked when it was installed. */
static int check_basics(const struct jv *m, const char *uuid, struct err *e)
{
	static const char *const strings[] = { "name", "type", "os" };
	const char *own = jv_get_string(m, "uuid");

	if (!own || strcmp(own, uuid) != 0)
		return err_set(e, -EINVAL, "the manifest of image '%s' has another uuid", uuid);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (!jv_get(m, strings[i]))
			return err_set(e, -EINVAL, "the manifest of image '%s' has no '%s'",
				       uuid, strings[i]);
	return 0;
}

static int load_at(int imagesfd, const char *uuid, bool with_meta, struct image *ret,
		   struct err *e)
{
	cleanup_jv struct jv *manifest = NULL;
	cleanup_close int dir = -1;
	struct jv *meta = NULL;
	int r;

	dir = openat(imagesfd, uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? not_installed(uuid, e)
				       : err_sys(e, "cannot open image '%s'", uuid);
	r = jv_load(dir, "manifest.json", IMAGE_MANIFEST_MAX, &manifest, e);
	if (r == 0)
		r = check_basics(manifest, uuid, e);
	if (r < 0)
		return r == -ENOENT ? err_set(e, -EIO, "image '%s' has no manifest.json", uuid)
				    : err_wrap(e, r, "image '%s'", uuid);
	/* It only tells where the image is from. */
	if (!with_meta || jv_load(dir, "meta.json", IMAGE_MANIFEST_MAX, &meta, NULL) < 0 ||
	    jv_type(meta) != JV_OBJECT) {
		jv_unref(meta);
		meta = jv_object();
	}
	memcpy(ret->uuid, uuid, UUID_STR);
	ret->manifest = take_ptr(manifest);
	ret->meta = meta;
	return 0;
}

int image_load(const struct host *h, const char *uuid, struct image *ret_image, struct err *e)
{
	cleanup_close int fd = -1;

	if (!uuid_is_valid(uuid))
		return err_set(e, -EINVAL, "'%s' is not the UUID of an image", uuid);
	fd = open_images(h, e);
	if (fd < 0)
		return fd == -ENOENT ? not_installed(uuid, e) : fd;
	return load_at(fd, uuid, true, ret_image, e);
}

void image_done(struct image *img)
{
	jv_unref(img->manifest);
	jv_unref(img->meta);
	*img = (struct image){ 0 };
}

const char *image_name(const struct image *img)
{
	return jv_get_string(img->manifest, "name");
}

const char *image_version(const struct image *img)
{
	return jv_get_string(img->manifest, "version");
}

const char *image_type(const struct image *img)
{
	return jv_get_string(img->manifest, "type");
}

const char *image_os(const struct image *img)
{
	return jv_get_string(img->manifest, "os");
}

struct jv *image_requirement(const struct image *img, const char *key)
{
	return jv_get(jv_get(img->manifest, "requirements"), key);
}

static int compare(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_age(const void *pa, const void *pb)
{
	const struct image *a = pa, *b = pb;
	int r = compare(jv_get_string(a->manifest, "published_at"),
			jv_get_string(b->manifest, "published_at"));

	if (r == 0)
		r = compare(image_name(a), image_name(b));
	return r ? r : strcmp(a->uuid, b->uuid);
}

/* ---- lists ---------------------------------------------------------------- */

struct selection {
	bool with_meta;
	bool (*wanted)(const void *data, const char *name, size_t len); /* NULL: all */
	const void *data;
};

static bool is_selected(const void *data, const char *name, size_t len)
{
	static const char *const basics[] = { "uuid", "name", "version",
					      "type", "os",   "published_at" };
	const struct selection *sel = data;

	for (size_t i = 0; i < ARRAY_SIZE(basics); i++)
		if (strlen(basics[i]) == len && memcmp(basics[i], name, len) == 0)
			return true;
	return sel->wanted(sel->data, name, len);
}

/* What is wanted of one. False: whatever is odd about it, load_at() has to say. */
static bool load_some(int imagesfd, const char *uuid, const struct selection *sel,
		      struct image *ret)
{
	cleanup_buf struct buf few = BUF_INIT;
	cleanup_free char *text = NULL;
	cleanup_jv struct jv *manifest = NULL;
	char path[UUID_STR + sizeof("/manifest.json")];
	size_t len;

	(void)snprintf(path, sizeof(path), "%.36s/manifest.json", uuid);
	if (file_read_all(imagesfd, path, IMAGE_MANIFEST_MAX, &text, &len, NULL) < 0 ||
	    !jv_skim(text, len, is_selected, sel, &few) ||
	    jv_parse(buf_str(&few), few.len, path, &manifest, NULL) < 0 ||
	    check_basics(manifest, uuid, NULL) < 0)
		return false;
	memcpy(ret->uuid, uuid, UUID_STR);
	ret->manifest = take_ptr(manifest);
	ret->meta = jv_object();
	return true;
}

static int load_selected(int imagesfd, const char *uuid, const struct selection *sel,
			 struct image *ret, struct err *e)
{
	if (sel->wanted && !sel->with_meta && load_some(imagesfd, uuid, sel, ret))
		return 0;
	return load_at(imagesfd, uuid, sel->with_meta, ret, e);
}

/* One that is damaged must not hide the others. */
static int load_all(DIR *dir, const struct selection *sel, struct image_list *list,
		    struct err *e)
{
	size_t cap = 0;
	struct dirent *entry;
	int r, end;

	while ((end = path_next_entry(dir, &entry, e)) > 0) {
		if (!uuid_is_valid(entry->d_name))
			continue;
		if (list->count == cap) {
			cap = cap ? 2 * cap : 64;
			list->items = xrealloc_array(list->items, cap, sizeof(*list->items));
		}
		r = load_selected(dirfd(dir), entry->d_name, sel, &list->items[list->count],
				  &list->error);
		if (r == 0)
			list->count++;
		else if (r != -ENOENT) /* else deleted meanwhile */
			list->unreadable++;
	}
	return end;
}

int image_list_load(const struct host *h, bool with_meta, struct image_list *ret_list,
		    struct err *e)
{
	return image_list_load_some(h, with_meta, NULL, NULL, ret_list, e);
}

int image_list_load_some(const struct host *h, bool with_meta,
			 bool (*wanted)(const void *data, const char *name, size_t name_len),
			 const void *data, struct image_list *ret_list, struct err *e)
{
	const struct selection sel = { with_meta, wanted, data };
	struct image_list list = { 0 };
	int fd = open_images(h, e);
	DIR *dir;
	int r;

	if (fd == -ENOENT) {
		*ret_list = list;
		return 0;
	}
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		r = err_sys(e, "cannot read the folder of images");
		(void)close(fd);
		return r;
	}
	r = load_all(dir, &sel, &list, e);
	(void)closedir(dir);
	if (r < 0) {
		image_list_done(&list);
		return r;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_age);
	*ret_list = list;
	return 0;
}

void image_list_done(struct image_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		image_done(&list->items[i]);
	free(list->items);
	*list = (struct image_list){ 0 };
}

static int lock(const struct host *h, const char *uuid, enum lock_mode mode, int wait_ms,
		struct err *e)
{
	cleanup_close int dir = -1;
	char name[sizeof("image.") + UUID_LEN];

	if (!uuid_is_valid(uuid))
		return err_set(e, -EINVAL, "'%s' is not the UUID of an image", uuid);
	/* Not the UUID alone: a VM may have the same, and holds its lock while it clones. */
	(void)snprintf(name, sizeof(name), "image.%s", uuid);
	log_debug("lock of image %s, %s", uuid, mode == LOCK_SHARED ? "shared" : "exclusive");
	dir = host_dir(h, HOST_LOCKS, 0700, e);
	return dir < 0 ? dir : lock_take(dir, name, mode, wait_ms, e);
}

int image_lock_shared(const struct host *h, const char *uuid, int wait_ms, struct err *e)
{
	return lock(h, uuid, LOCK_SHARED, wait_ms, e);
}

int image_lock_exclusive(const struct host *h, const char *uuid, int wait_ms, struct err *e)
{
	return lock(h, uuid, LOCK_EXCLUSIVE, wait_ms, e);
}
