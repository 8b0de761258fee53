/* SPDX-License-Identifier: MIT */
/*
 * recover.h - how each operation is completed or undone. Private to libvm.
 *
 * vm_recover() finds the journal, and calls the function of its operation, which
 * is in that operation's file. The caller holds the VM's lock. After success the
 * VM is as before the change or as after it, and the journal is gone.
 */
#pragma once

#include "libvm/vm.h"

struct jv;

struct recovery {
	const struct vm_host *vh;
	const char *uuid;
	const struct jv *args; /* of journal_begin(); NULL: there were none */
	bool has_record;
};

/* *RET_DONE is a constant: "undid its creation". */
typedef int recover_fn(const struct recovery *rc, const char **ret_done, struct err *e);

recover_fn vm_create_recover, vm_delete_recover;

int vm_update_recover(const struct recovery *rc, const char **ret_done, struct err *e);
int vm_snapshot_recover(const struct recovery *rc, const char **ret_done, struct err *e);
int vm_unsnapshot_recover(const struct recovery *rc, const char **ret_done, struct err *e);
int vm_rollback_recover(const struct recovery *rc, const char **ret_done, struct err *e);
int vm_reprovision_recover(const struct recovery *rc, const char **ret_done, struct err *e);
int vm_receive_recover(const struct recovery *rc, const char **ret_done, struct err *e);
