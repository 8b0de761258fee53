/* SPDX-License-Identifier: MIT */
/*
 * vm_capture.h - the tree of a VM, to make an image from.
 *
 *	lock of the image-to-be ▶ [a throw-away VM, a clone of this one, runs the script]
 *	▶ images/.partial/IMAGE/rootfs, a read-only snapshot ▶ (caller reads) ▶ gone
 *
 * The VM itself is only looked at. The throw-away VM has the UUID of the image-to-be, no
 * network, nothing of the host's, and no metadata but the script; "imgadm-create" in its
 * internal_metadata says what it is. Killed in between, snapshot and throw-away VM stay
 * without the lock, and the next vm_capture() or vm_capture_clean() takes both away.
 */
#pragma once

#include "libvm/vm.h"

#include <signal.h>

struct store;

#define VM_CAPTURE_STAGE_S 300 /* how long each stage of the script may take */

struct vm_capture_request {
	const char *vm;
	const char *image;    /* the image-to-be */
	const char *base;     /* the installed image that it is told apart from, or NULL */
	const char *script;   /* what prepares the image, its text; NULL: none */
	unsigned int stage_s; /* 0: VM_CAPTURE_STAGE_S */
	void (*say)(void *data, const char *line); /* may be NULL */
	void *data;
	const volatile sig_atomic_t *cancel; /* -EINTR when it becomes non-zero. May be NULL */
};

struct vm_capture {
	int rootfd;
	int basefd; /* -1: there is no base */
	/* private */
	const struct vm_host *vh;
	const char *image;
	struct store *store;
	int lock, base_lock;
};

#define VM_CAPTURE_INIT                                                 \
	{                                                               \
		.rootfd = -1, .basefd = -1, .lock = -1, .base_lock = -1 \
	}

/*
 * -ENOENT: no such VM. -EBUSY: it runs, and there is no script. -ETIMEDOUT: a stage of the
 * script took too long. -ENODATA: it did not run. -EREMOTEIO: it said that it failed.
 */
ATTR_MUST_CHECK int vm_capture(const struct vm_host *vh, const struct vm_capture_request *req,
			       struct vm_capture *ret, struct err *e);
void vm_capture_end(struct vm_capture *c);
#define cleanup_vm_capture cleanup_with(vm_capture_end)

/*
 * Throw-away VMs whose makers are dead: each to FOUND (may be NULL), after it was taken away
 * when REPAIR. Returns how many are left, or a negative errno.
 */
ATTR_MUST_CHECK int vm_capture_clean(const struct vm_host *vh, bool repair,
				     void (*found)(void *data, const char *uuid, bool removed),
				     void *data, struct err *e);

/* ---- vm_prepare.c: private to vm_capture.c ---- */

#define VM_PREPARE_MARK "imgadm-create"

/* Make the throw-away VM, run the script in it until it has stopped. It stays, on failure too.
 */
ATTR_MUST_CHECK int vm_prepare(const struct vm_host *vh, struct store *store,
			       const struct jv *record, const struct vm_capture_request *req,
			       struct err *e);
/* Take it away. Absent is success. */
ATTR_MUST_CHECK int vm_prepare_undo(const struct vm_host *vh, const char *uuid, struct err *e);
