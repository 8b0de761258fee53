/* SPDX-License-Identifier: MIT */
/*
 * driver.c - images and VMs on btrfs.
 *
 * An image's rootfs is a read-only subvolume, a VM's root a snapshot of it: the
 * snapshot remembers its origin (parent_uuid), so that no list of clones has to
 * be kept, which could lie. What each step leaves when the machine dies is in
 * docs/store.md; in short: what is under images/.partial is nobody's, and one
 * rename moves an image in or out of there.
 */
#include "libstore/btrfs/driver.h"

#include "base/path.h"
#include "libstore/btrfs/ioctl.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

const char *btrfs_place(char buf[static PATH_SIZE], const char *dir, const char *uuid,
			const char *name)
{
	(void)snprintf(buf, PATH_SIZE, "%s%s%s%s%s", dir, *dir ? "/" : "", uuid,
		       *name ? "/" : "", name);
	return buf;
}

/* -errno with the reason, for the calls that say nothing themselves. */
int btrfs_fail(struct err *e, int code, const char *what, const char *uuid)
{
	errno = -code;
	return err_sys(e, "%s '%s'", what, uuid);
}

static int probe(int poolfd, struct err *e)
{
	if (!btrfs_is_subvol(poolfd))
		return err_set(e, -ENOTSUP,
			       "the pool is a plain folder on btrfs, it must be the "
			       "top of a file system or subvolume; make one with mkpool");
	return 0;
}

/* Destroy the subvolumes among the entries of DIR, to the depth of plain folders that we make.
 */
static int destroy_subvols_in(int fsfd, int dirfd, unsigned int depth)
{
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	dir = fdopendir(dirfd); /* takes the descriptor */
	if (!dir) {
		(void)close(dirfd);
		return -errno;
	}
	while (r == 0 && (r = path_next_entry(dir, &entry, NULL)) > 0) {
		r = 0;
		struct btrfs_subvol sub;
		int fd;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		fd = openat(dirfd, entry->d_name, DIR_FLAGS);
		if (fd < 0) {
			r = errno == ENOENT ? 0 : -errno;
			continue;
		}
		if (btrfs_is_subvol(fd)) {
			r = btrfs_subvol_info(fd, &sub);
			(void)close(fd);
			if (r == 0)
				r = btrfs_subvol_destroy_tree(fsfd, sub.id);
		} else if (depth > 0) {
			r = destroy_subvols_in(fsfd, fd, depth - 1);
		} else {
			(void)close(fd);
		}
	}
	(void)closedir(dir);
	return r;
}

/* rm -r of a folder that may hold subvolumes. Absent is success. */
int btrfs_destroy_folder(struct store *s, const char *path, struct err *e)
{
	int fd = openat(s->poolfd, path, DIR_FLAGS);
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = destroy_subvols_in(s->poolfd, fd, 2);
	if (r < 0)
		return btrfs_fail(e, r, "cannot destroy a subvolume of", path);
	return path_remove_tree(s->poolfd, path, e);
}

const struct store_ops store_btrfs_ops = {
	.name = "btrfs",
	.magic = BTRFS_SUPER_MAGIC,
	.probe = probe,
	.image_begin = btrfs_image_begin,
	.image_begin_from_vm = btrfs_image_begin_from_vm,
	.image_commit = btrfs_image_commit,
	.image_commit_into = btrfs_image_commit_into,
	.image_abort = btrfs_image_abort,
	.image_destroy = btrfs_image_destroy,
	.image_dir = btrfs_image_dir,
	.image_partials = btrfs_image_partials,
	.clones = btrfs_clones,
	.clone = btrfs_clone,
	.vm_set_quota = btrfs_vm_set_quota,
	.vm_usage = btrfs_vm_usage,
	.vm_destroy = btrfs_vm_destroy,
	.snapshot_create = btrfs_snapshot_create,
	.snapshot_destroy = btrfs_snapshot_destroy,
	.snapshot_list = btrfs_snapshot_list,
	.next_from_snapshot = btrfs_next_from_snapshot,
	.next_from_image = btrfs_next_from_image,
	.next_from_vm = btrfs_next_from_vm,
	.next_swap = btrfs_next_swap,
	.next_end = btrfs_next_end,
	.data_create = btrfs_data_create,
	.next_begin = btrfs_next_begin,
	.has_fs = btrfs_has_fs,
	.send_begin = btrfs_send_begin,
	.send_fs = btrfs_send_fs,
	.send_end = btrfs_send_end,
	.receive_begin = btrfs_receive_begin,
	.receive_work = btrfs_receive_work,
	.receive_keep = btrfs_receive_keep,
	.receive_drop_points = btrfs_receive_drop_points,
	.receive_install = btrfs_receive_install,
	.receive_end = btrfs_receive_end,
	.stream_piece = btrfs_stream_piece,
	.stream_apply = btrfs_stream_apply,
};
