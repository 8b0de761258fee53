/* SPDX-License-Identifier: MIT */
/*
 * create, in the order in which each step can be undone or completed:
 *
 *	journal ▶ claims ▶ clone ▶ files ▶ record ▶ start ▶ journal removed
 *	└──────── undone when cut short ───────┘└───── completed ─────┘
 *
 * What the root was given is synced while the VM starts: both take about as long,
 * and success is told after both.
 */
#include "libvm/vm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libvm/console_tail.h"
#include "base/lock.h"
#include "base/uuid.h"
#include "libimg/image.h"
#include "libstore/store.h"
#include "libsys/cgroup_haste.h"
#include "librecord/claim.h"
#include "librecord/fault.h"
#include "libpayload/filesystem.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/vm_claims.h"
#include "libvm/vm_store.h"
#include "libvm/zone_files.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IMAGE_WAIT_MS (60 * 1000)
#define GIB           ((uint64_t)1 << 30)

struct creation {
	const struct vm_host *vh;
	struct jv *record;
	const char *uuid;
	struct vm_report *rep;
};

static int take_claims(struct creation *c, struct err *e)
{
	cleanup_close int claimsfd = -1;
	uint32_t base;
	int r;

	claimsfd = host_dir(c->vh->host, HOST_CLAIMS, 0700, e);
	if (claimsfd < 0)
		return claimsfd;
	r = claim_take_ids(claimsfd, c->uuid, &base, e);
	if (r == 0)
		r = vm_claims_take(c->vh, c->record, c->rep, e);
	if (r < 0)
		return r;
	jv_set(c->record, "idmap_base", jv_int(base));
	return fault_point("all claims taken", e);
}

int vm_take_claims(const struct vm_host *vh, struct jv *record, struct vm_report *rep,
		   struct err *e)
{
	struct creation c = { vh, record, jv_get_string(record, "uuid"), rep };

	return take_claims(&c, e);
}

/* Its root, from the image: the descriptor of it. */
static int clone_image(struct creation *c, struct store *store, struct err *e)
{
	const char *image = jv_get_string(c->record, "image_uuid");
	uint64_t quota = (uint64_t)jv_get_int(c->record, "quota", 0) * GIB;
	cleanup_close int lock = -1;
	bool holds = true;
	int rootfd;

	lock = image_lock_shared(c->vh->host, image, IMAGE_WAIT_MS, e);
	if (lock < 0)
		return lock;
	rootfd = store_clone(store, image, c->uuid, quota, &holds, e);
	if (rootfd >= 0 && quota && !holds)
		vm_report_warn(c->rep, "quota: the pool does not bound what a VM stores; see "
				       "mkpool(8)");
	return rootfd;
}

static int make_root(struct creation *c, struct store *store, bool start, struct err *e)
{
	cleanup_close int rootfd = -1;
	int r;

	rootfd = clone_image(c, store, e);
	if (rootfd < 0)
		return rootfd;
	r = fault_point("root cloned", e);
	if (r == 0 && jv_get_bool(c->record, "delegate_dataset", false)) {
		r = store_data_create(store, c->uuid, e);
		if (r == 0)
			r = fault_point("data made", e);
	}
	if (r == 0)
		r = zone_files_write(rootfd, c->record, start, e);
	return r == 0 ? fault_point("files written", e) : r;
}

/* From the journal to the record. A failure leaves what vm_erase() takes away. */
static int build(struct creation *c, struct store *store, bool start, struct err *e)
{
	int r;

	r = journal_begin(c->vh->host, c->uuid, JOURNAL_CREATE, NULL, e);
	if (r == 0)
		r = fault_point("journal written", e);
	if (r == 0)
		r = take_claims(c, e);
	if (r == 0)
		r = make_root(c, store, start, e);
	if (r == 0)
		r = record_store(c->vh->host, c->uuid, c->record, e);
	return r;
}

/* The VM is one; what went wrong with its first start is said by its state. */
static int mark_failed(struct creation *c, int code, struct err *e)
{
	cleanup_free char *step = xasprintf("start: %s", e ? e->msg : "");

	jv_set(c->record, "failed", jv_string(step));
	if (record_store(c->vh->host, c->uuid, c->record, NULL) < 0)
		return err_wrap(e, code, "VM %s was made and does not start", c->uuid);
	return err_wrap(e, code, "VM %s left in state failed", c->uuid);
}

static void take_warnings(struct vm_report *rep, struct jv *warnings)
{
	for (size_t i = 0; i < jv_len(warnings); i++)
		if (jv_as_string(jv_at(warnings, i)))
			vm_report_warn(rep, "%s", jv_as_string(jv_at(warnings, i)));
}

/* Start it, and make its root durable while its init comes up. */
static int start_and_sync(struct creation *c, struct store *store, struct err *sync_error,
			  int *ret_sync, struct err *e)
{
	cleanup_jv struct jv *warnings = NULL;
	time_t begun = time(NULL);
	int fd, r;

	fd = zoneadmd_start_begin(c->vh->host, c->vh->zoneadmd, c->uuid, e);
	*ret_sync = store_sync(store, sync_error);
	if (fd < 0)
		return fd;
	r = zoneadmd_start_end(fd, &warnings, e);
	take_warnings(c->rep, warnings);
	if (r < 0)
		console_tail(c->vh->host, c->uuid, begun, c->rep);
	return r;
}

static int finish(struct creation *c, struct store *store, bool start, struct err *e)
{
	struct err sync_error = { 0 };
	int r, synced;

	r = fault_point("record written", e);
	if (r == 0 && start)
		r = start_and_sync(c, store, &sync_error, &synced, e);
	else
		synced = store_sync(store, &sync_error);
	if (r < 0)
		r = mark_failed(c, r, e);
	else if (synced < 0)
		r = err_set(e, synced, "VM %s was made, but not to last: %s", c->uuid,
			    sync_error.msg);
	else
		r = fault_point("started and synced", e);
	/* What may not last keeps its journal: the next command or boot looks at it again. */
	if (synced < 0)
		return r;
	synced = journal_end(c->vh->host, c->uuid, r < 0 ? NULL : e);
	if (r == 0 && synced < 0)
		return err_wrap(e, synced, "VM %s was made", c->uuid);
	return r < 0 ? r : synced;
}

static int create_locked(struct creation *c, bool start, struct err *e)
{
	cleanup_store struct store *store = NULL;
	cleanup_close int poolfd = -1;
	int r;

	r = vm_recover(c->vh, c->uuid, NULL, e);
	if (r < 0)
		return r;
	r = record_exists(c->vh->host, c->uuid, e);
	if (r < 0)
		return r;
	if (r > 0)
		return err_set(e, -EEXIST, "VM with UUID %s already exists", c->uuid);

	r = filesystem_check_sources(c->vh->host, c->record, e);
	if (r < 0)
		return r;
	poolfd = host_dir_existing(c->vh->host, HOST_POOL, e);
	if (poolfd == -ENOENT)
		return err_set(e, -ENOENT,
			       "there is no pool '%s/" HOST_POOL "'; mkpool(8) makes one",
			       c->vh->host->root);
	if (poolfd < 0)
		return poolfd;
	r = store_open(poolfd, &store, e);
	if (r < 0)
		return r;

	r = build(c, store, start, e);
	if (r < 0)
		goto undo_build;
	return finish(c, store, start, e);

undo_build:
	/* Should this fail too, the journal stays and the next command mends it. */
	if (vm_erase(c->vh, c->uuid, NULL) < 0)
		vm_report_warn(c->rep,
			       "parts of VM %s are left; 'vmadm check --repair' removes them",
			       c->uuid);
	return r;
}

int vm_create(const struct vm_host *vh, struct jv *record, bool start, struct vm_report *rep,
	      struct err *e)
{
	struct creation c = { vh, record, jv_get_string(record, "uuid"), rep };
	ATTR_UNUSED cleanup_cgroup_haste struct cgroup_haste *haste =
		start ? cgroup_haste_begin() : NULL;
	cleanup_close int lock = -1;

	lock = vm_lock(vh->host, c.uuid, e);
	if (lock < 0)
		return lock;
	return create_locked(&c, start, e);
}
