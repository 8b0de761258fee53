/* SPDX-License-Identifier: MIT */
/*
 * claim.h - what only one VM of the host may have, without a lock over all VMs
 * and without reading all records.
 *
 *	ROOT/etc/zones/.claims/NAME -> UUID     a symbolic link that leads nowhere
 *
 *	id.N                       65536 uids and gids from (CLAIM_ID_FIRST + N) * 65536
 *	mac.02:00:00:00:00:01      an Ethernet address
 *	ip.TAG.VLAN.ADDRESS        an address on a network
 *	vrid.TAG.VLAN.N            a virtual router on a network
 *	vnc.PORT                   a port that a display listens on
 *
 * symlinkat() makes a claim or fails, which is all the exclusion there has to
 * be. One rule keeps it safe: a link to UUID is made, removed or given away only
 * by who holds UUID's lock. So a claim of a VM that is neither recorded nor
 * journalled is a leftover, and whoever gets that VM's lock may remove it.
 *
 * Claims are not synced: they are made again from the records (vm_check()), and
 * a journal stands for them while the record is not there yet.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"

#include <stdint.h>

struct jv;

/* Id ranges: from 2^30 up to 2^31, above what hosts and other managers give out by default. */
#define CLAIM_ID_FIRST 0x4000
#define CLAIM_ID_COUNT 0x4000

/* Take NAME for UUID. -EEXIST with RET_HOLDER filled when another VM has it; our own is
 * success. */
ATTR_MUST_CHECK int claim_take(int claimsfd, const char *name, const char *uuid,
			       char ret_holder[static UUID_STR], struct err *e);

/* Who has NAME? -ENOENT: nobody. */
ATTR_MUST_CHECK int claim_holder(int claimsfd, const char *name,
				 char ret_holder[static UUID_STR], struct err *e);

/* Give it back; a claim that is not there, or not UUID's, is left alone. */
ATTR_MUST_CHECK int claim_drop(int claimsfd, const char *name, const char *uuid, struct err *e);

/* Take the first free id range, starting at a place that UUID gives. -ENOSPC: none is free. */
ATTR_MUST_CHECK int claim_take_ids(int claimsfd, const char *uuid, uint32_t *ret_base,
				   struct err *e);

/* The claims that RECORD has: an array of { "name", "pointer", "what" }, new. */
struct jv *claims_of_record(const struct jv *record);

/* For each claim there is: FN gets its name and holder; negative ends it. */
ATTR_MUST_CHECK int claim_each(int claimsfd,
			       int (*fn)(void *data, const char *name, const char *holder,
					 struct err *e),
			       void *data, struct err *e);

/* Give back all that UUID has, found by looking at every claim. */
ATTR_MUST_CHECK int claim_drop_all(int claimsfd, const char *uuid, struct err *e);
