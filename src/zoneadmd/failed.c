/* SPDX-License-Identifier: MIT */
/*
 * failed.c - a machine that should run and cannot: its record says why, and the VM is
 * failed until somebody starts it. As vm_mark_failed(), without all that mending needs:
 * this program is small because there are many of it.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/lock.h"
#include "base/log.h"
#include "librecord/journal.h"
#include "librecord/record.h"

/* Who has the lock may be waiting for us: a stop, whose VM is not to be failed. */
#define LOCK_WAIT_MS 2000

static int mark(struct zone *z, const char *why, struct err *e)
{
	cleanup_close int dirfd = host_dir(&z->host, HOST_LOCKS, 0700, e);
	cleanup_jv struct jv *record = NULL;
	cleanup_free char *text = xasprintf("start again: %s", why);
	cleanup_close int lock = -1;
	int r;

	if (dirfd < 0)
		return dirfd;
	lock = lock_take(dirfd, z->uuid, LOCK_EXCLUSIVE, LOCK_WAIT_MS, e);
	if (lock < 0)
		return lock;
	/* What was cut short is mended first, by who does that. */
	if (journal_is_there(&z->host, z->uuid))
		return err_set(e, -EBUSY, "a change of it was cut short");
	r = record_load(&z->host, z->uuid, &record, e);
	if (r < 0)
		return r;
	jv_set(record, "failed", jv_string(text));
	return record_store(&z->host, z->uuid, record, e);
}

void zone_mark_failed(struct zone *z, const char *why)
{
	struct err e;

	if (mark(z, why, &e) < 0)
		log_warning("it is not marked as failed: %s", e.msg);
}
