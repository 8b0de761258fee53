/* SPDX-License-Identifier: MIT */
/*
 * The throw-away VM that a prepare-image script runs in.
 *
 *	made from the VM's image ▶ its root becomes a clone of the VM's ▶ started
 *	▶ prepare-image:state is "running" ▶ "success" or "error" ▶ it stops by itself
 *
 * The script says how far it is by 'mdata-put prepare-image:state ...', which ends up in
 * the VM's record; that is looked at here.
 */
#include "libvm/vm_capture.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"
#include "librecord/fault.h"
#include "librecord/record.h"
#include "libvm/vm_object.h"
#include "libvm/vm_store.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS 200

struct preparing {
	const struct vm_host *vh;
	const struct vm_capture_request *req;
	unsigned int stage_s;
	struct jv *record; /* as it was when it was looked at last */
	enum vm_state state;
};

/* What is of the host, of other machines, or of this VM's life alone. */
static void strip(struct jv *record)
{
	static const char *const not_its[] = {
		"alias",
		"archive_on_delete",
		"delegate_dataset",
		"docker",
		"failed",
		"filesystems",
		"idmap_base",
		"indestructible_delegated",
		"indestructible_zoneroot",
		"nics",
		"receiving",
		"routes",
		"tags",
		"zfs_snapshot_limit",
	};

	for (size_t i = 0; i < ARRAY_SIZE(not_its); i++)
		(void)jv_del(record, not_its[i]);
}

static struct jv *make_record(const struct jv *of, const struct vm_capture_request *req)
{
	struct jv *record = jv_copy(of);
	struct jv *internal = jv_object();

	strip(record);
	jv_set(internal, "operator-script", jv_string(req->script));
	jv_set(internal, VM_PREPARE_MARK, jv_string(req->vm));
	jv_set(record, "uuid", jv_string(req->image));
	jv_set(record, "zonename", jv_string(req->image));
	jv_set(record, "autoboot", jv_bool(false));
	jv_set(record, "do_not_inventory", jv_bool(true));
	jv_set(record, "nics", jv_array());
	jv_set(record, "routes", jv_object());
	jv_set(record, "tags", jv_object());
	jv_set(record, "customer_metadata", jv_object());
	jv_set(record, "internal_metadata", internal);
	return record;
}

/* Its root in the place of the image's, as it is at this moment. */
static int take_root(const struct vm_host *vh, struct store *store,
		     const struct vm_capture_request *req, struct err *e)
{
	cleanup_close int lock = vm_lock(vh->host, req->vm, e);
	int r = lock < 0 ? lock : store_next_from_vm(store, req->image, req->vm, e);

	if (r == 0)
		r = fault_point("clone of the VM made", e);
	if (r == 0)
		r = store_next_swap(store, req->image, e);
	return r < 0 ? r : store_next_end(store, req->image, e);
}

static int start(const struct vm_host *vh, struct store *store,
		 const struct vm_capture_request *req, struct err *e)
{
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = vm_open(vh, req->image, &record, e);
	int r = lock < 0 ? lock : take_root(vh, store, req, e);

	if (r == 0)
		r = fault_point("throw-away VM has its root", e);
	if (r == 0)
		r = vm_start_locked(vh, req->image, &rep, e);
	return r < 0 ? err_wrap(e, r, "cannot run the prepare-image script")
		     : fault_point("throw-away VM started", e);
}

/* ---- watching it ----------------------------------------------------------------- */

static const char *said(const struct preparing *p, const char *key)
{
	return jv_get_string(jv_get(p->record, "customer_metadata"), key);
}

static int look(struct preparing *p, struct err *e)
{
	struct jv *record = NULL;
	int r = record_load(p->vh->host, p->req->image, &record, e);

	if (r < 0)
		return r;
	jv_unref(p->record);
	p->record = record;
	p->state = vm_state_now(p->vh->host, record);
	return 0;
}

static bool has_begun(const struct preparing *p)
{
	return said(p, "prepare-image:state") != NULL;
}

static bool has_ended(const struct preparing *p)
{
	const char *state = said(p, "prepare-image:state");

	return strcmp(state, "success") == 0 || strcmp(state, "error") == 0;
}

static bool has_stopped(const struct preparing *p)
{
	return p->state == VM_STOPPED;
}

/* Until DONE, or the VM stops; what follows from that the caller says. */
static int wait_for(struct preparing *p, bool (*done)(const struct preparing *),
		    const char *what, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t until = clock_now_ms() + (int64_t)p->stage_s * 1000;
	int r;

	while ((r = look(p, e)) == 0 && !done(p) && p->state != VM_STOPPED) {
		if (p->req->cancel && *p->req->cancel)
			return err_set(e, -EINTR, "interrupted; nothing was made");
		if (clock_now_ms() > until)
			return err_set(e, -ETIMEDOUT,
				       "timeout (%us) waiting for the prepare-image script %s",
				       p->stage_s, what);
		(void)nanosleep(&pause, NULL);
	}
	return r;
}

static int conclude(const struct preparing *p, struct err *e)
{
	const char *state = said(p, "prepare-image:state");
	const char *why = said(p, "prepare-image:error");

	if (!state)
		return err_set(e, -ENODATA,
			       "prepare-image script did not indicate it was run (old guest "
			       "tools in VM %s?)",
			       p->req->vm);
	if (strcmp(state, "success") == 0)
		return 0;
	if (strcmp(state, "error") == 0)
		return err_set(e, -EREMOTEIO, "prepare-image script error: %.1000s",
			       why ? why : "(it did not say which)");
	return err_set(e, -EREMOTEIO,
		       "the VM stopped before the prepare-image script had ended (its state is "
		       "\"%.100s\")",
		       state);
}

static int watch(struct preparing *p, struct err *e)
{
	int r = wait_for(p, has_begun, "to begin", e);

	if (r == 0 && has_begun(p))
		r = wait_for(p, has_ended, "to end", e);
	if (r == 0)
		r = conclude(p, e);
	return r < 0 ? r : wait_for(p, has_stopped, "to stop the VM", e);
}

/* ---- all of it ------------------------------------------------------------------- */

int vm_prepare(const struct vm_host *vh, struct store *store, const struct jv *record,
	       const struct vm_capture_request *req, struct err *e)
{
	struct preparing p = { .vh = vh,
			       .req = req,
			       .stage_s = req->stage_s ? req->stage_s : VM_CAPTURE_STAGE_S };
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_jv struct jv *copy = make_record(record, req);
	int r = vm_create(vh, copy, false, &rep, e);

	if (r < 0)
		return err_wrap(e, r, "cannot make a VM for the prepare-image script");
	r = fault_point("throw-away VM made", e);
	if (r == 0 && req->say)
		req->say(req->data, "Running prepare-image script in a copy of the VM");
	if (r == 0)
		r = start(vh, store, req, e);
	if (r == 0)
		r = watch(&p, e);
	jv_unref(p.record);
	return r < 0 ? r : fault_point("image prepared", e);
}

int vm_prepare_undo(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_vm_report struct vm_report rep = { 0 };
	int r = vm_delete(vh, uuid, &rep, e);

	return r == -ENOENT ? 0 : r;
}
