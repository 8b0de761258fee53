/* SPDX-License-Identifier: MIT */
/*
 * driver.h - what the files of the btrfs driver share. Private to it.
 *
 *	driver.c   the table; folders that hold subvolumes; the groups around them
 *	image.c    images: begin, commit, abort, destroy
 *	clones.c   who was cloned from what
 *	vm.c       VMs: clone, bounds, destroy
 *	snapshot.c their snapshots, and what takes the place of a root
 *	ioctl.c    the kernel's calls
 *	quota.c    its quota groups
 */
#pragma once

#include "libstore/driver.h"

#include <fcntl.h>

#define IMAGES    "images"
#define PARTIAL   "images/.partial"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* The longest path here: a UUID, a UUID's folder in PARTIAL, and a short name. */
#define PATH_SIZE 128

/* "DIR/UUID/NAME"; an empty DIR or NAME is left out. Returns BUF. */
const char *btrfs_place(char buf[static PATH_SIZE], const char *dir, const char *uuid,
			const char *name);

/* "WHAT 'UUID': reason"; returns CODE, a negative errno. */
int btrfs_fail(struct err *e, int code, const char *what, const char *uuid);

/* rm -r of a folder that may hold subvolumes. Absent is success. */
int btrfs_destroy_folder(struct store *s, const char *path, struct err *e);

int btrfs_image_begin(struct store *s, const char *uuid, const char *origin, struct err *e);
int btrfs_image_begin_from_vm(struct store *s, const char *uuid, const char *vm, struct err *e);
int btrfs_image_commit(struct store *s, const char *uuid, struct err *e);
int btrfs_image_commit_into(struct store *s, const char *uuid, const char *next, struct err *e);
int btrfs_image_abort(struct store *s, const char *uuid, struct err *e);
int btrfs_image_destroy(struct store *s, const char *uuid, struct err *e);
int btrfs_image_dir(struct store *s, const char *uuid, bool partial, struct err *e);
int btrfs_image_partials(struct store *s, char (**ret_uuids)[UUID_STR], size_t *ret_count,
			 struct err *e);

int btrfs_clones(struct store *s, struct store_clone_of **ret_clones, size_t *ret_count,
		 struct err *e);
/* -EBUSY, naming it, when something cloned from IMAGE is alive. */
int btrfs_image_check_unused(struct store *s, const char *image, struct err *e);

int btrfs_clone(struct store *s, const char *image, const char *vm, uint64_t quota_bytes,
		bool *ret_quota_holds, struct err *e);
int btrfs_vm_set_quota(struct store *s, const char *vm, uint64_t quota_bytes,
		       bool *ret_quota_holds, struct err *e);
int btrfs_vm_usage(struct store *s, const char *vm, uint64_t *ret_used, uint64_t *ret_quota,
		   struct err *e);
int btrfs_vm_destroy(struct store *s, const char *vm, struct err *e);

/* ---- snapshot.c ---- */

/* Where FS of VM is: now (SNAPSHOT is NULL), or in one of its snapshots. Returns BUF. */
const char *btrfs_fs_place(char buf[static PATH_SIZE], const char *vm, const char *snapshot,
			   enum store_fs fs);
/* 1 or 0, or why that cannot be told: what cannot be looked at is not absent. */
int btrfs_is_there(struct store *s, const char *path, struct err *e);
/* The group of VM; *RET_GROUP is 0 when it has none: then it has no bound. */
int btrfs_vm_group(struct store *s, const char *vm, uint64_t *ret_group, struct err *e);
int btrfs_destroy_at(struct store *s, const char *path, struct err *e);
int btrfs_snapshot_at(struct store *s, const char *from, const char *to, uint64_t group,
		      bool readonly, struct err *e);
/* As above, where there is a FROM. */
int btrfs_snapshot_if_there(struct store *s, const char *from, const char *to, uint64_t group,
			    bool readonly, struct err *e);
int btrfs_snapshot_folders(struct store *s, const char *vm, const char *name, struct err *e);
int btrfs_snapshot_stamp(struct store *s, const char *vm, const char *name, int64_t created_ns,
			 struct err *e);

int btrfs_snapshot_create(struct store *s, const char *vm, const char *name, struct err *e);
int btrfs_snapshot_destroy(struct store *s, const char *vm, const char *name, struct err *e);
int btrfs_snapshot_list(struct store *s, const char *vm, struct store_snapshot **ret_list,
			size_t *ret_count, struct err *e);
int btrfs_next_begin(struct store *s, const char *vm, struct err *e);
int btrfs_next_from_snapshot(struct store *s, const char *vm, const char *name,
			     const char *image, struct err *e);
int btrfs_next_from_image(struct store *s, const char *vm, const char *image, struct err *e);
int btrfs_next_from_vm(struct store *s, const char *vm, const char *other, struct err *e);
int btrfs_next_swap(struct store *s, const char *vm, struct err *e);
int btrfs_next_end(struct store *s, const char *vm, struct err *e);
int btrfs_data_create(struct store *s, const char *vm, struct err *e);

/* ---- send.c, stream.c ---- */

int btrfs_has_fs(struct store *s, const char *vm, const char *snapshot, enum store_fs fs,
		 struct err *e);
int btrfs_send_begin(struct store *s, const char *vm, struct err *e);
int btrfs_send_fs(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
		  const char *base, int outfd, struct err *e);
int btrfs_send_end(struct store *s, const char *vm, struct err *e);
int btrfs_receive_begin(struct store *s, const char *vm, uint64_t quota_bytes,
			bool *ret_quota_holds, struct err *e);
int btrfs_receive_work(struct store *s, const char *vm, enum store_fs fs, const char *base,
		       const struct store_arrival *after, struct err *e);
int btrfs_receive_keep(struct store *s, const char *vm, const struct store_arrival *a,
		       struct err *e);
int btrfs_receive_drop_points(struct store *s, const char *vm, const struct store_arrival *keep,
			      struct err *e);
int btrfs_receive_install(struct store *s, const char *vm, const struct store_arrival *a,
			  enum store_fs fs, const char *snapshot, int64_t created_ns,
			  struct err *e);
int btrfs_receive_end(struct store *s, const char *vm, struct err *e);
long btrfs_stream_piece(const void *data, size_t len, bool at_start, struct err *e);
int btrfs_stream_apply(int infd, int rootfd, bool *ret_ended, struct err *e);
