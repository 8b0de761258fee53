/* SPDX-License-Identifier: MIT */
/*
 * vm_store.h - what the operations on a VM's file systems share. Private to libvm.
 */
#pragma once

#include "libstore/store.h"
#include "libvm/vm.h"

struct jv;

/* The pool of this host; -ENOENT says what makes one. */
ATTR_MUST_CHECK int vm_store_open(const struct host *h, struct store **ret_store,
				  struct err *e);

/* -ENOTSUP for hardware VMs; WHAT is all of the message. */
ATTR_MUST_CHECK int vm_need_zone(const struct jv *record, const char *what, struct err *e);

/* Start it and take the supervisor's warnings. */
ATTR_MUST_CHECK int vm_start_locked(const struct vm_host *vh, const char *uuid,
				    struct vm_report *rep, struct err *e);

/* [{ "name", "created_at" }], newest first; new. S is NULL on a host without a pool: none. */
struct jv *vm_snapshots(struct store *s, const char *uuid);

/*
 * Take the ids, addresses and names that RECORD wants; "idmap_base" is put into it. What
 * another VM has is told in REP. In vm_create.c.
 */
ATTR_MUST_CHECK int vm_take_claims(const struct vm_host *vh, struct jv *record,
				   struct vm_report *rep, struct err *e);

/* The VM is about to change: what was sent of it cannot be sent again. In vm_send.c. */
ATTR_MUST_CHECK int vm_send_forget(const struct vm_host *vh, const char *uuid, struct err *e);
