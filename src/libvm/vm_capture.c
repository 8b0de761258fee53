/* SPDX-License-Identifier: MIT */
#include "libvm/vm_capture.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/pool.h"
#include "librecord/fault.h"
#include "librecord/record.h"
#include "libvm/vm_object.h"
#include "libvm/vm_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The base must stay while it is read. */
static int open_base(struct vm_capture *c, const struct vm_capture_request *req, struct err *e)
{
	cleanup_close int dir = -1;

	if (!req->base)
		return 0;
	c->base_lock = image_lock_shared(c->vh->host, req->base, -1, e);
	if (c->base_lock < 0)
		return c->base_lock;
	dir = store_image_dir(c->store, req->base, false, e);
	if (dir < 0)
		return dir;
	c->basefd = openat(dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->basefd < 0 ? err_sys(e, "cannot open the tree of image '%s'", req->base) : 0;
}

static int check_stopped(const struct vm_host *vh, const struct jv *record, struct err *e)
{
	enum vm_state state = vm_state_now(vh->host, record);

	if (state == VM_STOPPED || state == VM_FAILED)
		return 0;
	return err_set(e, -EBUSY,
		       "VM %s is not stopped (state is \"%s\"); stop it, or give a script "
		       "that prepares a copy of it",
		       jv_get_string(record, "uuid"), vm_state_name(state));
}

/* The VM's lock is held for as long as the snapshot takes. */
static int take_snapshot(struct vm_capture *c, const char *vm, bool must_be_stopped,
			 struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = vm_open(c->vh, vm, &record, e);
	int r = lock < 0 ? lock : 0;

	if (r == 0 && must_be_stopped)
		r = check_stopped(c->vh, record, e);
	if (r < 0)
		return r;
	c->rootfd = store_image_begin_from_vm(c->store, c->image, vm, e);
	return c->rootfd < 0 ? c->rootfd : fault_point("snapshot of the VM made", e);
}

static int capture_prepared(struct vm_capture *c, const struct vm_capture_request *req,
			    const struct jv *record, struct err *e)
{
	struct err ignored;
	int r = vm_prepare(c->vh, c->store, record, req, e), u;

	if (r == 0)
		r = take_snapshot(c, req->image, true, e);
	u = vm_prepare_undo(c->vh, req->image, r < 0 ? &ignored : e);
	return r < 0 ? r : u;
}

static int capture(struct vm_capture *c, const struct vm_capture_request *req,
		   const struct jv *record, struct err *e)
{
	int r;

	c->lock = image_lock_exclusive(c->vh->host, req->image, -1, e);
	if (c->lock < 0)
		return c->lock;
	r = open_base(c, req, e);
	if (r < 0)
		return r;
	return req->script ? capture_prepared(c, req, record, e)
			   : take_snapshot(c, req->vm, true, e);
}

int vm_capture(const struct vm_host *vh, const struct vm_capture_request *req,
	       struct vm_capture *ret, struct err *e)
{
	cleanup_vm_capture struct vm_capture c = VM_CAPTURE_INIT;
	cleanup_jv struct jv *record = NULL;
	int r;

	c.vh = vh;
	c.image = req->image;
	r = vm_store_open(vh->host, &c.store, e);
	if (r == 0)
		r = vm_capture_clean(vh, true, NULL, NULL, e);
	if (r < 0)
		return r;
	image_clean_partials(vh->host, c.store);
	r = record_load(vh->host, req->vm, &record, e);
	if (r == 0)
		r = vm_need_zone(record, "images of hardware VMs cannot be made by this host",
				 e);
	if (r == 0 && !req->script)
		r = check_stopped(vh, record, e);
	if (r == 0)
		r = capture(&c, req, record, e);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct vm_capture)VM_CAPTURE_INIT;
	return 0;
}

void vm_capture_end(struct vm_capture *c)
{
	struct err ignored;

	close_p(&c->rootfd);
	close_p(&c->basefd);
	/* What stays after this, the next command takes away. */
	if (c->lock >= 0)
		(void)!store_image_abort(c->store, c->image, &ignored);
	store_close(c->store);
	close_p(&c->base_lock);
	close_p(&c->lock);
	*c = (struct vm_capture)VM_CAPTURE_INIT;
}

/* ---- those of the dead ----------------------------------------------------------- */

static bool is_throw_away(const struct vm_host *vh, const char *uuid)
{
	cleanup_jv struct jv *record = NULL;
	struct err ignored;

	return record_load(vh->host, uuid, &record, &ignored) == 0 &&
	       jv_get_string(jv_get(record, "internal_metadata"), VM_PREPARE_MARK);
}

int vm_capture_clean(const struct vm_host *vh, bool repair,
		     void (*found)(void *data, const char *uuid, bool removed), void *data,
		     struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count = 0;
	int left = 0, r = record_list(vh->host, &uuids, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_close int lock = -1;
		bool removed = false;
		struct err ignored;

		if (!is_throw_away(vh, uuids[i]))
			continue;
		lock = image_lock_exclusive(vh->host, uuids[i], 0, NULL);
		if (lock < 0) /* its maker lives */
			continue;
		if (repair)
			removed = vm_prepare_undo(vh, uuids[i], &ignored) == 0;
		left += !removed;
		if (found)
			found(data, uuids[i], removed);
	}
	return r < 0 ? r : left;
}
