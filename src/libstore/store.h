/* SPDX-License-Identifier: MIT */
/*
 * store.h - the pool: images, and the file systems of VMs cloned from them.
 *
 * One table of operations a driver (btrfs now, ZFS to come) stands behind
 * these calls; nobody else names either. All paths are below the pool's mount
 * point, which the caller opens:
 *
 *	images/UUID/rootfs            read-only tree that VMs are cloned from
 *	images/UUID/manifest.json     libimg's
 *	images/.partial/UUID/         being made; one rename publishes it
 *	UUID/root                     a VM's file system, a writable clone
 *	UUID/                         a plain folder around it
 *
 * Every call is idempotent towards its goal, so that a journal can be replayed:
 * destroying what is not there succeeds, and a half-made clone is replaced.
 * Callers hold the lock of the VM or image. docs/store.md has the order of the
 * steps and what each kill leaves.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/*
 * The pool whose mount point is POOLFD (duplicated). -ENOTSUP with the file
 * system's name when no driver knows it, or when POOLFD is not its top.
 */
ATTR_MUST_CHECK int store_open(int poolfd, struct store **ret_store, struct err *e);
void store_close(struct store *s);
void store_close_p(struct store **s);
#define cleanup_store cleanup_with(store_close_p)

const char *store_driver(const struct store *s); /* "btrfs" */

/* Make an empty image in images/.partial/UUID, replacing a dead one; returns a descriptor of
 * its rootfs. */
ATTR_MUST_CHECK int store_image_begin(struct store *s, const char *uuid, struct err *e);
/*
 * Make all of it durable and read-only, and rename it into place. What libimg
 * put beside rootfs is published by the same rename. -EEXIST when UUID is there.
 */
ATTR_MUST_CHECK int store_image_commit(struct store *s, const char *uuid, struct err *e);
ATTR_MUST_CHECK int store_image_abort(struct store *s, const char *uuid, struct err *e);
/* -EBUSY with a VM's name in the error when a clone of it exists. */
ATTR_MUST_CHECK int store_image_destroy(struct store *s, const char *uuid, struct err *e);

/* A folder of the image to hold metadata: of the partial one, or of the published one. */
ATTR_MUST_CHECK int store_image_dir(struct store *s, const char *uuid, bool partial,
				    struct err *e);

/* What images/.partial/ holds: UUIDs of images begun and not ended. The caller frees. */
ATTR_MUST_CHECK int store_image_partials(struct store *s, char (**ret_uuids)[UUID_STR],
					 size_t *ret_count, struct err *e);

/* Which VM is a clone of which image, in no order. The caller frees. */
struct store_clone_of {
	char image[UUID_STR];
	char vm[UUID_STR];
};
ATTR_MUST_CHECK int store_clones(struct store *s, struct store_clone_of **ret_clones,
				 size_t *ret_count, struct err *e);

/*
 * Clone IMAGE to VM/root; the folder VM is made with mode 0700 when absent.
 * QUOTA_BYTES bounds what VM/ may hold of its own, 0 is no bound; where the
 * pool cannot bound it, the clone is made and *RET_QUOTA_HOLDS is false.
 * Returns a descriptor of the new root. -ENOENT: no such image.
 */
ATTR_MUST_CHECK int store_clone(struct store *s, const char *image, const char *vm,
				uint64_t quota_bytes, bool *ret_quota_holds, struct err *e);

/* Change the bound of an existing VM, at once; 0 takes it away. Same answer as store_clone().
 */
ATTR_MUST_CHECK int store_vm_set_quota(struct store *s, const char *vm, uint64_t quota_bytes,
				       bool *ret_quota_holds, struct err *e);

/*
 * What VM holds of its own and its bound, in bytes. *RET_QUOTA is 0 where there
 * is none; -ENOTSUP where the pool does not count.
 */
ATTR_MUST_CHECK int store_vm_usage(struct store *s, const char *vm, uint64_t *ret_used,
				   uint64_t *ret_quota, struct err *e);

/* Everything below VM/ and the folder itself, its bound included. */
ATTR_MUST_CHECK int store_vm_destroy(struct store *s, const char *vm, struct err *e);

/* Make what was written below VM/ durable. */
ATTR_MUST_CHECK int store_sync(struct store *s, struct err *e);

/* Bytes of the pool in all and free. */
ATTR_MUST_CHECK int store_space(struct store *s, uint64_t *ret_total, uint64_t *ret_free,
				struct err *e);
