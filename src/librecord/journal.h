/* SPDX-License-Identifier: MIT */
/*
 * journal.h - what is being done to a VM, told before it is done.
 *
 *	ROOT/etc/zones/.journal/UUID.json
 *	{ "v": 1, "op": "create", "uuid": "...", "started": SECONDS, "args": { ... } }
 *
 * It is durable before the first step and removed after the last. Found by a
 * later command, it means that the change was cut short: vm_recover() completes
 * or undoes it. All of it under the VM's lock.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>

struct jv;

#define JOURNAL_MAX ((size_t)8 << 20) /* bytes of one: a record before and one after */

enum journal_op {
	JOURNAL_NONE,
	JOURNAL_CREATE,
	JOURNAL_DELETE,
	JOURNAL_UPDATE,
	JOURNAL_SNAPSHOT,   /* create-snapshot */
	JOURNAL_UNSNAPSHOT, /* delete-snapshot */
	JOURNAL_ROLLBACK,
	JOURNAL_REPROVISION,
	JOURNAL_RECEIVE,
	JOURNAL_OP_MAX_,
};

const char *journal_op_name(enum journal_op op);

/*
 * ARGS, an object that is borrowed and may be NULL, is what completing or undoing the
 * change takes beside its name. A journal that is there is replaced: a change that goes
 * through stages tells each so.
 */
ATTR_MUST_CHECK int journal_begin(const struct host *h, const char *uuid, enum journal_op op,
				  const struct jv *args, struct err *e);
ATTR_MUST_CHECK int journal_end(const struct host *h, const char *uuid, struct err *e);

/*
 * The change will not be made, which is durable: found again after a power cut, the
 * journal would have it completed.
 */
ATTR_MUST_CHECK int journal_cancel(const struct host *h, const char *uuid, struct err *e);

/*
 * JOURNAL_NONE when there is none. *RET_ARGS, new and NULL when it has none, may be
 * NULL for who needs the name alone.
 */
ATTR_MUST_CHECK int journal_read(const struct host *h, const char *uuid,
				 enum journal_op *ret_op, struct jv **ret_args, struct err *e);

/* Is there one, whatever it holds? Needs no lock. */
bool journal_is_there(const struct host *h, const char *uuid);

/* For each VM that has one; FN's negative result ends it. */
ATTR_MUST_CHECK int journal_each(const struct host *h,
				 int (*fn)(void *data, const char *uuid, struct err *e),
				 void *data, struct err *e);
