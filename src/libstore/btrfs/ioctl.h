/* SPDX-License-Identifier: MIT */
/*
 * ioctl.h - the few calls of btrfs that the driver needs, as functions.
 * Private to the btrfs driver. All return 0 or a negative errno and say
 * nothing: their callers know what was being done.
 */
#pragma once

#include "base/macro.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Newer than the headers of Debian 12. */
#ifndef BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA
#define BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA 4
#endif
#ifndef BTRFS_QGROUP_STATUS_FLAG_SIMPLE_MODE
#define BTRFS_QGROUP_STATUS_FLAG_SIMPLE_MODE (1ULL << 3)
#endif

struct btrfs_subvol {
	uint64_t id;
	uint8_t uuid[BTRFS_UUID_SIZE];
	uint8_t parent_uuid[BTRFS_UUID_SIZE];
};

/* Is FD the top of a subvolume (a plain folder in its place is a known trap)? */
bool btrfs_is_subvol(int fd);

int btrfs_subvol_create(int dirfd, const char *name);
/* QGROUP (0: none) becomes a parent of the new subvolume's own group, in the same transaction.
 */
int btrfs_subvol_snapshot(int srcfd, int dirfd, const char *name, uint64_t qgroup,
			  bool readonly);
int btrfs_subvol_set_readonly(int fd, bool readonly);
int btrfs_subvol_info(int fd, struct btrfs_subvol *ret_info);
/*
 * Write out the content of the file FD, so that the next transaction has it. Unlike fsync(2)
 * no transaction and no log is written: for one who makes a transaction anyway.
 */
int btrfs_write_out(int fd);
/* Has a device of the pool ever failed to write something (until somebody reset its count)? */
int btrfs_has_failed_writes(int fsfd, bool *ret);
/* FSFD is anything on the file system. Nested subvolumes make it -ENOTEMPTY. */
int btrfs_subvol_destroy_id(int fsfd, uint64_t id);
/* With all below it, deepest first. */
int btrfs_subvol_destroy_tree(int fsfd, uint64_t id);

/*
 * Call FN for each item of TREE whose key lies between the two keys. A
 * positive or negative result of FN ends the search and is returned.
 */
struct tree_key {
	uint64_t objectid;
	uint32_t type;
	uint64_t offset;
};
typedef int btrfs_item_fn(void *data, const struct tree_key *key, const void *item, size_t len);
int btrfs_search(int fsfd, uint64_t tree, struct tree_key min, struct tree_key max,
		 btrfs_item_fn *fn, void *data);

/* Path of the subvolume ID from the top of the file system, "a/b/c". The caller frees. */
int btrfs_subvol_path(int fsfd, uint64_t id, char **ret_path);
