/* SPDX-License-Identifier: MIT */
/*
 * vm_object.h - VMs as people see them: the record, and what is derived at the
 * moment of asking. Takes no lock, starts no process.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"
#include "libquery/vm_state.h"

#include <stddef.h>

struct jv;
struct vm_needs;

/*
 * What "vmadm get" prints, always from the files. New. -ENOENT as record_load().
 */
ATTR_MUST_CHECK int vm_object_load(const struct host *h, const char *uuid, struct jv **ret_vm,
				   struct err *e);

/* The same, from vminfod when it answers at once. */
ATTR_MUST_CHECK int vm_object_get(const struct host *h, const char *uuid, struct jv **ret_vm,
				  struct err *e);

/* One of the names of vm_state.h. A constant. */
const char *vm_object_state(const struct jv *vm);

struct vm_list {
	struct jv **vms;
	size_t count;
	size_t unreadable; /* records that could not be read */
	struct err error;  /* of the last of those */
};

/* What the VM of RECORD does at this moment. */
enum vm_state vm_state_now(const struct host *h, const struct jv *record);

/* "type" and "ram", which are columns and no members. */
void vm_object_add_computed(struct jv *vm);

/*
 * All VMs with what NEEDS (see vm_query.h; NULL: all) asks for: members of get
 * and the computed "type" and "ram". In the order of their UUIDs. From vminfod
 * when it answers at once, else from the files: the result is the same.
 */
ATTR_MUST_CHECK int vm_list_load(const struct host *h, const struct vm_needs *needs,
				 struct vm_list *ret_list, struct err *e);
void vm_list_done(struct vm_list *list);
#define cleanup_vm_list cleanup_with(vm_list_done)
