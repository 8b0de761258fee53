/* SPDX-License-Identifier: MIT */
/*
 * send.c - what the kernel says of a snapshot, and the places of what arrives.
 *
 *	VM/sending/          the VM as it was when a send of it began, read-only
 *	VM/receive/work      the file system that is arriving
 *	VM/receive/at-N-OFF  what had arrived of number N at a point to go on from
 *	VM/receive/N         file system number N, whole
 */
#include "libstore/btrfs/driver.h"

#include "base/path.h"
#include "libstore/btrfs/ioctl.h"
#include "libstore/btrfs/quota.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int btrfs_send_end(struct store *s, const char *vm, struct err *e)
{
	char path[PATH_SIZE];

	return btrfs_destroy_at(s, btrfs_place(path, vm, "sending", ""), e);
}

int btrfs_send_begin(struct store *s, const char *vm, struct err *e)
{
	uint64_t group = 0;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_send_end(s, vm, e);

	if (r == 0)
		r = btrfs_vm_group(s, vm, &group, e);
	if (r == 0)
		r = path_mkdir_all(s->poolfd, btrfs_place(to, vm, "sending", ""), 0700, e);
	for (enum store_fs fs = 0; r == 0 && fs < STORE_FS_MAX_; fs++)
		r = btrfs_snapshot_if_there(s, btrfs_fs_place(from, vm, NULL, fs),
					    btrfs_fs_place(to, vm, STORE_SENDING, fs), group,
					    true, e);
	if (r < 0)
		(void)btrfs_send_end(s, vm, NULL);
	return r;
}

int btrfs_has_fs(struct store *s, const char *vm, const char *snapshot, enum store_fs fs,
		 struct err *e)
{
	char path[PATH_SIZE];

	return btrfs_is_there(s, btrfs_fs_place(path, vm, snapshot, fs), e);
}

static int subvol_id(struct store *s, const char *path, uint64_t *ret_id, struct err *e)
{
	cleanup_close int fd = openat(s->poolfd, path, DIR_FLAGS);
	struct btrfs_subvol sub;
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = btrfs_subvol_info(fd, &sub);
	if (r < 0)
		return btrfs_fail(e, r, "cannot look at", path);
	*ret_id = sub.id;
	return 0;
}

int btrfs_send_fs(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
		  const char *base, int outfd, struct err *e)
{
	struct btrfs_ioctl_send_args args = { .send_fd = outfd };
	cleanup_close int fd = -1;
	char path[PATH_SIZE];
	int r;

	if (base) {
		uint64_t id = 0;

		r = subvol_id(s, btrfs_fs_place(path, vm, base, fs), &id, e);
		if (r < 0)
			return r;
		args.parent_root = id;
	}
	fd = openat(s->poolfd, btrfs_fs_place(path, vm, snapshot, fs), DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (ioctl(fd, BTRFS_IOC_SEND, &args) < 0)
		return err_sys(e, "cannot send '%s'", path);
	return 0;
}

/* ---- the other end -------------------------------------------------------------- */

static const char *receive_place(char buf[static PATH_SIZE], const char *vm,
				 const struct store_arrival *a)
{
	if (a->offset)
		(void)snprintf(buf, PATH_SIZE, "%s/receive/at-%zu-%llu", vm, a->index,
			       (unsigned long long)a->offset);
	else
		(void)snprintf(buf, PATH_SIZE, "%s/receive/%zu", vm, a->index);
	return buf;
}

int btrfs_receive_begin(struct store *s, const char *vm, uint64_t quota_bytes,
			bool *ret_quota_holds, struct err *e)
{
	char path[PATH_SIZE];
	int r;

	if (mkdirat(s->poolfd, vm, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", vm);
	r = btrfs_receive_end(s, vm, e);
	/* One that is there has its bound. */
	*ret_quota_holds = true;
	if (r == 0)
		r = btrfs_has_fs(s, vm, NULL, STORE_ROOT, e);
	if (r == 0)
		r = btrfs_vm_set_quota(s, vm, quota_bytes, ret_quota_holds, e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/receive", vm);
	return path_mkdir_all(s->poolfd, path, 0700, e);
}

int btrfs_receive_end(struct store *s, const char *vm, struct err *e)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/receive", vm);
	return btrfs_destroy_at(s, path, e);
}

static int work_empty(struct store *s, const char *vm, uint64_t group, struct err *e)
{
	char path[PATH_SIZE];
	cleanup_close int dirfd = -1, fd = -1;
	struct btrfs_subvol sub;
	int r;

	(void)snprintf(path, sizeof(path), "%s/receive/work", vm);
	r = btrfs_destroy_at(s, path, e);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/receive", vm);
	dirfd = openat(s->poolfd, path, DIR_FLAGS);
	if (dirfd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = btrfs_subvol_create(dirfd, "work");
	if (r < 0)
		return btrfs_fail(e, r, "cannot make a subvolume in", path);
	fd = openat(dirfd, "work", DIR_FLAGS);
	r = fd < 0 ? -errno : btrfs_subvol_info(fd, &sub);
	if (r == 0 && group)
		r = quota_group_add(s->poolfd, group, sub.id);
	return r < 0 ? btrfs_fail(e, r, "cannot bound", path) : 0;
}

int btrfs_receive_work(struct store *s, const char *vm, enum store_fs fs, const char *base,
		       const struct store_arrival *after, struct err *e)
{
	uint64_t group = 0;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r;

	r = btrfs_vm_group(s, vm, &group, e);
	if (r < 0)
		return r;
	(void)snprintf(to, sizeof(to), "%s/receive/work", vm);
	if (base)
		r = btrfs_snapshot_at(s, btrfs_fs_place(from, vm, base, fs), to, group, false,
				      e);
	else if (after)
		r = btrfs_snapshot_at(s, receive_place(from, vm, after), to, group, false, e);
	else
		r = work_empty(s, vm, group, e);
	if (r < 0)
		return r;
	r = openat(s->poolfd, to, DIR_FLAGS);
	return r < 0 ? err_sys(e, "cannot open '%s'", to) : r;
}

int btrfs_receive_keep(struct store *s, const char *vm, const struct store_arrival *a,
		       struct err *e)
{
	uint64_t group = 0;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_vm_group(s, vm, &group, e);

	if (r < 0)
		return r;
	(void)snprintf(from, sizeof(from), "%s/receive/work", vm);
	return btrfs_snapshot_at(s, from, receive_place(to, vm, a), group, true, e);
}

int btrfs_receive_drop_points(struct store *s, const char *vm, const struct store_arrival *keep,
			      struct err *e)
{
	char path[PATH_SIZE], kept[PATH_SIZE];
	struct dirent *entry;
	DIR *dir;
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "%s/receive", vm);
	fd = openat(s->poolfd, path, DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	dir = fdopendir(fd);
	if (!dir) {
		r = err_sys(e, "cannot read '%s'", path);
		close_p(&fd);
		return r;
	}
	receive_place(kept, vm, keep);
	while (r == 0 && (r = path_next_entry(dir, &entry, e)) > 0) {
		r = 0;
		if (strncmp(entry->d_name, "at-", 3) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/receive/%.60s", vm, entry->d_name);
		if (strcmp(path, kept) != 0)
			r = btrfs_destroy_at(s, path, e);
	}
	(void)closedir(dir);
	return r;
}

int btrfs_receive_install(struct store *s, const char *vm, const struct store_arrival *a,
			  enum store_fs fs, const char *snapshot, int64_t created_ns,
			  struct err *e)
{
	uint64_t group = 0;
	char from[PATH_SIZE], to[PATH_SIZE];
	int r = btrfs_vm_group(s, vm, &group, e);

	if (r < 0)
		return r;
	receive_place(from, vm, a);
	if (!snapshot) {
		(void)snprintf(to, sizeof(to), "%s/next/%s", vm,
			       fs == STORE_ROOT ? "root" : "data");
		return btrfs_snapshot_at(s, from, to, group, false, e);
	}
	/* The data of a snapshot comes before its root, with which the snapshot is there. */
	(void)snprintf(to, sizeof(to), "%s/snapinfo/%s", vm, snapshot);
	r = fs == STORE_DATA ? 0 : btrfs_is_there(s, to, e);
	if (r == 0)
		r = btrfs_snapshot_folders(s, vm, snapshot, e);
	if (r >= 0)
		r = btrfs_snapshot_at(s, from, btrfs_fs_place(to, vm, snapshot, fs), group,
				      true, e);
	return r < 0 ? r : btrfs_snapshot_stamp(s, vm, snapshot, created_ns, e);
}
