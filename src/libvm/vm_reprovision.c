/* SPDX-License-Identifier: MIT */
/*
 * A new root for a VM that keeps the rest of it.
 *
 *	journal ▶ stopped ▶ next root ▶ files ▶ record ▶ swapped ▶ old root and snapshots
 *	destroyed ▶ journal removed ▶ started
 *	└──────── undone when cut short ────────┘└──── completed ────┘
 *
 * The record names the new image from the moment on at which there is no way back;
 * found with a journal, it says which way to go.
 */
#include "libvm/vm.h"

#include "base/jv.h"
#include "libimg/image.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/recover.h"
#include "libvm/sending.h"
#include "libvm/vm_claims.h"
#include "libvm/vm_store.h"
#include "libvm/zone_files.h"
#include "libvm/zoneadmd.h"

#include <string.h>
#include <unistd.h>

#define IMAGE_WAIT_MS (60 * 1000)

struct renewal {
	const struct vm_host *vh;
	const char *uuid;
	const char *image;
	struct store *store;
	struct jv *record;
	bool start;
	int lock;
};

static void renewal_done(struct renewal *n)
{
	store_close(n->store);
	jv_unref(n->record);
	close_p(&n->lock);
}

/* Whether it is there, and a tree that a zone can run. */
static int check_image(const struct renewal *n, struct err *e)
{
	cleanup_image struct image img = { 0 };
	const char *os;
	int r = image_load(n->vh->host, n->image, &img, e);

	if (r < 0)
		return err_wrap(e, r, "/image_uuid");
	os = image_os(&img);
	if (!os || (strcmp(os, "linux") != 0 && strcmp(os, "other") != 0))
		return err_set(e, -ENOTSUP, "/image_uuid: image %s is for '%s', not for Linux",
			       n->image, os ? os : "?");
	return 0;
}

static int check(const struct renewal *n, struct err *e)
{
	int r;

	if (jv_get_bool(n->record, "indestructible_zoneroot", false))
		return err_set(e, -EPERM, "indestructible_zoneroot is set, cannot reprovision");
	r = check_image(n, e);
	return r < 0 ? r
		     : vm_need_zone(n->record, "brand \"kvm\" does not yet support reprovision",
				    e);
}

/* The root that is to come, with its files; nobody's until the swap. */
static int make_next(const struct renewal *n, struct err *e)
{
	cleanup_close int lock = -1, rootfd = -1;
	int r;

	lock = image_lock_shared(n->vh->host, n->image, IMAGE_WAIT_MS, e);
	if (lock < 0)
		return lock;
	rootfd = store_next_from_image(n->store, n->uuid, n->image, e);
	if (rootfd < 0)
		return rootfd;
	r = fault_point("next root made", e);
	if (r == 0)
		r = zone_files_write(rootfd, n->record, n->start, e);
	return r;
}

static int destroy_snapshots(const struct renewal *n, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	size_t count;
	int r;

	r = store_snapshot_list(n->store, n->uuid, &list, &count, e);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = store_snapshot_destroy(n->store, n->uuid, list[i].name, e);
		if (r == 0)
			r = fault_point("snapshot destroyed", e);
	}
	return r;
}

/* Found with this stage, the journal is gone forward with: see vm_reprovision_recover(). */
static int journal(const struct renewal *n, const char *stage, struct err *e)
{
	cleanup_jv struct jv *args = jv_object();
	int r;

	jv_set(args, "image_uuid", jv_string(n->image));
	jv_set(args, "start", jv_bool(n->start));
	jv_set(args, "stage", jv_string(stage));
	r = journal_begin(n->vh->host, n->uuid, JOURNAL_REPROVISION, args, e);
	return r < 0 ? r : fault_point("journal written", e);
}

static int swap_and_end(const struct renewal *n, struct err *e)
{
	int r = record_store(n->vh->host, n->uuid, n->record, e);

	if (r == 0)
		r = fault_point("record written", e);
	if (r == 0)
		r = store_next_swap(n->store, n->uuid, e);
	if (r == 0)
		r = fault_point("root swapped", e);
	if (r == 0)
		r = destroy_snapshots(n, e);
	if (r == 0)
		r = store_next_end(n->store, n->uuid, e);
	if (r == 0)
		r = fault_point("old root destroyed", e);
	if (r == 0)
		r = store_sync(n->store, e);
	return r == 0 ? journal_end(n->vh->host, n->uuid, e)
		      : err_wrap(e, r, "half reprovisioned; the next command on it goes on");
}

static void take_image(struct renewal *n)
{
	jv_set(n->record, "image_uuid", jv_string(n->image));
	(void)jv_del(n->record, "failed");
}

/* All that can be taken back. */
static int prepare(struct renewal *n, struct err *e)
{
	int r = journal(n, "make", e);

	if (r == 0)
		r = zoneadmd_stop_vm(n->vh->host, n->vh->zoneadmd, n->uuid, true, 0, e);
	if (r == 0)
		r = fault_point("stopped", e);
	if (r == 0)
		r = make_next(n, e);
	return r;
}

int vm_reprovision(const struct vm_host *vh, const char *uuid, const char *image,
		   struct vm_report *rep, struct err *e)
{
	cleanup_with(renewal_done) struct renewal n = { vh, uuid, image, .lock = -1 };
	bool ran;
	int r;

	n.lock = vm_open(vh, uuid, &n.record, e);
	if (n.lock < 0)
		return n.lock;
	r = check(&n, e);
	if (r == 0)
		r = sending_refuse(vh->host, uuid, NULL, e);
	if (r == 0)
		r = vm_store_open(vh->host, &n.store, e);
	if (r < 0)
		return r;
	/* One that failed gives way, so its addresses may be another's by now. */
	if (jv_get(n.record, "failed"))
		r = vm_claims_take(vh, n.record, rep, e);
	if (r < 0)
		return r;
	ran = zoneadmd_vm_pid(vh->host, uuid) > 0;
	n.start = ran || jv_get_bool(n.record, "autoboot", false);
	take_image(&n);
	r = prepare(&n, e);
	if (r < 0)
		goto undo_next;
	r = journal(&n, "swap", e);
	if (r < 0)
		return err_wrap(e, r, "the next command on it completes or undoes this");
	r = swap_and_end(&n, e);
	if (r == 0 && n.start)
		r = vm_start_locked(vh, uuid, rep, e);
	return r;

undo_next:
	if (store_next_end(n.store, uuid, NULL) == 0 &&
	    journal_cancel(vh->host, uuid, NULL) == 0 && ran &&
	    zoneadmd_vm_pid(vh->host, uuid) == 0 && vm_start_locked(vh, uuid, rep, NULL) < 0)
		vm_report_warn(rep, "VM %s was stopped and could not be started again", uuid);
	return r;
}

int vm_reprovision_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	const char *stage = jv_get_string(rc->args, "stage");
	cleanup_with(renewal_done) struct renewal n = {
		rc->vh,
		rc->uuid,
		jv_get_string(rc->args, "image_uuid"),
		.lock = -1,
		.start = jv_get_bool(rc->args, "start", false),
	};
	int r;

	r = vm_store_open(rc->vh->host, &n.store, e);
	if (r < 0)
		return r;
	if (!n.image || !stage || strcmp(stage, "swap") != 0) {
		*ret_done = "undid its reprovisioning";
		r = store_next_end(n.store, rc->uuid, e);
		return r < 0 ? r : journal_end(rc->vh->host, rc->uuid, e);
	}
	*ret_done = "completed its reprovisioning";
	r = record_load(rc->vh->host, rc->uuid, &n.record, e);
	if (r == 0)
		r = zoneadmd_stop_vm(rc->vh->host, rc->vh->zoneadmd, rc->uuid, true, 0, e);
	if (r < 0)
		return r;
	take_image(&n);
	r = make_next(&n, e);
	return r < 0 ? r : swap_and_end(&n, e);
}
