/* SPDX-License-Identifier: MIT */
/*
 * vmadm.h - what the commands of vmadm share.
 *
 * A command parses its operands, calls libvm, and says the result: data to
 * standard output, words to standard error, as the original does. With --json
 * a result or an error is one object on standard output besides.
 */
#pragma once

#include "base/cli.h"
#include "base/err.h"
#include "base/uuid.h"
#include "libsys/host.h"
#include "libpayload/payload.h"
#include "libvm/vm.h"

#include <stdbool.h>

#define EXIT_REFUSED 1

struct jv;

struct vmadm {
	struct host host;
	struct vm_host vh;
	char *zoneadmd;
	char uuid[UUID_STR]; /* of the VM that the command is about */
};

/* Opens the host that --root names. */
ATTR_MUST_CHECK int vmadm_begin(struct vmadm *v, struct cli_call *call, struct err *e);
void vmadm_end(struct vmadm *v);
#define cleanup_vmadm cleanup_with(vmadm_end)

/*
 * The VM that the first operand names, into V->uuid: a UUID in either case, or
 * the beginning (8 characters or more) or the alias of exactly one VM. A
 * positive result is the exit status of wrong use, told.
 */
ATTR_MUST_CHECK int vmadm_find(struct vmadm *v, struct cli_call *call, struct err *e);

/* Only root may change VMs: a positive result is an exit status, told. */
ATTR_MUST_CHECK int vmadm_need_root(const char *why);

/* Host, VM, root: how what changes one VM begins. Not 0: what run() returns. */
ATTR_MUST_CHECK int vmadm_begin_change(struct vmadm *v, struct cli_call *call, struct err *e);

/* Before the command's name or behind it, whether it has one of its own or not. */
bool vmadm_wants_json(const struct cli_call *call);

/* "Successfully ..." to standard error, then the warnings; with --json the object too. */
void vmadm_done(struct cli_call *call, const char *uuid, const struct vm_report *rep,
		const char *fmt, ...) ATTR_PRINTF(4, 5);

/*
 * Says an error as "PREFIX: MESSAGE" (PREFIX may be NULL) with the problems that
 * REP holds below; with --json the object too. Gives the exit status.
 */
ATTR_MUST_CHECK int vmadm_failed(struct cli_call *call, const char *prefix,
				 const struct vm_report *rep, const struct err *e);
/* The same for a payload that was refused. */
ATTR_MUST_CHECK int vmadm_refused(struct cli_call *call, const struct problems *ps);
/*
 * The same as JSON on standard output, where --json asks for it; the functions above
 * and the frame of the command line call these. CODE is a negative errno.
 */
void vmadm_answer_ok(struct cli_call *call, const char *uuid, const struct vm_report *rep,
		     const char *message);
void vmadm_answer_error(const struct cli_call *call, int code, const char *text,
			const struct problems *ps);

/* What VMADM_DEBUG_LEVEL asks for; levels as in the original's log. */
#define VMADM_DEBUG_DEBUG 20
#define VMADM_DEBUG_ERROR 50
void vmadm_debug_setup(void);
void vmadm_debug(int level, const char *fmt, ...) ATTR_PRINTF(2, 3);
void vmadm_debug_command(int argc, char **argv);

/* Adds what PS remarks on a payload that was taken to the warnings of REP: dropped properties,
 * and what has no effect. */
void vmadm_remarks(struct vm_report *rep, const struct problems *ps);

/*
 * What -f or standard input gives, for COMMAND: the caller closes RET_FD; RET_NAME is for
 * messages. Positive: exit status, told.
 */
ATTR_MUST_CHECK int vmadm_open_input(struct cli_call *call, const char *command, int *ret_fd,
				     const char **ret_name, struct err *e);
/* The payload that -f or standard input gives. New. Positive: exit status, told. */
ATTR_MUST_CHECK int vmadm_read_payload(struct cli_call *call, const char *command,
				       struct jv **ret_payload, struct err *e);

/* The host behind the rules of payloads. */
struct payload_env vmadm_payload_env(struct vmadm *v);
/* The record that PAYLOAD would make, new; or what is wrong with it, in PS. */
ATTR_MUST_CHECK int vmadm_judge(struct vmadm *v, const struct jv *payload,
				struct jv **ret_record, struct problems *ps, struct err *e);

int cmd_check(struct cli_call *call, struct err *e);
int cmd_clear(struct cli_call *call, struct err *e);
int cmd_create(struct cli_call *call, struct err *e);
int cmd_create_snapshot(struct cli_call *call, struct err *e);
int cmd_delete(struct cli_call *call, struct err *e);
int cmd_delete_snapshot(struct cli_call *call, struct err *e);
int cmd_console(struct cli_call *call, struct err *e);
int cmd_events(struct cli_call *call, struct err *e);
int cmd_get(struct cli_call *call, struct err *e);
int cmd_info(struct cli_call *call, struct err *e);
int cmd_install(struct cli_call *call, struct err *e);
int cmd_kill(struct cli_call *call, struct err *e);
int cmd_list(struct cli_call *call, struct err *e);
int cmd_lookup(struct cli_call *call, struct err *e);
int cmd_properties(struct cli_call *call, struct err *e);
int cmd_reboot(struct cli_call *call, struct err *e);
int cmd_receive(struct cli_call *call, struct err *e);
int cmd_reprovision(struct cli_call *call, struct err *e);
int cmd_rollback_snapshot(struct cli_call *call, struct err *e);
int cmd_schema(struct cli_call *call, struct err *e);
int cmd_send(struct cli_call *call, struct err *e);
int cmd_start(struct cli_call *call, struct err *e);
int cmd_stop(struct cli_call *call, struct err *e);
int cmd_sysrq(struct cli_call *call, struct err *e);
int cmd_update(struct cli_call *call, struct err *e);
int cmd_validate(struct cli_call *call, struct err *e);
