/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/driver.h"

#include "base/alloc.h"
#include "libstore/btrfs/ioctl.h"
#include "libstore/btrfs/quota.h"

#include <sys/stat.h>

/*
 * Make VM's group ready before the first byte. *RET_GROUP is 0 where the pool
 * does not count, or no bound is asked.
 */
static int prepare_quota(struct store *s, const char *vm, uint64_t bytes, uint64_t *ret_group,
			 bool *ret_holds, struct err *e)
{
	int mode = bytes ? quota_mode(s->poolfd) : QUOTA_NONE;
	uint64_t group = quota_group(vm);
	int r;

	if (mode < 0)
		return btrfs_fail(e, mode, "cannot ask for the quotas of the pool of VM", vm);
	*ret_group = 0;
	*ret_holds = bytes == 0 || mode == QUOTA_SIMPLE || mode == QUOTA_FULL;
	if (mode == QUOTA_NONE)
		return 0;
	r = quota_group_create(s->poolfd, group);
	if (r == 0)
		r = quota_group_set_limit(s->poolfd, group, (enum quota_mode)mode, bytes);
	if (r < 0)
		return btrfs_fail(e, r, "cannot set the quota of VM", vm);
	*ret_group = group;
	return 0;
}

static int open_vm_dir(struct store *s, const char *vm, struct err *e)
{
	int fd;

	if (mkdirat(s->poolfd, vm, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", vm);
	fd = openat(s->poolfd, vm, DIR_FLAGS);
	return fd < 0 ? err_sys(e, "cannot open '%s'", vm) : fd;
}

static int open_image(struct store *s, const char *image, struct err *e)
{
	char path[PATH_SIZE];
	int fd = openat(s->poolfd, btrfs_place(path, IMAGES, image, "rootfs"), DIR_FLAGS);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, -ENOENT, "image '%s' is not installed", image);
	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

int btrfs_clone(struct store *s, const char *image, const char *vm, uint64_t quota_bytes,
		bool *ret_quota_holds, struct err *e)
{
	cleanup_close int vmfd = -1;
	cleanup_close int src = -1;
	char path[PATH_SIZE];
	uint64_t group;
	bool holds;
	int r, fd;

	src = open_image(s, image, e);
	if (src < 0)
		return src;
	vmfd = open_vm_dir(s, vm, e);
	if (vmfd < 0)
		return vmfd;
	r = btrfs_destroy_at(s, btrfs_place(path, "", vm, "root"), e);
	if (r < 0)
		return r;
	r = prepare_quota(s, vm, quota_bytes, &group, &holds, e);
	if (r < 0)
		return r;
	r = btrfs_subvol_snapshot(src, vmfd, "root", group, false);
	if (r < 0)
		return btrfs_fail(e, r, "cannot clone the image for VM", vm);
	fd = openat(vmfd, "root", DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '%s/root'", vm);
	*ret_quota_holds = holds;
	return fd;
}

static int join(struct store *s, const char *path, uint64_t group, struct err *e)
{
	cleanup_close int fd = openat(s->poolfd, path, DIR_FLAGS);
	struct btrfs_subvol sub;
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = btrfs_subvol_info(fd, &sub);
	if (r == 0 && !quota_group_has(s->poolfd, group, sub.id))
		r = quota_group_add(s->poolfd, group, sub.id);
	return r < 0 ? btrfs_fail(e, r, "cannot bound", path) : 0;
}

static int join_if_there(struct store *s, const char *path, uint64_t group, struct err *e)
{
	int r = btrfs_is_there(s, path, e);

	return r > 0 ? join(s, path, group, e) : r;
}

/* Root, data and snapshots: what a VM had before it was given a bound counts as well. */
static int join_all(struct store *s, const char *vm, uint64_t group, struct err *e)
{
	cleanup_free struct store_snapshot *snapshots = NULL;
	char path[PATH_SIZE];
	size_t count;
	int r;

	r = btrfs_snapshot_list(s, vm, &snapshots, &count, e);
	for (enum store_fs fs = 0; fs < STORE_FS_MAX_; fs++) {
		if (r == 0)
			r = join_if_there(s, btrfs_fs_place(path, vm, NULL, fs), group, e);
		for (size_t i = 0; r == 0 && i < count; i++)
			r = join_if_there(s, btrfs_fs_place(path, vm, snapshots[i].name, fs),
					  group, e);
	}
	return r;
}

int btrfs_vm_set_quota(struct store *s, const char *vm, uint64_t quota_bytes,
		       bool *ret_quota_holds, struct err *e)
{
	int mode = quota_mode(s->poolfd);
	uint64_t group;
	bool holds;
	int r;

	if (mode < 0)
		return btrfs_fail(e, mode, "cannot ask for the quotas of the pool of VM", vm);
	if (quota_bytes == 0) {
		r = mode == QUOTA_NONE ? 0 : quota_group_destroy(s->poolfd, quota_group(vm));
		if (r < 0)
			return btrfs_fail(e, r, "cannot take away the quota of VM", vm);
		*ret_quota_holds = true;
		return 0;
	}
	r = prepare_quota(s, vm, quota_bytes, &group, &holds, e);
	if (r == 0 && group)
		r = join_all(s, vm, group, e);
	if (r < 0)
		return r;
	*ret_quota_holds = holds;
	return 0;
}

int btrfs_vm_usage(struct store *s, const char *vm, uint64_t *ret_used, uint64_t *ret_quota,
		   struct err *e)
{
	cleanup_close int fd = -1;
	struct btrfs_subvol sub;
	char path[PATH_SIZE];
	int mode = quota_mode(s->poolfd);
	int r;

	if (mode < 0)
		return btrfs_fail(e, mode, "cannot ask for the usage of VM", vm);
	if (mode == QUOTA_NONE)
		return err_set(e, -ENOTSUP, "the pool does not count what VMs hold");
	r = quota_group_usage(s->poolfd, quota_group(vm), (enum quota_mode)mode, ret_used,
			      ret_quota);
	if (r != -ENOENT)
		return r < 0 ? btrfs_fail(e, r, "cannot ask for the usage of VM", vm) : 0;
	/* No bound, so no group of its own: what the root holds. */
	fd = openat(s->poolfd, btrfs_place(path, "", vm, "root"), DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = btrfs_subvol_info(fd, &sub);
	if (r == 0)
		r = quota_group_usage(s->poolfd, sub.id, (enum quota_mode)mode, ret_used,
				      ret_quota);
	return r < 0 ? btrfs_fail(e, r, "cannot ask for the usage of VM", vm) : 0;
}

int btrfs_vm_destroy(struct store *s, const char *vm, struct err *e)
{
	int mode = quota_mode(s->poolfd);
	bool counted = mode != QUOTA_NONE;
	int r;

	if (mode < 0)
		return btrfs_fail(e, mode, "cannot ask for the quota of VM", vm);
	/* The bound first: it is found by the VM's name, with or without its members. */
	r = counted ? quota_group_destroy(s->poolfd, quota_group(vm)) : 0;
	if (r < 0)
		return btrfs_fail(e, r, "cannot remove the quota of VM", vm);
	r = btrfs_destroy_folder(s, vm, e);
	if (r < 0)
		return r;
	if (counted)
		quota_sweep(s->poolfd);
	return 0;
}
