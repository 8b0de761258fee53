/* SPDX-License-Identifier: MIT */
/*
 * vm_check.h - does what is on disk fit together, and if not, make it.
 *
 * Looks for: changes that were cut short, claims of VMs that are gone, records
 * without their claims or their root, records that cannot be read, folders in
 * the pool that belong to no VM, half-written files, NICs of running VMs
 * without their filter, VMs that have ended with something of them left, and links
 * and rules of a VM or NIC that is gone, control groups of VMs that do not run. Run by hand
 * and, with repair, when the host boots, before anything starts a VM.
 */
#pragma once

#include "libvm/vm.h"

#include <stdbool.h>

struct vm_finding {
	const char *uuid;
	const char *what;   /* what was found */
	const char *action; /* what was done or would help; NULL: nothing */
	bool mended;
};

/*
 * FOUND is called for each finding. REPAIR mends what can be mended without
 * losing data: a folder of the pool that no record knows is only told. A VM
 * that another command works on just now is left alone. Returns the number of
 * findings that are not mended.
 */
ATTR_MUST_CHECK int vm_check(const struct vm_host *vh, bool repair,
			     void (*found)(void *data, const struct vm_finding *f), void *data,
			     struct err *e);
