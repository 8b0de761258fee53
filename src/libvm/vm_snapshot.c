/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of a VM: made, deleted, and gone back to.
 *
 *	create    journal ▶ data, root ▶ journal removed
 *	          cut short: undone, unless the root's is there, which is the last
 *	delete    journal ▶ root, data ▶ journal removed
 *	          cut short: gone on with
 *	rollback  journal ▶ stopped ▶ next root and data ▶ swapped ▶ newer ones destroyed
 *	          ▶ old root and data destroyed ▶ journal removed ▶ started
 *	          cut short: all of it again, from the stop on; what ran stays stopped
 */
#include "libvm/vm.h"

#include "base/jv.h"
#include "libimg/image.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "libvm/recover.h"
#include "libvm/sending.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <string.h>
#include <unistd.h>

#define IMAGE_WAIT_MS (60 * 1000)

struct work {
	const struct vm_host *vh;
	const char *uuid;
	const char *name;
	struct store *store;
	struct jv *record;
	int lock;
};

static void work_done(struct work *w)
{
	store_close(w->store);
	jv_unref(w->record);
	close_p(&w->lock);
}

/* Names, lock, record, pool: how each begins. */
static int begin(struct work *w, struct err *e)
{
	int r;

	if (!store_snapshot_name_is_valid(w->name))
		return err_set(e, -EINVAL, "Invalid snapshot name");
	w->lock = vm_open(w->vh, w->uuid, &w->record, e);
	if (w->lock < 0)
		return w->lock;
	r = vm_need_zone(w->record, "snapshots for kvm VMs currently unsupported", e);
	return r < 0 ? r : vm_store_open(w->vh->host, &w->store, e);
}

static int journal(const struct work *w, enum journal_op op, struct err *e)
{
	cleanup_jv struct jv *args = jv_object();
	int r;

	jv_set(args, "name", jv_string(w->name));
	if (w->record)
		jv_set(args, "image_uuid", jv_string(jv_get_string(w->record, "image_uuid")));
	r = journal_begin(w->vh->host, w->uuid, op, args, e);
	return r < 0 ? r : fault_point("journal written", e);
}

/* Is NAME one of its snapshots? Counts them all besides. */
static int find(const struct work *w, size_t *ret_count, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	size_t count;
	int found = 0, r;

	r = store_snapshot_list(w->store, w->uuid, &list, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		found |= strcmp(list[i].name, w->name) == 0;
	if (ret_count)
		*ret_count = count;
	return found;
}

static int need_snapshot(const struct work *w, struct err *e)
{
	int r = find(w, NULL, e);

	return r != 0 ? (r < 0 ? r : 0)
		      : err_set(e, -ENOENT, "No snapshot named \"%s\" for %s", w->name,
				w->uuid);
}

static int check_room(const struct work *w, struct err *e)
{
	int64_t limit = jv_get_int(w->record, "zfs_snapshot_limit", -1);
	size_t count = 0;
	int r = find(w, &count, e);

	if (r < 0)
		return r;
	if (r > 0)
		return err_set(e, -EEXIST, "Snapshot \"%s\" already exists for %s", w->name,
			       w->uuid);
	if (limit >= 0 && count >= (uint64_t)limit)
		return err_set(e, -EDQUOT,
			       "/zfs_snapshot_limit: VM %s has %zu snapshots, %lld are "
			       "allowed; delete one",
			       w->uuid, count, (long long)limit);
	return 0;
}

int vm_snapshot_create(const struct vm_host *vh, const char *uuid, const char *name,
		       struct err *e)
{
	cleanup_with(work_done) struct work w = { vh, uuid, name, .lock = -1 };
	int r;

	r = begin(&w, e);
	if (r == 0)
		r = check_room(&w, e);
	if (r < 0)
		return r;
	r = journal(&w, JOURNAL_SNAPSHOT, e);
	if (r == 0)
		r = store_snapshot_create(w.store, uuid, name, e);
	if (r == 0)
		r = fault_point("snapshot made", e);
	if (r < 0)
		goto undo_snapshot;
	return journal_end(vh->host, uuid, e);

undo_snapshot:
	/* Should this fail too, the journal stays and the next command mends it. */
	if (store_snapshot_destroy(w.store, uuid, name, NULL) < 0 ||
	    journal_cancel(vh->host, uuid, NULL) < 0)
		return err_wrap(e, r, "the next command on it takes the rest away");
	return r;
}

int vm_snapshot_delete(const struct vm_host *vh, const char *uuid, const char *name,
		       struct err *e)
{
	cleanup_with(work_done) struct work w = { vh, uuid, name, .lock = -1 };
	int r;

	r = begin(&w, e);
	if (r == 0)
		r = need_snapshot(&w, e);
	if (r == 0)
		r = sending_refuse(vh->host, uuid, name, e);
	if (r < 0)
		return r;
	r = journal(&w, JOURNAL_UNSNAPSHOT, e);
	if (r < 0 && journal_cancel(vh->host, uuid, NULL) < 0)
		return err_wrap(e, r, "the next command on it deletes the snapshot");
	if (r < 0)
		return r;
	r = store_snapshot_destroy(w.store, uuid, name, e);
	if (r == 0)
		r = fault_point("snapshot destroyed", e);
	if (r == 0)
		r = store_sync(w.store, e);
	return r < 0 ? err_wrap(e, r, "half deleted; the next command on it goes on")
		     : journal_end(vh->host, uuid, e);
}

/* ---- rollback ------------------------------------------------------------------ */

static int destroy_newer(const struct work *w, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	size_t count;
	int r;

	r = store_snapshot_list(w->store, w->uuid, &list, &count, e);
	for (size_t i = 0; r == 0 && i < count && strcmp(list[i].name, w->name) != 0; i++) {
		r = store_snapshot_destroy(w->store, w->uuid, list[i].name, e);
		if (r == 0)
			r = fault_point("newer snapshot destroyed", e);
	}
	return r;
}

/* Everything before the swap can be undone by store_next_end(). */
static int make_next(const struct work *w, const char *image, struct err *e)
{
	cleanup_close int lock = -1;
	int r;

	r = zoneadmd_stop_vm(w->vh->host, w->vh->zoneadmd, w->uuid, true, 0, e);
	if (r == 0)
		r = fault_point("stopped", e);
	if (r < 0)
		return r;
	/* An image is not deleted between the look at it and the clone. */
	lock = image_lock_shared(w->vh->host, image, IMAGE_WAIT_MS, e);
	if (lock < 0)
		return lock;
	r = store_next_from_snapshot(w->store, w->uuid, w->name, image, e);
	return r < 0 ? r : fault_point("next root made", e);
}

static int swap_and_end(const struct work *w, struct err *e)
{
	int r = store_next_swap(w->store, w->uuid, e);

	if (r == 0)
		r = fault_point("root swapped", e);
	if (r == 0)
		r = destroy_newer(w, e);
	if (r == 0)
		r = store_next_end(w->store, w->uuid, e);
	if (r == 0)
		r = fault_point("old root destroyed", e);
	if (r == 0)
		r = store_sync(w->store, e);
	return r == 0 ? journal_end(w->vh->host, w->uuid, e)
		      : err_wrap(e, r, "half rolled back; the next command on it goes on");
}

int vm_rollback(const struct vm_host *vh, const char *uuid, const char *name, bool start,
		struct vm_report *rep, struct err *e)
{
	cleanup_with(work_done) struct work w = { vh, uuid, name, .lock = -1 };
	bool ran;
	int r;

	r = begin(&w, e);
	if (r == 0)
		r = need_snapshot(&w, e);
	if (r == 0)
		r = sending_refuse(vh->host, uuid, NULL, e);
	if (r < 0)
		return r;
	ran = zoneadmd_vm_pid(vh->host, uuid) > 0;
	r = journal(&w, JOURNAL_ROLLBACK, e);
	if (r == 0)
		r = make_next(&w, jv_get_string(w.record, "image_uuid"), e);
	if (r < 0)
		goto undo_next;
	r = swap_and_end(&w, e);
	if (r == 0 && (ran || start))
		r = vm_start_locked(vh, uuid, rep, e);
	return r;

undo_next:
	if (store_next_end(w.store, uuid, NULL) == 0 &&
	    journal_cancel(vh->host, uuid, NULL) == 0 && ran &&
	    zoneadmd_vm_pid(vh->host, uuid) == 0 && vm_start_locked(vh, uuid, rep, NULL) < 0)
		vm_report_warn(rep, "VM %s was stopped and could not be started again", uuid);
	return r;
}

/* ---- what was cut short --------------------------------------------------------- */

static int begin_recovery(struct work *w, const struct recovery *rc, struct err *e)
{
	*w = (struct work){ rc->vh, rc->uuid, jv_get_string(rc->args, "name"), .lock = -1 };
	if (!store_snapshot_name_is_valid(w->name))
		return err_set(e, -EBADMSG, "/args/name of its journal is no snapshot's name");
	return vm_store_open(rc->vh->host, &w->store, e);
}

int vm_snapshot_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	cleanup_with(work_done) struct work w = { .lock = -1 };
	int r = begin_recovery(&w, rc, e);

	if (r == 0)
		r = find(&w, NULL, e);
	if (r < 0)
		return r;
	*ret_done = r > 0 ? "completed its snapshot" : "undid its snapshot";
	if (r == 0)
		r = store_snapshot_destroy(w.store, rc->uuid, w.name, e);
	return r < 0 ? r : journal_end(rc->vh->host, rc->uuid, e);
}

int vm_unsnapshot_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	cleanup_with(work_done) struct work w = { .lock = -1 };
	int r = begin_recovery(&w, rc, e);

	*ret_done = "completed the deletion of its snapshot";
	if (r == 0)
		r = store_snapshot_destroy(w.store, rc->uuid, w.name, e);
	if (r == 0)
		r = store_sync(w.store, e);
	return r < 0 ? r : journal_end(rc->vh->host, rc->uuid, e);
}

int vm_rollback_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	cleanup_with(work_done) struct work w = { .lock = -1 };
	int r = begin_recovery(&w, rc, e);

	if (r == 0)
		r = find(&w, NULL, e);
	if (r < 0)
		return r;
	if (r == 0) { /* taken away by hand meanwhile: what is there stays */
		*ret_done = "gave up its rollback";
		r = store_next_end(w.store, rc->uuid, e);
		return r < 0 ? r : journal_end(rc->vh->host, rc->uuid, e);
	}
	*ret_done = "completed its rollback";
	r = make_next(&w, jv_get_string(rc->args, "image_uuid"), e);
	return r < 0 ? r : swap_and_end(&w, e);
}
