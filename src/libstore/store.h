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
 *	UUID/data                     the file system that it was delegated, if any
 *	UUID/snap/NAME, UUID/snapinfo/NAME/   its snapshots
 *	UUID/                         a plain folder around all of it
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

/* Instead of a snapshot's name: what store_send_prepare() keeps. */
#define STORE_SENDING "@sending"

const char *store_driver(const struct store *s); /* "btrfs" */

/*
 * Make an image in images/.partial/UUID, replacing a dead one: empty, or with all that
 * the image ORIGIN has where that is not NULL (-ENOENT: it is not there). Returns a
 * descriptor of its rootfs.
 */
ATTR_MUST_CHECK int store_image_begin(struct store *s, const char *uuid, const char *origin,
				      struct err *e);
/*
 * The same with what VM's root is at this moment, read-only: to be read and aborted. A VM
 * that runs goes on running.
 */
ATTR_MUST_CHECK int store_image_begin_from_vm(struct store *s, const char *uuid, const char *vm,
					      struct err *e);
/*
 * Make all of it durable and read-only, and rename it into place. What libimg
 * put beside rootfs is made durable as well, and published by the same rename. -EEXIST when
 * UUID is there.
 */
ATTR_MUST_CHECK int store_image_commit(struct store *s, const char *uuid, struct err *e);
/*
 * The same, and begin NEXT, an image made of it, in one: what makes the snapshot writes the
 * content of UUID out, and nothing else of the pool. Returns NEXT's rootfs as
 * store_image_begin() does. The name of UUID is on disk with the next commit.
 */
ATTR_MUST_CHECK int store_image_commit_into(struct store *s, const char *uuid, const char *next,
					    struct err *e);
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

/* ---- snapshots ---- */

/* What a VM has: its root always, and data when it was delegated some. */
enum store_fs { STORE_ROOT, STORE_DATA, STORE_FS_MAX_ };

#define STORE_SNAPSHOT_NAME 65 /* bytes, with the '\0' */

/* 1 to 64 of a-z A-Z 0-9 _ . : % -, and neither "." nor "..", which are no names. */
bool store_snapshot_name_is_valid(const char *name);

/* VM/data, empty and within the VM's bound. There already: success. */
ATTR_MUST_CHECK int store_data_create(struct store *s, const char *vm, struct err *e);

/*
 * All file systems of VM as they are, read-only, within its bound. Each is what a
 * power cut would leave at that moment, with all that was written; of root and data
 * together the moments are some milliseconds apart. What subvolumes a guest made
 * below is not in it. -EEXIST.
 */
ATTR_MUST_CHECK int store_snapshot_create(struct store *s, const char *vm, const char *name,
					  struct err *e);
/* Also one that was made by half. */
ATTR_MUST_CHECK int store_snapshot_destroy(struct store *s, const char *vm, const char *name,
					   struct err *e);

struct store_snapshot {
	char name[STORE_SNAPSHOT_NAME];
	int64_t created_ns; /* since 1970 */
};
/* Newest first. The cost is that VM's snapshots alone. The caller frees. */
ATTR_MUST_CHECK int store_snapshot_list(struct store *s, const char *vm,
					struct store_snapshot **ret_list, size_t *ret_count,
					struct err *e);

/*
 * To replace what a VM, stopped, has: make the next ones, swap, and end, which
 * destroys what has been put away, or the next ones where there was no swap. A swap
 * that is repeated would put the old ones back: whoever mends begins with
 * the first step again. next_from_image() gives a descriptor of the new root;
 * next_from_snapshot() is told the image that the VM was made from, which goes on
 * being one that is used.
 */
ATTR_MUST_CHECK int store_next_from_snapshot(struct store *s, const char *vm, const char *name,
					     const char *image, struct err *e);
ATTR_MUST_CHECK int store_next_from_image(struct store *s, const char *vm, const char *image,
					  struct err *e);
/* The root alone, as OTHER's is at this moment. */
ATTR_MUST_CHECK int store_next_from_vm(struct store *s, const char *vm, const char *other,
				       struct err *e);
ATTR_MUST_CHECK int store_next_swap(struct store *s, const char *vm, struct err *e);
ATTR_MUST_CHECK int store_next_end(struct store *s, const char *vm, struct err *e);

/* Empty, for store_receive_install(): see below. */
ATTR_MUST_CHECK int store_next_begin(struct store *s, const char *vm, struct err *e);

/* ---- sending and receiving ---- */

/* Is there FS in SNAPSHOT of VM (NULL: now; STORE_SENDING)? */
ATTR_MUST_CHECK int store_has_fs(struct store *s, const char *vm, const char *snapshot,
				 enum store_fs fs, struct err *e);

/* Keep VM as it is under STORE_SENDING, in the place of what was kept so before. */
ATTR_MUST_CHECK int store_send_begin(struct store *s, const char *vm, struct err *e);
ATTR_MUST_CHECK int store_send_end(struct store *s, const char *vm, struct err *e);
/*
 * The stream of FS in SNAPSHOT, or of what it has other than BASE, to the pipe OUTFD. For
 * the same arguments the same bytes. Returns when all is written: call it in a child.
 */
ATTR_MUST_CHECK int store_send_fs(struct store *s, const char *vm, enum store_fs fs,
				  const char *snapshot, const char *base, int outfd,
				  struct err *e);

/*
 * A stream is cut into pieces, at whose ends a receiver can stop and go on. Bytes of the
 * first piece of DATA; 0: it is not whole yet, as at most STORE_PIECE_MAX bytes can
 * be; negative: that is no stream. AT_START: of its first piece, which makes nothing.
 */
#define STORE_PIECE_MAX ((size_t)256 << 10)
ATTR_MUST_CHECK long store_stream_piece(struct store *s, const void *data, size_t len,
					bool at_start, struct err *e);

/*
 * Do what the stream on INFD says to the tree at ROOTFD until INFD ends. It touches
 * nothing outside of ROOTFD and takes neither lock nor pool: for a process without rights.
 * *RET_ENDED: the stream has come to its end. After a stop, the two first pieces of a
 * stream come first again, and then what is missing.
 */
ATTR_MUST_CHECK int store_stream_apply(struct store *s, int infd, int rootfd, bool *ret_ended,
				       struct err *e);

/* What has arrived: file system number INDEX, whole when OFFSET is 0, else up to there. */
struct store_arrival {
	size_t index;
	uint64_t offset;
};

/* Make VM ready for what arrives, in the place of what had. A VM that is there keeps all. */
ATTR_MUST_CHECK int store_receive_begin(struct store *s, const char *vm, uint64_t quota_bytes,
					bool *ret_quota_holds, struct err *e);
/*
 * A tree to work on: a clone of FS in the snapshot BASE, or of what has arrived AFTER which
 * it comes, or empty. Returns its descriptor.
 */
ATTR_MUST_CHECK int store_receive_work(struct store *s, const char *vm, enum store_fs fs,
				       const char *base, const struct store_arrival *after,
				       struct err *e);
/* Keep the work as A, within what is on disk after store_sync(). */
ATTR_MUST_CHECK int store_receive_keep(struct store *s, const char *vm,
				       const struct store_arrival *a, struct err *e);
/* Destroy what was kept of parts, but for KEEP. */
ATTR_MUST_CHECK int store_receive_drop_points(struct store *s, const char *vm,
					      const struct store_arrival *keep, struct err *e);
/*
 * Put A in its place: of FS in the snapshot, made at CREATED_NS (since 1970), or, NULL, among
 * the next ones for store_next_swap(). Data before the root. Again is fine.
 */
ATTR_MUST_CHECK int store_receive_install(struct store *s, const char *vm,
					  const struct store_arrival *a, enum store_fs fs,
					  const char *snapshot, int64_t created_ns,
					  struct err *e);
ATTR_MUST_CHECK int store_receive_end(struct store *s, const char *vm, struct err *e);

/* Make what was written below VM/ durable. */
ATTR_MUST_CHECK int store_sync(struct store *s, struct err *e);

/* Bytes of the pool in all and free. */
ATTR_MUST_CHECK int store_space(struct store *s, uint64_t *ret_total, uint64_t *ret_free,
				struct err *e);
