/* SPDX-License-Identifier: MIT */
/*
 * clear: out of failed, and out of what was cut short. vm_open() mends the latter,
 * the mark is taken off the record; whether the VM works now is for a start to see.
 * A VM that has not arrived whole cannot be mended, only given up.
 */
#include "libvm/vm.h"

#include "base/jv.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "libvm/receive.h"
#include "librecord/record.h"
#include "libvm/vm_claims.h"
#include "libvm/zoneadmd.h"

#include <errno.h>

int vm_mark_failed(const struct vm_host *vh, const char *uuid, const char *why, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = -1;

	lock = vm_open(vh, uuid, &record, e);
	if (lock < 0)
		return lock;
	/* Somebody was quicker, and it does run. */
	if (zoneadmd_vm_pid(vh->host, uuid) > 0)
		return 0;
	jv_set(record, "failed", jv_string(why));
	return record_store(vh->host, uuid, record, e);
}

static int give_up_receiving(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
			     struct err *e)
{
	cleanup_receiving struct receiving n = { .vh = NULL };
	int r = receiving_load(&n, vh, uuid, e);

	if (r == 0)
		r = receiving_abandon(&n, e);
	if (r == 0)
		vm_report_warn(rep, "%s had not arrived whole, and is gone now", uuid);
	return r;
}

int vm_clear(const struct vm_host *vh, const char *uuid, struct vm_report *rep, struct err *e)
{
	bool cut_short = journal_is_there(vh->host, uuid);
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = -1;
	int r;

	lock = vm_open(vh, uuid, &record, e);
	if (lock == -ENOENT && cut_short && !journal_is_there(vh->host, uuid)) {
		vm_report_warn(rep, "%s was on its way out, and is gone now", uuid);
		return 0;
	}
	if (lock < 0)
		return lock;
	if (jv_get(record, "receiving"))
		return give_up_receiving(vh, uuid, rep, e);
	if (!jv_get(record, "failed")) {
		rep->already = !cut_short;
		return 0;
	}
	r = vm_claims_take(vh, record, rep, e);
	if (r < 0)
		return r;
	(void)jv_del(record, "failed");
	r = record_store(vh->host, uuid, record, e);
	return r < 0 ? r : fault_point("mark removed", e);
}
