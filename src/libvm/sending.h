/* SPDX-License-Identifier: MIT */
/*
 * sending.h - what may not be done to a VM while it is being sent. Private to libvm.
 *
 * A send takes as long as its receiver likes. It has the VM's lock only until what it
 * sends is kept; then this one, on the file "send.UUID", which nobody waits for. So a VM
 * that is being sent can be looked at, changed, started and stopped, and keeps what is
 * on its way out.
 */
#pragma once

#include "libvm/vm.h"

/* The lock; the caller has the VM's own. -EBUSY, in words: it is being sent already. */
ATTR_MUST_CHECK int sending_lock(const struct host *h, const char *uuid, struct err *e);

/* -EBUSY: what is being sent would go. NAME: only this snapshot would; NULL: any. */
ATTR_MUST_CHECK int sending_refuse(const struct host *h, const char *uuid, const char *name,
				   struct err *e);
