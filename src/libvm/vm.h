/* SPDX-License-Identifier: MIT */
/*
 * vm.h - what is done to a VM: made, started, stopped, deleted, mended.
 *
 *	vmadm ──▶ vm_create() ... ──▶ record.h claim.h journal.h   (this host's files)
 *	                          ──▶ libstore                     (its root)
 *	                          ──▶ zoneadmd.h                   (its supervisor)
 *
 * Every call takes the VM's lock, and mends first what an earlier one left
 * behind when it was killed (docs/vmadm.md has the cases). Nothing here is
 * printed: what a person should know comes back in a struct vm_report.
 *
 *	(nothing) ──create──▶ STOPPED ──start──▶ RUNNING ──stop──▶ STOPPED
 *	                         │                                    │
 *	                         └──────────delete──▶ (nothing) ◀─────┘
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libsys/host.h"
#include "libpayload/problems.h"

#include <stdbool.h>
#include <stdint.h>

struct jv;

#define VM_STOP_SECONDS 60 /* how long a shutdown may take before it is forced */

struct vm_host {
	const struct host *host;
	const char *zoneadmd; /* path of the supervisor's program */
};

struct vm_report {
	struct jv *warnings;      /* array of "NAME: why", or NULL */
	struct problems problems; /* what refused a create beside the payload: conflicts */
	struct jv *changes;       /* of an update: payload_changes(), or NULL */
	bool already;             /* the goal was reached before; nothing was done */
};
void vm_report_done(struct vm_report *rep);
#define cleanup_vm_report cleanup_with(vm_report_done)
void vm_report_warn(struct vm_report *rep, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* The VM's lock, waiting for what is being done to it. Returns the descriptor. */
ATTR_MUST_CHECK int vm_lock(const struct host *h, const char *uuid, struct err *e);

/*
 * How whatever changes a VM begins: lock it, mend what was cut short, load its
 * record. Returns the lock's descriptor. -ENOENT with record_load()'s text: no such VM.
 */
ATTR_MUST_CHECK int vm_open(const struct vm_host *vh, const char *uuid, struct jv **ret_record,
			    struct err *e);

/*
 * Make the VM that RECORD describes (see payload_to_record()); "idmap_base" is
 * added to it. START: start it as well. When the start fails the VM stays,
 * marked failed; when anything before fails nothing stays.
 */
ATTR_MUST_CHECK int vm_create(const struct vm_host *vh, struct jv *record, bool start,
			      struct vm_report *rep, struct err *e);

/* -ENOENT: no such VM. REP->already: it runs. Sets autoboot in either case. */
ATTR_MUST_CHECK int vm_start(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
			     struct err *e);

/* REP->already: it did not run. Clears autoboot first. */
ATTR_MUST_CHECK int vm_stop(const struct vm_host *vh, const char *uuid, bool force,
			    unsigned int timeout_s, struct vm_report *rep, struct err *e);

/* -ESRCH: it does not run. */
ATTR_MUST_CHECK int vm_reboot(const struct vm_host *vh, const char *uuid, bool force,
			      struct vm_report *rep, struct err *e);

/*
 * Out of failed, and out of what a command that was killed left: take the mark away,
 * complete or undo the change. REP->already: there was nothing of that kind.
 */
ATTR_MUST_CHECK int vm_clear(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
			     struct err *e);

/* Note in the record why it did not come up: its state is failed until it starts. */
ATTR_MUST_CHECK int vm_mark_failed(const struct vm_host *vh, const char *uuid, const char *why,
				   struct err *e);

/* Send SIGNO to its init. -ESRCH: it does not run. */
ATTR_MUST_CHECK int vm_kill(const struct vm_host *vh, const char *uuid, int signo,
			    struct err *e);

/*
 * Its console: a connection that console.h describes; a supervisor that was killed is
 * replaced. ROWS and COLUMNS are of the terminal at which a person sits, or 0. -ESRCH:
 * it does not run; -EAGAIN: nor does it, but a command works on it, which may start it.
 */
ATTR_MUST_CHECK int vm_console(const struct vm_host *vh, const char *uuid, unsigned short rows,
			       unsigned short columns, struct err *e);

struct payload_env;

struct vm_update_how {
	const struct payload_env *env;
	bool ignore_missing; /* see payload_update() */
	bool strict;         /* refuse what would be dropped */
};

/*
 * Change it as PAYLOAD says. REP->problems has what refused it (-EINVAL) and what
 * there is to remark, REP->changes what differs now. REP->already: nothing did.
 */
ATTR_MUST_CHECK int vm_update(const struct vm_host *vh, const char *uuid,
			      const struct jv *payload, const struct vm_update_how *how,
			      struct vm_report *rep, struct err *e);

/* Stop it by force and leave nothing of it. */
ATTR_MUST_CHECK int vm_delete(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
			      struct err *e);

/*
 * Complete or undo what was cut short. The caller holds the lock. 1: something
 * was mended and *RET_DONE (may be NULL) says what, a constant; 0: there was
 * nothing to do.
 */
ATTR_MUST_CHECK int vm_recover(const struct vm_host *vh, const char *uuid,
			       const char **ret_done, struct err *e);

/* Take everything of a VM that is not to be away: root, claims, record, journal. Lock held. */
ATTR_MUST_CHECK int vm_erase(const struct vm_host *vh, const char *uuid, struct err *e);

/* ---- snapshots: vm_snapshot.c ---- */

/*
 * NAME as the contract has it, else "Invalid snapshot name". A VM that runs goes on
 * running: what is kept is what a power cut at that moment would have left.
 */
ATTR_MUST_CHECK int vm_snapshot_create(const struct vm_host *vh, const char *uuid,
				       const char *name, struct err *e);
ATTR_MUST_CHECK int vm_snapshot_delete(const struct vm_host *vh, const char *uuid,
				       const char *name, struct err *e);

/*
 * Back to the snapshot; newer ones are destroyed. A VM that runs is stopped by force and
 * started again; one that is stopped stays so, unless START.
 */
ATTR_MUST_CHECK int vm_rollback(const struct vm_host *vh, const char *uuid, const char *name,
				bool start, struct vm_report *rep, struct err *e);

/* ---- vm_reprovision.c ---- */

/*
 * A new root from IMAGE; what was in the old one, and its snapshots, are gone. The
 * delegated data stays. A VM that runs is stopped by force; started again when it ran.
 */
ATTR_MUST_CHECK int vm_reprovision(const struct vm_host *vh, const char *uuid,
				   const char *image, struct vm_report *rep, struct err *e);

/* ---- vm_send.c, vm_receive.c: docs/send-stream.md ---- */

struct vm_transfer {
	int fd;            /* where the stream goes to, or comes from */
	const char *from;  /* send: a snapshot that the other end has; NULL: all of the VM */
	const char *token; /* send: of a receive that was cut off; NULL: from the start */
	bool resume;       /* receive: go on with what is there */
	/* Called with the bytes of the stream so far; may be NULL. */
	void (*progress)(void *data, uint64_t bytes);
	void *data;
};

/*
 * Stop the VM, and write it and its snapshots to FD. It stays stopped. Its lock is held only
 * until what is sent is kept; -EBUSY: another send of it is under way. What was sent is
 * kept beside it until it is started, sent or deleted, so that a receiver which was cut
 * off can go on.
 */
ATTR_MUST_CHECK int vm_send(const struct vm_host *vh, const char *uuid,
			    const struct vm_transfer *t, struct vm_report *rep, struct err *e);

/* Is a record that arrived one that this host would make? As payload_to_record(). */
struct vm_receive_env {
	void *data;
	int (*judge)(void *data, const struct jv *payload, struct jv **ret_record,
		     struct problems *ps, struct err *e);
};

/*
 * Make the VM, or bring the one that is there up to what the stream holds; it is not
 * started. All of it or nothing: but a stream that was cut off leaves a VM in state
 * "receiving" (or the old one as it was), and *RET_TOKEN, new, says how to go on. RET_UUID
 * and *RET_TOKEN are written whenever they are known, also on failure.
 */
ATTR_MUST_CHECK int vm_receive(const struct vm_host *vh, const struct vm_transfer *t,
			       const struct vm_receive_env *env, char ret_uuid[static UUID_STR],
			       char **ret_token, struct vm_report *rep, struct err *e);

/* Finish a receive whose stream has arrived whole. */
ATTR_MUST_CHECK int vm_install(const struct vm_host *vh, const char *uuid,
			       struct vm_report *rep, struct err *e);

/* New: the token of what UUID is receiving. -ENOENT: nothing. */
ATTR_MUST_CHECK int vm_receive_token(const struct vm_host *vh, const char *uuid,
				     char **ret_token, struct err *e);

/* Give up a receive: the VM is gone, or, when it was there before, as it was. */
ATTR_MUST_CHECK int vm_receive_abandon(const struct vm_host *vh, const char *uuid,
				       struct err *e);
