/* SPDX-License-Identifier: MIT */
/*
 * vm_state.h - the states of a VM, what follows from what is found on the host,
 * and what may be done in each of them. Pure; docs/vmadm.md has the drawing.
 *
 * Nothing is stored but the mark "failed" in the record: all else follows, each
 * time, from the journal, the supervisor's state.json, and which processes live.
 */
#pragma once

#include "librecord/journal.h"

#include <stdbool.h>

/* What the layer of containers says. */
enum vm_zone_state {
	VM_ZONE_CONFIGURED, /* recorded, without anything in the pool */
	VM_ZONE_INCOMPLETE, /* its deletion was cut short */
	VM_ZONE_INSTALLED,
	VM_ZONE_READY, /* being set up, no process yet */
	VM_ZONE_RUNNING,
	VM_ZONE_SHUTTING_DOWN, /* asked to end */
	VM_ZONE_DOWN,          /* ended, being taken apart */
	VM_ZONE_STATE_MAX_,
};

enum vm_state {
	VM_CONFIGURED,
	VM_INCOMPLETE,
	VM_PROVISIONING, /* create or reprovision is under way */
	VM_RECEIVING,
	VM_FAILED,
	VM_STOPPED,
	VM_READY,
	VM_RUNNING,
	VM_SHUTTING_DOWN,
	VM_DOWN,
	VM_STATE_MAX_,
};

const char *vm_zone_state_name(enum vm_zone_state state);
const char *vm_state_name(enum vm_state state);
enum vm_state vm_state_from_name(const char *name); /* VM_STATE_MAX_: no such state */

/* What the supervisor wrote last. */
enum vm_supervised {
	VM_SUPERVISED_NOT, /* it wrote nothing, or that all has ended */
	VM_SUPERVISED_STARTING,
	VM_SUPERVISED_RUNNING,
	VM_SUPERVISED_STOPPING,
	VM_SUPERVISED_MAX_,
};

enum vm_supervised vm_supervised_from_name(const char *name);

struct vm_facts {
	bool failed;             /* the record's mark */
	bool receiving;          /* the same, of one that has not arrived whole */
	bool has_storage;        /* its folder in the pool is there, or there is no pool */
	enum journal_op journal; /* what is under way, or was cut short */
	enum vm_supervised supervised; /* state.json */
	bool init_lives;               /* the process that state.json names */
	bool supervisor_lives;
};

enum vm_zone_state vm_zone_state_of(const struct vm_facts *f);
enum vm_state vm_state_of(const struct vm_facts *f);

/* Where a transition leads: of a create that starts, "running". NULL: there is none. */
const char *vm_transition_to(const struct vm_facts *f, bool autoboot);

enum vm_action {
	VM_ACTION_START,
	VM_ACTION_STOP,
	VM_ACTION_REBOOT,
	VM_ACTION_KILL,
	VM_ACTION_CONSOLE,
	VM_ACTION_DELETE,
	VM_ACTION_UPDATE,
	VM_ACTION_CLEAR,
	VM_ACTION_MAX_,
};

enum vm_verdict {
	VM_GO,      /* do it */
	VM_ALREADY, /* the goal holds: success, nothing to do */
	VM_REFUSE,
};

/* For who holds the lock, and has mended what was cut short. */
enum vm_verdict vm_state_verdict(enum vm_state state, enum vm_action action);
