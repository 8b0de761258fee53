/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/driver.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libstore/btrfs/ioctl.h"
#include "libstore/btrfs/quota.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* "rootfs" in DIRFD: empty, or a writable snapshot of ORIGIN's. */
static int make_rootfs(struct store *s, int dirfd, const char *origin, struct err *e)
{
	cleanup_close int src = -1;
	char path[PATH_SIZE];
	int r;

	if (!origin) {
		r = btrfs_subvol_create(dirfd, "rootfs");
		return r < 0 ? btrfs_fail(e, r, "cannot make a subvolume for", "rootfs") : 0;
	}
	src = openat(s->poolfd, btrfs_place(path, IMAGES, origin, "rootfs"), DIR_FLAGS);
	if (src < 0)
		return errno == ENOENT
			       ? err_set(e, -ENOENT, "image '%s' is not installed", origin)
			       : err_sys(e, "cannot open '%s'", path);
	r = btrfs_subvol_snapshot(src, dirfd, "rootfs", 0, false);
	return r < 0 ? btrfs_fail(e, r, "cannot take a snapshot of image", origin) : 0;
}

/* Its folder, PATH, in the place of what a dead one left. Returns a descriptor of it. */
static int make_partial(struct store *s, const char *uuid, char path[static PATH_SIZE],
			struct err *e)
{
	int r, fd;

	r = path_mkdir_all(s->poolfd, PARTIAL, 0700, e);
	if (r < 0)
		return r;
	btrfs_place(path, PARTIAL, uuid, "");
	r = btrfs_destroy_folder(s, path, e);
	if (r < 0)
		return r;
	if (mkdirat(s->poolfd, path, 0755) < 0)
		return err_sys(e, "cannot make '%s'", path);
	fd = openat(s->poolfd, path, DIR_FLAGS);
	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

int btrfs_image_begin(struct store *s, const char *uuid, const char *origin, struct err *e)
{
	char path[PATH_SIZE];
	cleanup_close int dirfd = make_partial(s, uuid, path, e);
	int r, fd;

	if (dirfd < 0)
		return dirfd;
	r = make_rootfs(s, dirfd, origin, e);
	if (r < 0)
		return r;
	fd = openat(dirfd, "rootfs", DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open 'rootfs' in '%s'", path);
	if (!origin && fchmod(fd, 0755) < 0) {
		r = err_sys(e, "cannot set the mode of 'rootfs' in '%s'", path);
		(void)close(fd);
		return r;
	}
	return fd;
}

int btrfs_image_begin_from_vm(struct store *s, const char *uuid, const char *vm, struct err *e)
{
	char path[PATH_SIZE], from[PATH_SIZE], to[PATH_SIZE];
	cleanup_close int dirfd = make_partial(s, uuid, path, e);
	int r, fd;

	if (dirfd < 0)
		return dirfd;
	btrfs_fs_place(from, vm, NULL, STORE_ROOT);
	/* In no group: it is not the VM's, and gone soon. */
	r = btrfs_snapshot_at(s, from, btrfs_place(to, PARTIAL, uuid, "rootfs"), 0, true, e);
	if (r < 0)
		return r;
	fd = openat(dirfd, "rootfs", DIR_FLAGS);
	return fd < 0 ? err_sys(e, "cannot open 'rootfs' in '%s'", path) : fd;
}

/* "rootfs" of the partial UUID. */
static int open_partial(struct store *s, const char *uuid, struct err *e)
{
	char path[PATH_SIZE];
	int fd = openat(s->poolfd, btrfs_place(path, PARTIAL, uuid, "rootfs"), DIR_FLAGS);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (btrfs_is_subvol(fd))
		return fd;
	(void)close(fd);
	return err_set(e, -EINVAL, "'%s' is not a subvolume", path);
}

static int publish(struct store *s, const char *uuid, struct err *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	if (renameat2(s->poolfd, btrfs_place(from, PARTIAL, uuid, ""), s->poolfd,
		      btrfs_place(to, IMAGES, uuid, ""), RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? err_set(e, -EEXIST, "image '%s' is already there", uuid)
			       : err_sys(e, "cannot publish '%s'", to);
}

int btrfs_image_commit(struct store *s, const char *uuid, struct err *e)
{
	cleanup_close int fd = open_partial(s, uuid, e);
	int r = fd;

	if (r < 0)
		return r;
	r = btrfs_subvol_set_readonly(fd, true);
	if (r < 0)
		return btrfs_fail(e, r, "cannot make read-only the image", uuid);
	/*
	 * All data, then the name. Both the flag and the rename are in memory
	 * only until the next transaction, which holds both or the first.
	 */
	r = store_sync(s, e);
	if (r == 0)
		r = publish(s, uuid, e);
	if (r < 0)
		return r;
	r = store_sync(s, e);
	return r < 0 ? err_wrap(e, r, "image '%s' is there, but not to last", uuid) : 0;
}

/* What libimg put beside the image's rootfs; a snapshot writes out its subvolume alone. */
static int write_out_files(struct store *s, const char *uuid, struct err *e)
{
	char path[PATH_SIZE];
	int r = 0, dirfd = openat(s->poolfd, btrfs_place(path, PARTIAL, uuid, ""), DIR_FLAGS);
	DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *entry;

	if (!dir) {
		r = err_sys(e, "cannot open '%s'", path);
		close_p(&dirfd);
		return r;
	}
	while (r == 0 && (r = path_next_entry(dir, &entry, e)) > 0) {
		cleanup_close int fd = -1;

		r = 0;
		if (entry->d_type != DT_REG)
			continue;
		fd = openat(dirfd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : btrfs_write_out(fd);
		if (r < 0)
			r = btrfs_fail(e, r, "cannot write out the files of image", uuid);
	}
	(void)closedir(dir);
	return r;
}

/* A snapshot does not tell of data that did not get to the disk; syncfs() does. */
static int check_written(struct store *s, const char *uuid, struct err *e)
{
	bool failed = false;
	int r = btrfs_has_failed_writes(s->poolfd, &failed);

	if (r < 0)
		return btrfs_fail(e, r, "cannot ask the pool's devices about image", uuid);
	return failed ? store_sync(s, e) : 0;
}

/*
 * The transaction that makes the snapshot has all of UUID's content, the one that makes it
 * read-only the flag; after both it gets its name.
 */
static int begin_next(struct store *s, const char *uuid, int srcfd, const char *next,
		      struct err *e)
{
	char path[PATH_SIZE];
	cleanup_close int dirfd = make_partial(s, next, path, e);
	int r;

	if (dirfd < 0)
		return dirfd;
	r = btrfs_subvol_snapshot(srcfd, dirfd, "rootfs", 0, false);
	if (r < 0)
		return btrfs_fail(e, r, "cannot take a snapshot of image", uuid);
	r = btrfs_subvol_set_readonly(srcfd, true);
	if (r < 0)
		return btrfs_fail(e, r, "cannot make read-only the image", uuid);
	r = check_written(s, uuid, e);
	return r < 0 ? r : publish(s, uuid, e);
}

int btrfs_image_commit_into(struct store *s, const char *uuid, const char *next, struct err *e)
{
	cleanup_close int fd = open_partial(s, uuid, e);
	struct err ignored;
	int r = fd < 0 ? fd : write_out_files(s, uuid, e);

	if (r < 0)
		return r;
	r = begin_next(s, uuid, fd, next, e);
	if (r == 0)
		r = open_partial(s, next, e);
	if (r < 0 && btrfs_image_abort(s, next, &ignored) < 0)
		return r; /* what stays, the next command takes away */
	return r;
}

int btrfs_image_abort(struct store *s, const char *uuid, struct err *e)
{
	char path[PATH_SIZE];

	return btrfs_destroy_folder(s, btrfs_place(path, PARTIAL, uuid, ""), e);
}

int btrfs_image_dir(struct store *s, const char *uuid, bool partial, struct err *e)
{
	char path[PATH_SIZE];
	int fd;

	fd = openat(s->poolfd, btrfs_place(path, partial ? PARTIAL : IMAGES, uuid, ""),
		    DIR_FLAGS);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, -ENOENT, "image '%s' is not installed", uuid);
	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

int btrfs_image_partials(struct store *s, char (**ret_uuids)[UUID_STR], size_t *ret_count,
			 struct err *e)
{
	char(*uuids)[UUID_STR] = NULL;
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;
	int fd, r = 0;

	fd = openat(s->poolfd, PARTIAL, DIR_FLAGS);
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, "cannot open '%s'", PARTIAL);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (r = path_next_entry(dir, &entry, e)) > 0) {
		if (!uuid_is_valid(entry->d_name))
			continue;
		uuids = xrealloc_array(uuids, count + 1, sizeof(*uuids));
		memcpy(uuids[count++], entry->d_name, UUID_STR);
	}
	if (dir)
		(void)closedir(dir);
	if (r < 0) {
		free(uuids);
		return r;
	}
	*ret_uuids = uuids;
	*ret_count = count;
	return 0;
}

int btrfs_image_destroy(struct store *s, const char *uuid, struct err *e)
{
	char path[PATH_SIZE], partial[PATH_SIZE];
	int r;

	r = btrfs_image_check_unused(s, uuid, e);
	if (r < 0)
		return r;
	r = path_mkdir_all(s->poolfd, PARTIAL, 0700, e);
	if (r < 0)
		return r;
	btrfs_place(path, IMAGES, uuid, "");
	btrfs_place(partial, PARTIAL, uuid, "");
	/* A dead one in the way would make the rename fail. */
	r = btrfs_destroy_folder(s, partial, e);
	if (r < 0)
		return r;
	/* From here on it is gone; a kill leaves only what the next command cleans. */
	if (renameat2(s->poolfd, path, s->poolfd, partial, RENAME_NOREPLACE) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot take '%s' away", path);
	r = btrfs_destroy_folder(s, partial, e);
	quota_sweep(s->poolfd);
	if (r == 0)
		r = store_sync(s, e);
	return r < 0 ? err_wrap(e, r, "image '%s' is gone, but not all of it", uuid) : 0;
}
