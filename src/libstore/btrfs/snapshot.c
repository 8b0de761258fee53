/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - snapshots of VMs.
 *
 *	VM/snap/NAME            what VM/root was, read-only; being there is being a snapshot
 *	VM/snapinfo/NAME/       a folder whose time of change is when it was made
 *	VM/snapinfo/NAME/data   what VM/data was, read-only; when there was one
 *	VM/next/                what a rollback or a new root puts in place, and then what
 *	                        it put away
 *
 * snap/ holds roots alone, so that one mount of it shows a zone its snapshots,
 * and those that are made later as well.
 */
#include "libstore/btrfs/driver.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libstore/btrfs/ioctl.h"
#include "libstore/btrfs/quota.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NS INT64_C(1000000000)

static const char *const fs_names[STORE_FS_MAX_] = { "root", "data" };

const char *btrfs_fs_place(char buf[static PATH_SIZE], const char *vm, const char *snapshot,
			   enum store_fs fs)
{
	if (!snapshot)
		(void)snprintf(buf, PATH_SIZE, "%s/%s", vm, fs_names[fs]);
	else if (strcmp(snapshot, STORE_SENDING) == 0)
		(void)snprintf(buf, PATH_SIZE, "%s/sending/%s", vm, fs_names[fs]);
	else if (fs == STORE_ROOT)
		(void)snprintf(buf, PATH_SIZE, "%s/snap/%s", vm, snapshot);
	else
		(void)snprintf(buf, PATH_SIZE, "%s/snapinfo/%s/%s", vm, snapshot, fs_names[fs]);
	return buf;
}

/* Destroy the subvolume at PATH, or the folder in its place. Absent is success. */
int btrfs_destroy_at(struct store *s, const char *path, struct err *e)
{
	cleanup_close int fd = openat(s->poolfd, path, DIR_FLAGS);
	struct btrfs_subvol sub;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", path);
	if (!btrfs_is_subvol(fd))
		return btrfs_destroy_folder(s, path, e);
	r = btrfs_subvol_info(fd, &sub);
	if (r == 0)
		r = btrfs_subvol_destroy_tree(s->poolfd, sub.id);
	return r < 0 ? btrfs_fail(e, r, "cannot destroy", path) : 0;
}

int btrfs_vm_group(struct store *s, const char *vm, uint64_t *ret_group, struct err *e)
{
	int mode = quota_mode(s->poolfd);
	uint64_t used, limit;
	int r = mode;

	*ret_group = 0;
	if (mode == QUOTA_NONE)
		return 0;
	if (mode > 0)
		r = quota_group_usage(s->poolfd, quota_group(vm), (enum quota_mode)mode, &used,
				      &limit);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return btrfs_fail(e, r, "cannot ask for the quota of VM", vm);
	*ret_group = quota_group(vm);
	return 0;
}

/* A snapshot of FROM at TO, which is replaced; both below the pool. */
int btrfs_snapshot_at(struct store *s, const char *from, const char *to, uint64_t group,
		      bool readonly, struct err *e)
{
	char dir[PATH_SIZE];
	char *name;
	cleanup_close int srcfd = openat(s->poolfd, from, DIR_FLAGS);
	cleanup_close int dirfd = -1;
	int r;

	if (srcfd < 0)
		return err_sys(e, "cannot open '%s'", from);
	r = btrfs_destroy_at(s, to, e);
	if (r < 0)
		return r;
	(void)snprintf(dir, sizeof(dir), "%s", to);
	name = strrchr(dir, '/');
	*name++ = '\0';
	dirfd = openat(s->poolfd, dir, DIR_FLAGS);
	if (dirfd < 0)
		return err_sys(e, "cannot open '%s'", dir);
	r = btrfs_subvol_snapshot(srcfd, dirfd, name, group, readonly);
	return r < 0 ? btrfs_fail(e, r, "cannot make the snapshot", to) : 0;
}

int btrfs_is_there(struct store *s, const char *path, struct err *e)
{
	struct stat st;

	if (fstatat(s->poolfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "cannot look at '%s'", path);
}

int btrfs_snapshot_if_there(struct store *s, const char *from, const char *to, uint64_t group,
			    bool readonly, struct err *e)
{
	int r = btrfs_is_there(s, from, e);

	return r > 0 ? btrfs_snapshot_at(s, from, to, group, readonly, e) : r;
}

/* The folders around snapshot NAME; what is left of one that was not finished goes. */
int btrfs_snapshot_folders(struct store *s, const char *vm, const char *name, struct err *e)
{
	char path[PATH_SIZE];
	int r;

	(void)snprintf(path, sizeof(path), "%s/snap", vm);
	r = path_mkdir_all(s->poolfd, path, 0755, e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/snapinfo/%s", vm, name);
	r = btrfs_destroy_at(s, path, e);
	return r < 0 ? r : path_mkdir_all(s->poolfd, path, 0700, e);
}

int btrfs_snapshot_stamp(struct store *s, const char *vm, const char *name, int64_t created_ns,
			 struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					   { .tv_sec = (time_t)(created_ns / NS),
					     .tv_nsec = (long)(created_ns % NS) } };
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/snapinfo/%s", vm, name);
	if (utimensat(s->poolfd, path, created_ns ? times : NULL, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the time of '%s'", path);
	return 0;
}

int btrfs_snapshot_create(struct store *s, const char *vm, const char *name, struct err *e)
{
	uint64_t group;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_is_there(s, btrfs_fs_place(to, vm, name, STORE_ROOT), e);

	if (r != 0)
		return r < 0 ? r : err_set(e, -EEXIST, "snapshot '%s' is there already", name);
	r = btrfs_vm_group(s, vm, &group, e);
	if (r == 0)
		r = btrfs_snapshot_folders(s, vm, name, e);
	if (r == 0)
		r = btrfs_snapshot_if_there(s, btrfs_fs_place(from, vm, NULL, STORE_DATA),
					    btrfs_fs_place(to, vm, name, STORE_DATA), group,
					    true, e);
	if (r == 0)
		r = btrfs_snapshot_stamp(s, vm, name, 0, e);
	/* The root last: with it there is a snapshot. */
	if (r == 0)
		r = btrfs_snapshot_at(s, btrfs_fs_place(from, vm, NULL, STORE_ROOT),
				      btrfs_fs_place(to, vm, name, STORE_ROOT), group, true, e);
	return r;
}

int btrfs_snapshot_destroy(struct store *s, const char *vm, const char *name, struct err *e)
{
	char path[PATH_SIZE];
	int r;

	r = btrfs_destroy_at(s, btrfs_fs_place(path, vm, name, STORE_ROOT), e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/snapinfo/%s", vm, name);
	return btrfs_destroy_at(s, path, e);
}

static int newest_first(const void *a, const void *b)
{
	const struct store_snapshot *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(y->name, x->name);
}

static void take_snapshot(int infofd, const char *name, struct store_snapshot *ret)
{
	struct stat st;

	*ret = (struct store_snapshot){ .created_ns = 0 };
	(void)snprintf(ret->name, sizeof(ret->name), "%.64s", name);
	if (infofd >= 0 && fstatat(infofd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		ret->created_ns = (int64_t)st.st_mtim.tv_sec * NS + st.st_mtim.tv_nsec;
}

int btrfs_snapshot_list(struct store *s, const char *vm, struct store_snapshot **ret_list,
			size_t *ret_count, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	cleanup_close int infofd = -1;
	char path[PATH_SIZE];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;
	int fd, r;

	*ret_list = NULL;
	*ret_count = 0;
	(void)snprintf(path, sizeof(path), "%s/snap", vm);
	fd = openat(s->poolfd, path, DIR_FLAGS);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", path);
	dir = fdopendir(fd);
	if (!dir) {
		r = err_sys(e, "cannot read '%s'", path);
		close_p(&fd);
		return r;
	}
	(void)snprintf(path, sizeof(path), "%s/snapinfo", vm);
	infofd = openat(s->poolfd, path, DIR_FLAGS);
	while ((r = path_next_entry(dir, &entry, e)) > 0) {
		if (!store_snapshot_name_is_valid(entry->d_name))
			continue;
		list = xrealloc_array(list, count + 1, sizeof(*list));
		take_snapshot(infofd, entry->d_name, &list[count++]);
	}
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (count)
		qsort(list, count, sizeof(*list), newest_first);
	*ret_list = take_ptr(list);
	*ret_count = count;
	return 0;
}

/* ---- what puts another file system in the place of one ------------------------- */

static void next_place(char buf[static PATH_SIZE], const char *vm, enum store_fs fs)
{
	(void)snprintf(buf, PATH_SIZE, "%s/next/%s", vm, fs_names[fs]);
}

int btrfs_next_end(struct store *s, const char *vm, struct err *e)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/next", vm);
	return btrfs_destroy_at(s, path, e);
}

int btrfs_next_begin(struct store *s, const char *vm, struct err *e)
{
	char path[PATH_SIZE];
	int r = btrfs_next_end(s, vm, e);

	(void)snprintf(path, sizeof(path), "%s/next", vm);
	return r < 0 ? r : path_mkdir_all(s->poolfd, path, 0700, e);
}

/*
 * What follows is a clone of a snapshot, and by its parent nobody could tell any more
 * which image the VM was made from. An empty-handed clone of the image says it.
 */
static int keep_origin(struct store *s, const char *vm, const char *image, uint64_t group,
		       struct err *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_is_there(s, btrfs_place(to, "", vm, "origin"), e);

	if (r != 0)
		return r < 0 ? r : 0;
	btrfs_place(from, IMAGES, image, "rootfs");
	return btrfs_snapshot_if_there(s, from, to, group, true, e);
}

int btrfs_next_from_snapshot(struct store *s, const char *vm, const char *name,
			     const char *image, struct err *e)
{
	uint64_t group;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_vm_group(s, vm, &group, e);

	if (r == 0)
		r = keep_origin(s, vm, image, group, e);
	if (r == 0)
		r = btrfs_next_begin(s, vm, e);
	for (enum store_fs fs = 0; r == 0 && fs < STORE_FS_MAX_; fs++) {
		btrfs_fs_place(from, vm, name, fs);
		next_place(to, vm, fs);
		/* Delegated later than the snapshot was made: it is left as it is. */
		r = fs == STORE_ROOT ? btrfs_snapshot_at(s, from, to, group, false, e)
				     : btrfs_snapshot_if_there(s, from, to, group, false, e);
	}
	return r;
}

int btrfs_next_from_image(struct store *s, const char *vm, const char *image, struct err *e)
{
	uint64_t group;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_is_there(s, btrfs_place(from, IMAGES, image, "rootfs"), e);

	if (r <= 0)
		return r < 0 ? r : err_set(e, -ENOENT, "image '%s' is not installed", image);
	r = btrfs_vm_group(s, vm, &group, e);
	if (r == 0)
		r = btrfs_next_begin(s, vm, e);
	next_place(to, vm, STORE_ROOT);
	if (r == 0)
		r = btrfs_snapshot_at(s, from, to, group, false, e);
	if (r < 0)
		return r;
	r = openat(s->poolfd, to, DIR_FLAGS);
	return r < 0 ? err_sys(e, "cannot open '%s'", to) : r;
}

static int swap_one(struct store *s, const char *from, const char *to, struct err *e)
{
	int is_new = btrfs_is_there(s, from, e);
	int is_old = is_new > 0 ? btrfs_is_there(s, to, e) : is_new;

	if (is_new <= 0 || is_old < 0)
		return is_old;
	if (renameat2(s->poolfd, from, s->poolfd, to,
		      is_old ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		return err_sys(e, "cannot put '%s' in place of '%s'", from, to);
	return 0;
}

int btrfs_next_from_vm(struct store *s, const char *vm, const char *other, struct err *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	uint64_t group;
	int r = btrfs_vm_group(s, vm, &group, e);

	if (r == 0)
		r = btrfs_next_begin(s, vm, e);
	btrfs_fs_place(from, other, NULL, STORE_ROOT);
	next_place(to, vm, STORE_ROOT);
	return r < 0 ? r : btrfs_snapshot_at(s, from, to, group, false, e);
}

int btrfs_next_swap(struct store *s, const char *vm, struct err *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	int r;

	/* All that the new ones were given, before their names say so. */
	r = store_sync(s, e);
	for (enum store_fs fs = 0; r == 0 && fs < STORE_FS_MAX_; fs++) {
		next_place(from, vm, fs);
		r = swap_one(s, from, btrfs_fs_place(to, vm, NULL, fs), e);
	}
	return r < 0 ? r : store_sync(s, e);
}

int btrfs_data_create(struct store *s, const char *vm, struct err *e)
{
	uint64_t group;
	cleanup_close int dirfd = openat(s->poolfd, vm, DIR_FLAGS);
	cleanup_close int fd = -1;
	struct btrfs_subvol sub;
	int r;

	if (dirfd < 0)
		return err_sys(e, "cannot open '%s'", vm);
	r = btrfs_vm_group(s, vm, &group, e);
	if (r < 0)
		return r;
	r = btrfs_subvol_create(dirfd, "data");
	if (r < 0 && r != -EEXIST)
		return btrfs_fail(e, r, "cannot make the data file system of VM", vm);
	fd = openat(dirfd, "data", DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '%s/data'", vm);
	if (fchmod(fd, 0755) < 0)
		return err_sys(e, "cannot set the mode of '%s/data'", vm);
	r = btrfs_subvol_info(fd, &sub);
	/* Empty until it is a member: nothing was written that is not counted. */
	if (r == 0 && group && !quota_group_has(s->poolfd, group, sub.id))
		r = quota_group_add(s->poolfd, group, sub.id);
	return r < 0 ? btrfs_fail(e, r, "cannot bound the data of VM", vm) : 0;
}
