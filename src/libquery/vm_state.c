/* SPDX-License-Identifier: MIT */
#include "libquery/vm_state.h"

#include "base/macro.h"

#include <stddef.h>
#include <string.h>

static const char *const zone_names[VM_ZONE_STATE_MAX_] = {
	[VM_ZONE_CONFIGURED] = "configured",
	[VM_ZONE_INCOMPLETE] = "incomplete",
	[VM_ZONE_INSTALLED] = "installed",
	[VM_ZONE_READY] = "ready",
	[VM_ZONE_RUNNING] = "running",
	[VM_ZONE_SHUTTING_DOWN] = "shutting_down",
	[VM_ZONE_DOWN] = "down",
};

static const char *const names[VM_STATE_MAX_] = {
	[VM_CONFIGURED] = "configured",
	[VM_INCOMPLETE] = "incomplete",
	[VM_PROVISIONING] = "provisioning",
	[VM_RECEIVING] = "receiving",
	[VM_FAILED] = "failed",
	[VM_STOPPED] = "stopped",
	[VM_READY] = "ready",
	[VM_RUNNING] = "running",
	[VM_SHUTTING_DOWN] = "shutting_down",
	[VM_DOWN] = "down",
};

const char *vm_zone_state_name(enum vm_zone_state state)
{
	return zone_names[state];
}

const char *vm_state_name(enum vm_state state)
{
	return names[state];
}

enum vm_state vm_state_from_name(const char *name)
{
	size_t i = 0;

	while (i < VM_STATE_MAX_ && (!name || strcmp(names[i], name) != 0))
		i++;
	return (enum vm_state)i;
}

enum vm_supervised vm_supervised_from_name(const char *name)
{
	static const char *const supervised[VM_SUPERVISED_MAX_] = {
		[VM_SUPERVISED_NOT] = "stopped",
		[VM_SUPERVISED_STARTING] = "starting",
		[VM_SUPERVISED_RUNNING] = "running",
		[VM_SUPERVISED_STOPPING] = "stopping",
	};

	for (size_t i = 0; name && i < ARRAY_SIZE(supervised); i++)
		if (strcmp(supervised[i], name) == 0)
			return (enum vm_supervised)i;
	return VM_SUPERVISED_NOT;
}

/*
 * What was said by a supervisor that has died counts only as far as init still
 * lives: whatever else it left is cleaned up by the next command, and is not running.
 */
enum vm_zone_state vm_zone_state_of(const struct vm_facts *f)
{
	if (f->init_lives)
		return f->supervised == VM_SUPERVISED_STOPPING ? VM_ZONE_SHUTTING_DOWN
							       : VM_ZONE_RUNNING;
	if (f->supervisor_lives && f->supervised == VM_SUPERVISED_STARTING)
		return VM_ZONE_READY;
	if (f->supervisor_lives && f->supervised != VM_SUPERVISED_NOT)
		return VM_ZONE_DOWN;
	if (f->journal == JOURNAL_DELETE)
		return VM_ZONE_INCOMPLETE;
	return f->has_storage ? VM_ZONE_INSTALLED : VM_ZONE_CONFIGURED;
}

enum vm_state vm_state_of(const struct vm_facts *f)
{
	static const enum vm_state of_zone[VM_ZONE_STATE_MAX_] = {
		[VM_ZONE_CONFIGURED] = VM_CONFIGURED,
		[VM_ZONE_INCOMPLETE] = VM_INCOMPLETE,
		[VM_ZONE_INSTALLED] = VM_STOPPED,
		[VM_ZONE_READY] = VM_READY,
		[VM_ZONE_RUNNING] = VM_RUNNING,
		[VM_ZONE_SHUTTING_DOWN] = VM_SHUTTING_DOWN,
		[VM_ZONE_DOWN] = VM_DOWN,
	};

	if (f->failed)
		return VM_FAILED;
	if (f->journal == JOURNAL_CREATE || f->journal == JOURNAL_REPROVISION)
		return VM_PROVISIONING;
	if (f->journal == JOURNAL_RECEIVE || f->receiving)
		return VM_RECEIVING;
	return of_zone[vm_zone_state_of(f)];
}

const char *vm_transition_to(const struct vm_facts *f, bool autoboot)
{
	switch (vm_state_of(f)) {
	case VM_PROVISIONING:
		return autoboot ? "running" : "stopped";
	case VM_RECEIVING:
		return "stopped";
	default:
		return NULL;
	}
}

/*
 * A VM that is marked failed may run all the same, so what is asked of processes
 * goes on to where they are looked for.
 */
enum vm_verdict vm_state_verdict(enum vm_state state, enum vm_action action)
{
	/* clang-format off */
	static const enum vm_verdict verdicts[VM_STATE_MAX_][VM_ACTION_MAX_] = {
				/* start      stop    reboot     kill       console    delete update  clear */
		[VM_CONFIGURED]    = { VM_REFUSE, VM_GO,  VM_REFUSE, VM_REFUSE, VM_REFUSE, VM_GO, VM_GO,     VM_ALREADY },
		[VM_INCOMPLETE]    = { VM_REFUSE, VM_GO,  VM_REFUSE, VM_REFUSE, VM_REFUSE, VM_GO, VM_REFUSE, VM_GO },
		[VM_PROVISIONING]  = { VM_REFUSE, VM_GO,  VM_REFUSE, VM_GO,     VM_GO,     VM_GO, VM_REFUSE, VM_GO },
		[VM_RECEIVING]     = { VM_REFUSE, VM_GO,  VM_REFUSE, VM_REFUSE, VM_REFUSE, VM_GO, VM_REFUSE, VM_GO },
		[VM_FAILED]        = { VM_GO,     VM_GO,  VM_REFUSE, VM_GO,     VM_GO,     VM_GO, VM_GO,     VM_GO },
		[VM_STOPPED]       = { VM_GO,     VM_GO,  VM_REFUSE, VM_REFUSE, VM_REFUSE, VM_GO, VM_GO,     VM_ALREADY },
		[VM_READY]         = { VM_GO,     VM_GO,  VM_REFUSE, VM_REFUSE, VM_GO,     VM_GO, VM_GO,     VM_ALREADY },
		[VM_RUNNING]       = { VM_ALREADY, VM_GO, VM_GO,     VM_GO,     VM_GO,     VM_GO, VM_GO,     VM_ALREADY },
		[VM_SHUTTING_DOWN] = { VM_ALREADY, VM_GO, VM_GO,     VM_GO,     VM_GO,     VM_GO, VM_GO,     VM_ALREADY },
		[VM_DOWN]          = { VM_GO,     VM_GO,  VM_REFUSE, VM_REFUSE, VM_REFUSE, VM_GO, VM_GO,     VM_ALREADY },
	};
	/* clang-format on */

	return verdicts[state][action];
}
