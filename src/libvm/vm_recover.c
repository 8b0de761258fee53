/* SPDX-License-Identifier: MIT */
/*
 * What a kill leaves, and how it is mended:
 *
 *	journal   record   meaning                          then
 *	create    absent   cut short before the VM was one  undo: nothing of it stays
 *	create    there    it is whole; files perhaps only  write the files again unless it
 *	                   in memory when power failed      runs, sync, drop the journal
 *	delete    any      was on its way out               go on to the end
 *	update    there    is the old one or the new one    claims, quota, what runs follow
 *
 * and the other operations in the files that are named after them.
 */
#include "libvm/recover.h"

#include "base/jv.h"
#include "base/lock.h"
#include "base/path.h"
#include "libstore/store.h"
#include "librecord/claim.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/vm_archive.h"
#include "libvm/zone_files.h"
#include "libvm/zone_left.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOCK_WAIT_MS (5 * 60 * 1000)

void vm_report_done(struct vm_report *rep)
{
	jv_unref(rep->warnings);
	jv_unref(rep->changes);
	problems_done(&rep->problems);
	*rep = (struct vm_report){ 0 };
}

void vm_report_warn(struct vm_report *rep, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!rep->warnings)
		rep->warnings = jv_array();
	jv_push(rep->warnings, jv_string(text));
}

int vm_lock(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;
	int r;

	dirfd = host_dir(h, HOST_LOCKS, 0700, e);
	if (dirfd < 0)
		return dirfd;
	r = lock_take(dirfd, uuid, LOCK_EXCLUSIVE, LOCK_WAIT_MS, e);
	if (r == -EBUSY)
		return err_set(e, r,
			       "VM %s is busy: another command has worked on it for five "
			       "minutes",
			       uuid);
	return r;
}

/* Its root and all that was set up around it. No pool: then there is nothing either. */
static int erase_root(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_store struct store *store = NULL;
	cleanup_close int poolfd = -1;
	int r;

	poolfd = host_dir_existing(h, HOST_POOL, e);
	if (poolfd == -ENOENT)
		return 0;
	if (poolfd < 0)
		return poolfd;
	r = store_open(poolfd, &store, e);
	if (r == 0)
		r = store_vm_destroy(store, uuid, e);
	if (r == 0)
		r = fault_point("root destroyed", e);
	if (r == 0)
		r = store_sync(store, e);
	return r;
}

static int erase_claims(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int claimsfd = -1;

	claimsfd = host_dir_existing(h, HOST_CLAIMS, e);
	if (claimsfd == -ENOENT)
		return 0;
	if (claimsfd < 0)
		return claimsfd;
	return claim_drop_all(claimsfd, uuid, e);
}

static int erase_run_folder(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;

	dirfd = host_dir_existing(h, HOST_RUN, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	return path_remove_tree(dirfd, uuid, e);
}

/* Ours is stopped; what runs belongs to another host on this kernel. */
static int erase_in_kernel(const char *uuid, struct err *e)
{
	int r;

	if (zone_has_processes(uuid))
		return 0;
	r = zone_ports_remove(uuid, e);
	return r < 0 ? r : zone_groups_remove(uuid, e);
}

int vm_erase(const struct vm_host *vh, const char *uuid, struct err *e)
{
	const struct host *h = vh->host;
	int r;

	r = erase_root(h, uuid, e);
	if (r == 0)
		r = erase_run_folder(h, uuid, e);
	if (r == 0)
		r = fault_point("run folder removed", e);
	if (r == 0)
		r = erase_in_kernel(uuid, e);
	if (r == 0)
		r = fault_point("ports removed", e);
	if (r == 0)
		r = erase_claims(h, uuid, e);
	if (r == 0)
		r = fault_point("claims given back", e);
	if (r == 0)
		r = record_remove(h, uuid, e);
	if (r == 0)
		r = fault_point("record removed", e);
	if (r == 0)
		r = journal_end(h, uuid, e);
	return r;
}

/* The record is there, so the VM is; what its root was given may have been lost with the power.
 */
static int complete_create(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_store struct store *store = NULL;
	cleanup_close int poolfd = -1, rootfd = -1;
	char path[64];
	int r;

	r = record_load(vh->host, uuid, &record, e);
	if (r < 0)
		return r;
	poolfd = host_dir_existing(vh->host, HOST_POOL, e);
	if (poolfd < 0)
		return poolfd;
	r = store_open(poolfd, &store, e);
	if (r < 0)
		return r;
	if (zoneadmd_vm_pid(vh->host, uuid) == 0) {
		(void)snprintf(path, sizeof(path), "%s/root", uuid);
		rootfd = path_open_in_root(poolfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
					   e);
		if (rootfd < 0)
			return rootfd;
		r = zone_files_write(rootfd, record, jv_get_bool(record, "autoboot", false), e);
		if (r < 0)
			return r;
	}
	r = store_sync(store, e);
	return r < 0 ? r : journal_end(vh->host, uuid, e);
}

int vm_create_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	if (rc->has_record) {
		*ret_done = "completed its creation";
		return complete_create(rc->vh, rc->uuid, e);
	}
	*ret_done = "undid its creation";
	return vm_erase(rc->vh, rc->uuid, e);
}

int vm_delete_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	int r = zoneadmd_stop_vm(rc->vh->host, rc->vh->zoneadmd, rc->uuid, true, 0, e);

	*ret_done = "completed its deletion";
	if (r == 0)
		r = vm_archive(rc->vh->host, rc->uuid, e);
	return r < 0 ? r : vm_erase(rc->vh, rc->uuid, e);
}

/* Operations without a function are those that no command makes yet. */
static recover_fn *const recoveries[JOURNAL_OP_MAX_] = {
	[JOURNAL_CREATE] = vm_create_recover,
	[JOURNAL_DELETE] = vm_delete_recover,
	[JOURNAL_UPDATE] = vm_update_recover,
	[JOURNAL_SNAPSHOT] = vm_snapshot_recover,
	[JOURNAL_UNSNAPSHOT] = vm_unsnapshot_recover,
	[JOURNAL_ROLLBACK] = vm_rollback_recover,
	[JOURNAL_REPROVISION] = vm_reprovision_recover,
	[JOURNAL_RECEIVE] = vm_receive_recover,
};

int vm_recover(const struct vm_host *vh, const char *uuid, const char **ret_done, struct err *e)
{
	struct recovery rc = { .vh = vh, .uuid = uuid };
	cleanup_jv struct jv *args = NULL;
	const char *done = "";
	enum journal_op op;
	int r, there;

	r = journal_read(vh->host, uuid, &op, &args, e);
	if (r < 0 || op == JOURNAL_NONE)
		return r;
	there = record_exists(vh->host, uuid, e);
	if (there < 0)
		return there;
	rc.args = args;
	rc.has_record = there;
	if (!recoveries[op])
		return err_set(e, -ENOTSUP,
			       "VM %s: a %s was cut short that this program "
			       "cannot mend",
			       uuid, journal_op_name(op));
	r = recoveries[op](&rc, &done, e);
	if (r < 0)
		return err_wrap(e, r, "cannot mend VM %s after a command was cut short", uuid);
	if (ret_done)
		*ret_done = done;
	return 1;
}

int vm_open(const struct vm_host *vh, const char *uuid, struct jv **ret_record, struct err *e)
{
	cleanup_jv struct jv *seen = NULL;
	int lock, r;

	/* No lock file for a VM that never was. */
	r = record_exists(vh->host, uuid, e);
	if (r == 0 && !journal_is_there(vh->host, uuid))
		r = record_load(vh->host, uuid, &seen, e);
	if (r < 0)
		return r;
	lock = vm_lock(vh->host, uuid, e);
	if (lock < 0)
		return lock;
	r = vm_recover(vh, uuid, NULL, e);
	if (r >= 0)
		r = record_load(vh->host, uuid, ret_record, e);
	if (r < 0) {
		close_p(&lock);
		return r;
	}
	return lock;
}
