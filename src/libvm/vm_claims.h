/* SPDX-License-Identifier: MIT */
/*
 * vm_claims.h - the claims of a VM (claim.h) while it is made or changed. Private
 * to libvm; the caller holds the VM's lock.
 */
#pragma once

#include "libvm/vm.h"

#include <stdbool.h>

struct jv;

/*
 * Take all that RECORD wants; what is its own already is fine. -EADDRINUSE: another
 * VM has one of them, REP->problems says which and who. What was taken stays.
 */
ATTR_MUST_CHECK int vm_claims_take(const struct vm_host *vh, const struct jv *record,
				   struct vm_report *rep, struct err *e);

/* Give back whatever the VM has and RECORD does not want. */
ATTR_MUST_CHECK int vm_claims_follow(const struct host *h, const struct jv *record,
				     struct err *e);

bool vm_claims_differ(const struct jv *old, const struct jv *new);
