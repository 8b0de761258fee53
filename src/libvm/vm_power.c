/* SPDX-License-Identifier: MIT */
#include "libvm/vm.h"

#include "base/jv.h"
#include "libsys/cgroup_haste.h"
#include "libvm/console_tail.h"
#include "librecord/fault.h"
#include "librecord/record.h"
#include "libvm/vm_claims.h"
#include "libvm/vm_object.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

static int set_autoboot(const struct vm_host *vh, const char *uuid, struct jv *record, bool on,
			struct err *e)
{
	bool failed = on && jv_del(record, "failed");

	if (jv_get_bool(record, "autoboot", !on) == on && !failed)
		return 0;
	jv_set(record, "autoboot", jv_bool(on));
	return record_store(vh->host, uuid, record, e);
}

static int finish_start(const struct vm_host *vh, const char *uuid, int fd,
			struct vm_report *rep, struct err *e)
{
	cleanup_jv struct jv *warnings = NULL;
	time_t begun = time(NULL);
	int r;

	r = zoneadmd_start_end(fd, &warnings, e);
	for (size_t i = 0; i < jv_len(warnings); i++)
		if (jv_as_string(jv_at(warnings, i)))
			vm_report_warn(rep, "%s", jv_as_string(jv_at(warnings, i)));
	if (r < 0 && zoneadmd_vm_pid(vh->host, uuid) == 0)
		console_tail(vh->host, uuid, begun, rep);
	return r;
}

static int start_locked(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
			struct err *e)
{
	ATTR_UNUSED cleanup_cgroup_haste struct cgroup_haste *haste = cgroup_haste_begin();
	int fd = zoneadmd_start_begin(vh->host, vh->zoneadmd, uuid, e);

	return fd < 0 ? fd : finish_start(vh, uuid, fd, rep, e);
}

/*
 * The record waits for the disk while the zone starts: neither needs the other. A
 * start that fails takes the change back.
 */
static int start_and_store(const struct vm_host *vh, const char *uuid, struct jv *record,
			   struct vm_report *rep, struct err *e)
{
	ATTR_UNUSED cleanup_cgroup_haste struct cgroup_haste *haste = cgroup_haste_begin();
	cleanup_jv struct jv *before = jv_copy(record);
	struct err why = { 0 };
	int fd, r, stored;

	fd = zoneadmd_start_begin(vh->host, vh->zoneadmd, uuid, e);
	if (fd < 0)
		return fd;
	stored = fault_point("start begun", &why);
	if (stored == 0)
		stored = set_autoboot(vh, uuid, record, true, &why);
	r = finish_start(vh, uuid, fd, rep, e);
	/* Of a command that was killed, or of a guest that reboots: it runs, as we want it. */
	if (r == -EBUSY && zoneadmd_vm_pid(vh->host, uuid) > 0) {
		rep->already = true;
		r = 0;
	}
	if (r < 0) {
		if (!jv_equal(before, record) && record_store(vh->host, uuid, before, &why) < 0)
			return err_wrap(e, r, "the record is not as it was: %s", why.msg);
		return r;
	}
	if (stored < 0)
		return err_set(e, stored, "it runs, but will not be started with the host: %s",
			       why.msg);
	return 0;
}

/* Without its supervisor it has no metadata, and nobody starts it again when it fails. */
static int find_supervisor(const struct vm_host *vh, const char *uuid, struct err *e)
{
	bool running;

	if (!zoneadmd_is_alone(vh->host, uuid))
		return 0;
	return zoneadmd_attach_vm(vh->host, vh->zoneadmd, uuid, &running, e);
}

int vm_start(const struct vm_host *vh, const char *uuid, struct vm_report *rep, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = -1;
	int r;

	lock = vm_open(vh, uuid, &record, e);
	if (lock < 0)
		return lock;
	if (jv_get(record, "receiving"))
		return err_set(e, -EBUSY,
			       "Cannot start vm from state \"receiving\", must be "
			       "\"stopped\".");
	r = find_supervisor(vh, uuid, e);
	if (r < 0)
		return r;
	if (zoneadmd_vm_pid(vh->host, uuid) > 0) {
		rep->already = true;
		/* The command that started it may have been killed before it stored that. */
		return set_autoboot(vh, uuid, record, true, e);
	}
	if (vm_state_verdict(vm_state_now(vh->host, record), VM_ACTION_START) == VM_REFUSE)
		return err_set(e, -ENOENT,
			       "VM %s has nothing in the pool: delete it, or bring back its "
			       "folder",
			       uuid);
	/* Since it failed another may have come to have its addresses. */
	if (jv_get(record, "failed"))
		r = vm_claims_take(vh, record, rep, e);
	if (r < 0)
		return r;
	if (vm_send_forget(vh, uuid, e) < 0)
		vm_report_warn(rep, "what was sent of it is left: %s", e->msg);
	return start_and_store(vh, uuid, record, rep, e);
}

int vm_stop(const struct vm_host *vh, const char *uuid, bool force, unsigned int timeout_s,
	    struct vm_report *rep, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = -1;
	int r;

	lock = vm_open(vh, uuid, &record, e);
	if (lock < 0)
		return lock;
	r = set_autoboot(vh, uuid, record, false, e);
	if (r == 0)
		r = fault_point("autoboot cleared", e);
	if (r < 0)
		return r;
	rep->already = zoneadmd_vm_pid(vh->host, uuid) == 0;
	/* Also when it does not run: a supervisor that was killed may have left something. */
	return zoneadmd_stop_vm(vh->host, vh->zoneadmd, uuid, force, timeout_s, e);
}

int vm_reboot(const struct vm_host *vh, const char *uuid, bool force, struct vm_report *rep,
	      struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = -1;
	enum vm_state state;
	int r;

	lock = vm_open(vh, uuid, &record, e);
	if (lock < 0)
		return lock;
	state = vm_state_now(vh->host, record);
	/* One that failed may run all the same. */
	if (vm_state_verdict(state, VM_ACTION_REBOOT) == VM_REFUSE &&
	    zoneadmd_vm_pid(vh->host, uuid) == 0)
		return err_set(
			e, -ESRCH, "Cannot %s vm from state \"%s\", must be \"running\"%s",
			force ? "reset" : "reboot", vm_state_name(state), force ? "." : "");
	r = zoneadmd_stop_vm(vh->host, vh->zoneadmd, uuid, force, VM_STOP_SECONDS, e);
	return r < 0 ? r : start_locked(vh, uuid, rep, e);
}

int vm_kill(const struct vm_host *vh, const char *uuid, int signo, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int fd = -1;
	pid_t pid;
	int r;

	r = record_load(vh->host, uuid, &record, e);
	if (r < 0)
		return r;
	/* Taken before the second look, the descriptor cannot be another process by then. */
	pid = zoneadmd_vm_pid(vh->host, uuid);
	fd = pid > 0 ? pidfd_open(pid, 0) : -1;
	if (fd < 0 || zoneadmd_vm_pid(vh->host, uuid) != pid)
		return err_set(e, -ESRCH, "Cannot find running init PID for VM %s", uuid);
	if (pidfd_send_signal(fd, signo, NULL, 0) < 0)
		return err_sys(e, "cannot signal the init of VM %s", uuid);
	return 0;
}
