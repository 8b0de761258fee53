/* SPDX-License-Identifier: MIT */
#include "libvm/vm.h"

#include "base/jv.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/sending.h"
#include "libvm/vm_archive.h"
#include "libvm/zoneadmd.h"

#include <unistd.h>

/*
 * A record that is malformed must not keep its VM for ever: then nothing protects
 * it. One that cannot be read just now (EIO, EMFILE) may protect it.
 */
static int check_protection(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	int r = record_load(vh->host, uuid, &record, e);

	if (r == -ENOENT || r == -EINVAL || r == -EBADMSG || r == -EFBIG)
		return 0;
	if (r < 0)
		return err_wrap(e, r, "VM %s may be protected", uuid);
	if (jv_get_bool(record, "indestructible_zoneroot", false))
		return err_set(e, -EPERM, "indestructible_zoneroot is set, cannot delete");
	if (jv_get_bool(record, "indestructible_delegated", false))
		return err_set(e, -EPERM, "indestructible_delegated is set, cannot delete");
	return 0;
}

static int delete_locked(const struct vm_host *vh, const char *uuid, struct err *e)
{
	int r;

	r = check_protection(vh, uuid, e);
	if (r == 0)
		r = sending_refuse(vh->host, uuid, NULL, e);
	if (r < 0)
		return r;
	r = journal_begin(vh->host, uuid, JOURNAL_DELETE, NULL, e);
	if (r == 0)
		r = fault_point("journal written", e);
	if (r == 0)
		r = zoneadmd_stop_vm(vh->host, vh->zoneadmd, uuid, true, 0, e);
	if (r == 0)
		r = fault_point("stopped", e);
	if (r == 0)
		r = vm_archive(vh->host, uuid, e);
	if (r < 0)
		goto undo_journal;
	/* From here on it can only go forward: parts of the VM may be gone already. */
	r = vm_erase(vh, uuid, e);
	return r < 0 ? err_wrap(e, r, "half deleted; 'vmadm delete' again goes on") : 0;

undo_journal:
	if (journal_cancel(vh->host, uuid, NULL) < 0)
		return err_wrap(e, r, "its deletion will be completed by the next command");
	return r;
}

int vm_delete(const struct vm_host *vh, const char *uuid, struct vm_report *rep, struct err *e)
{
	cleanup_close int lock = -1;
	int r, there;

	there = record_exists(vh->host, uuid, e);
	if (there < 0)
		return there;
	if (!there && !journal_is_there(vh->host, uuid))
		return err_set(e, -ENOENT, "zoneadm: %s: No such zone configured", uuid);
	lock = vm_lock(vh->host, uuid, e);
	if (lock < 0)
		return lock;
	r = vm_recover(vh, uuid, NULL, e);
	if (r < 0)
		return r;
	there = record_exists(vh->host, uuid, e);
	if (there < 0)
		return there;
	if (there)
		return delete_locked(vh, uuid, e);
	/* Another command, or mending, has deleted it: that is where we were going. */
	rep->already = true;
	return 0;
}
