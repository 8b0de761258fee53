/* SPDX-License-Identifier: MIT */
/*
 * driver.h - what a driver of libstore implements. Private to libstore.
 *
 * store.c has checked every UUID before a slot is called. The slots mean what
 * store.h says of the call of the same name.
 */
#pragma once

#include "libstore/store.h"

struct store {
	const struct store_ops *ops;
	int poolfd;
};

struct store_ops {
	const char *name;
	long magic; /* statfs(2) f_type */
	/* Is POOLFD the top of a file system of this kind, and usable? */
	int (*probe)(int poolfd, struct err *e);
	int (*image_begin)(struct store *s, const char *uuid, const char *origin,
			   struct err *e);
	int (*image_begin_from_vm)(struct store *s, const char *uuid, const char *vm,
				   struct err *e);
	int (*image_commit)(struct store *s, const char *uuid, struct err *e);
	int (*image_commit_into)(struct store *s, const char *uuid, const char *next,
				 struct err *e);
	int (*image_abort)(struct store *s, const char *uuid, struct err *e);
	int (*image_destroy)(struct store *s, const char *uuid, struct err *e);
	int (*image_dir)(struct store *s, const char *uuid, bool partial, struct err *e);
	int (*image_partials)(struct store *s, char (**ret_uuids)[UUID_STR], size_t *ret_count,
			      struct err *e);
	int (*clones)(struct store *s, struct store_clone_of **ret_clones, size_t *ret_count,
		      struct err *e);
	int (*clone)(struct store *s, const char *image, const char *vm, uint64_t quota_bytes,
		     bool *ret_quota_holds, struct err *e);
	int (*vm_set_quota)(struct store *s, const char *vm, uint64_t quota_bytes,
			    bool *ret_quota_holds, struct err *e);
	int (*vm_usage)(struct store *s, const char *vm, uint64_t *ret_used,
			uint64_t *ret_quota, struct err *e);
	int (*vm_destroy)(struct store *s, const char *vm, struct err *e);
	int (*snapshot_create)(struct store *s, const char *vm, const char *name,
			       struct err *e);
	int (*snapshot_destroy)(struct store *s, const char *vm, const char *name,
				struct err *e);
	int (*snapshot_list)(struct store *s, const char *vm, struct store_snapshot **ret_list,
			     size_t *ret_count, struct err *e);
	int (*next_from_snapshot)(struct store *s, const char *vm, const char *name,
				  const char *image, struct err *e);
	int (*next_from_image)(struct store *s, const char *vm, const char *image,
			       struct err *e);
	int (*next_from_vm)(struct store *s, const char *vm, const char *other, struct err *e);
	int (*next_swap)(struct store *s, const char *vm, struct err *e);
	int (*next_end)(struct store *s, const char *vm, struct err *e);
	int (*data_create)(struct store *s, const char *vm, struct err *e);
	int (*next_begin)(struct store *s, const char *vm, struct err *e);
	int (*has_fs)(struct store *s, const char *vm, const char *snapshot, enum store_fs fs,
		      struct err *e);
	int (*send_begin)(struct store *s, const char *vm, struct err *e);
	int (*send_fs)(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
		       const char *base, int outfd, struct err *e);
	int (*send_end)(struct store *s, const char *vm, struct err *e);
	int (*receive_begin)(struct store *s, const char *vm, uint64_t quota_bytes,
			     bool *ret_quota_holds, struct err *e);
	int (*receive_work)(struct store *s, const char *vm, enum store_fs fs, const char *base,
			    const struct store_arrival *after, struct err *e);
	int (*receive_keep)(struct store *s, const char *vm, const struct store_arrival *a,
			    struct err *e);
	int (*receive_drop_points)(struct store *s, const char *vm,
				   const struct store_arrival *keep, struct err *e);
	int (*receive_install)(struct store *s, const char *vm, const struct store_arrival *a,
			       enum store_fs fs, const char *snapshot, int64_t created_ns,
			       struct err *e);
	int (*receive_end)(struct store *s, const char *vm, struct err *e);
	long (*stream_piece)(const void *data, size_t len, bool at_start, struct err *e);
	int (*stream_apply)(int infd, int rootfd, bool *ret_ended, struct err *e);
};

extern const struct store_ops store_btrfs_ops;
