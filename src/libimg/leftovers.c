/* SPDX-License-Identifier: MIT */
#include "libimg/leftovers.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libimg/image.h"
#include "libimg/pool.h"
#include "libsource/download.h"
#include "libstore/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DOWNLOADS HOST_IMAGES "/.download"

struct look {
	const struct host *host;
	struct store *store;
	bool repair;
	void (*found)(void *data, const struct leftover *l);
	void *data;
	int left;
};

static void tell(struct look *look, struct leftover *l)
{
	look->left += !l->removed;
	look->found(look->data, l);
}

static void set_name(struct leftover *l, const char *name)
{
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
}

static int look_at_partials(struct look *look, struct err *e)
{
	char(*uuids)[UUID_STR] = NULL;
	size_t count = 0;
	int r = store_image_partials(look->store, &uuids, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_close int lock = image_lock_exclusive(look->host, uuids[i], 0, NULL);
		struct leftover l = { .kind = LEFTOVER_PARTIAL,
				      .text = "an image that was not finished" };
		struct err ignored;

		if (lock < 0)
			continue;
		set_name(&l, uuids[i]);
		l.removed =
			look->repair && store_image_abort(look->store, uuids[i], &ignored) == 0;
		tell(look, &l);
	}
	free(uuids);
	return r;
}

/* Is NAME the words beside a download that is there? They go and stay with it. */
static bool is_beside(int dirfd, const char *name, const char *uuid)
{
	return strcmp(name + strlen(uuid), ".json") == 0 &&
	       faccessat(dirfd, uuid, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void look_at_download(struct look *look, int dirfd, const char *name)
{
	struct leftover l = { .kind = LEFTOVER_DOWNLOAD, .text = "an unfinished download" };
	cleanup_free char *uuid = xstrndup(name, UUID_LEN);
	cleanup_free char *words = xasprintf("%s.json", uuid);
	bool is_uuid = uuid_is_valid(uuid);
	cleanup_close int lock = -1;
	struct stat st;

	if (is_uuid)
		lock = image_lock_exclusive(look->host, uuid, 0, NULL);
	if ((is_uuid && lock < 0) || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    is_beside(dirfd, name, uuid))
		return;
	set_name(&l, name);
	l.bytes = (uint64_t)st.st_size;
	if (look->repair && is_uuid)
		(void)unlinkat(dirfd, words, 0);
	l.removed = look->repair && unlinkat(dirfd, name, 0) == 0;
	tell(look, &l);
}

/* NULL with E, whose code is -ENOENT when it is absent. */
static DIR *open_folder(const struct host *h, const char *path, struct err *e)
{
	int fd = host_dir_existing(h, path, e);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir) {
		(void)err_sys(e, "cannot read the folder '%s'", path);
		(void)close(fd);
	}
	return dir;
}

static void clean_download(const struct host *h, int dirfd, const char *uuid)
{
	cleanup_close int lock = image_lock_exclusive(h, uuid, 0, NULL);
	cleanup_free char *words = xasprintf("%s.json", uuid);
	struct stat st;

	if (lock < 0 || fstatat(dirfd, uuid, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (time(NULL) - st.st_mtime < (time_t)LEFTOVER_DAYS * 86400 &&
	    !image_is_installed(h, uuid))
		return;
	(void)unlinkat(dirfd, words, 0);
	(void)unlinkat(dirfd, uuid, 0);
}

void image_clean_downloads(const struct host *h)
{
	struct err ignored;
	DIR *dir = open_folder(h, DOWNLOADS, &ignored);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (uuid_is_valid(entry->d_name))
			clean_download(h, dirfd(dir), entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static int look_at_downloads(struct look *look, struct err *e)
{
	DIR *dir = open_folder(look->host, DOWNLOADS, e);
	struct dirent *entry;
	int r;

	if (!dir)
		return e->code == -ENOENT ? 0 : e->code;
	while ((r = path_next_entry(dir, &entry, e)) > 0)
		if (entry->d_name[0] != '.')
			look_at_download(look, dirfd(dir), entry->d_name);
	(void)closedir(dir);
	return r;
}

static int look_at_images(struct look *look, struct err *e)
{
	DIR *dir = open_folder(look->host, HOST_IMAGES, e);
	struct dirent *entry;
	int end;

	if (!dir)
		return e->code == -ENOENT ? 0 : e->code;
	while ((end = path_next_entry(dir, &entry, e)) > 0) {
		struct leftover l = { .kind = LEFTOVER_UNREADABLE,
				      .text = "an image whose manifest cannot be read; "
					      "'imgadm update' fetches it again, 'imgadm "
					      "delete' deletes the image" };
		cleanup_image struct image img = { 0 };
		int r;

		if (!uuid_is_valid(entry->d_name))
			continue;
		r = image_load(look->host, entry->d_name, &img, NULL);
		if (r == 0 || r == -ENOENT)
			continue;
		set_name(&l, entry->d_name);
		tell(look, &l);
	}
	(void)closedir(dir);
	return end;
}

int image_leftovers(const struct host *h, bool repair,
		    void (*found)(void *data, const struct leftover *l), void *data,
		    struct err *e)
{
	struct look look = { .host = h, .repair = repair, .found = found, .data = data };
	struct err own = { 0 };
	int r;

	e = e ? e : &own;
	r = image_pool_open(h, &look.store, e);
	if (r == 0)
		r = look_at_partials(&look, e);
	if (r == 0)
		r = look_at_downloads(&look, e);
	if (r == 0)
		r = look_at_images(&look, e);
	store_close(look.store);
	return r < 0 ? r : look.left;
}
