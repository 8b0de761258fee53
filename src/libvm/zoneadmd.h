/* SPDX-License-Identifier: MIT */
/*
 * zoneadmd.h - what a command says to the supervisor of a VM, and finds of it.
 *
 *	vmadm ──spawns──▶ zoneadmd UUID ──run.h──▶ machine
 *	      ◀─request/answer over ROOT/run/dais/UUID/zoneadmd.sock─▶
 *
 * ROOT/run/dais/UUID/state.json, replaced atomically by zoneadmd:
 *
 *	{ "state": "running", "pid": INIT_PID, "pid_start": JIFFIES,
 *	  "supervisor": PID, "supervisor_start": JIFFIES,
 *	  "boot_timestamp": "...", "init_restarts": N, "zoneid": N,
 *	  "warnings": ["max_swap: ..."] }
 *	{ "state": "stopped", "exit_timestamp": "...", "exit_status": N, "init_restarts": N }
 *
 * "state" is starting (between the halves of a reboot), running, stopping or
 * stopped. A machine runs if, and only if, that file names a process that lives
 * and whose start time is the one recorded; a stale file is nobody's truth.
 *
 * The socket carries one JSON object a line each way, at most 64 KiB (libipc):
 *
 *	{ "request": "stop", "force": false, "timeout_s": 60 }
 *	{ "request": "reboot", "force": false } { "request": "status" } { "request": "reload" }
 *	{ "ok": true, ... }  or  { "ok": false, "code": -16, "error": "TEXT" }
 *
 * Only uid 0 is answered (SO_PEERCRED).
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <sys/types.h>

/* Bytes of a link's name and its '\0': IFNAMSIZ, whose header clashes with others. */
#define ZONEADMD_LINK_NAME 16
#define ZONEADMD_NICS_MAX  32

/* After the UUID: the name of the lock that a supervisor holds as long as it lives. */
#define ZONEADMD_LOCK_SUFFIX ".zoneadmd"

/*
 * The program's path, new: where the environment says (tests), beside the one that asks (a
 * build folder), in lib/dais beside that one's folder (installed below any prefix).
 */
char *zoneadmd_find(void);

/*
 * Start the VM's supervisor, which starts the VM, and wait until its init runs.
 * PROGRAM is zoneadmd's path. Warnings that zoneadmd reports go to *RET_WARNINGS
 * (a JSON array, new; may be NULL). The caller holds the VM's lock.
 */
struct jv;
ATTR_MUST_CHECK int zoneadmd_start_vm(const struct host *h, const char *program,
				      const char *uuid, struct jv **ret_warnings,
				      struct err *e);

/*
 * The same in two halves, for a caller that has something to do meanwhile. The
 * first returns a descriptor, the second takes it. A caller that goes away in
 * between leaves a VM that starts.
 */
ATTR_MUST_CHECK int zoneadmd_start_begin(const struct host *h, const char *program,
					 const char *uuid, struct err *e);
ATTR_MUST_CHECK int zoneadmd_start_end(int fd, struct jv **ret_warnings, struct err *e);

/*
 * Stop it: politely, at most TIMEOUT_S seconds, then by force; or by force at
 * once. A VM that does not run is success. Works when the supervisor was
 * killed: a new one is started that takes the machine over.
 */
ATTR_MUST_CHECK int zoneadmd_stop_vm(const struct host *h, const char *program,
				     const char *uuid, bool force, unsigned int timeout_s,
				     struct err *e);

/*
 * The record of the VM has been replaced: what of it takes effect on a running VM
 * does so now. A VM that does not run is success, and there is nothing to do. What
 * cannot be put in force is in *RET_WARNINGS (a JSON array, new; may be NULL): all
 * that holds for the VM now, whether this change brought it or not. A failure leaves
 * what runs with the old values or the new ones, and asking again goes on. The
 * caller holds the VM's lock. Works when the supervisor was killed.
 */
ATTR_MUST_CHECK int zoneadmd_reload(const struct host *h, const char *program, const char *uuid,
				    struct jv **ret_warnings, struct err *e);

/*
 * A connection to the VM's console through its supervisor, see console.h. -ENOENT,
 * -ECONNREFUSED, -ECONNRESET, -EPIPE: it has none just now, see zoneadmd_attach_vm().
 * ROWS and COLUMNS may be 0.
 */
ATTR_MUST_CHECK int zoneadmd_console(const struct host *h, const char *uuid,
				     unsigned short rows, unsigned short columns,
				     struct err *e);

/*
 * Start a supervisor for a VM whose own was killed; it tidies up when nothing runs.
 * The caller holds the VM's lock.
 */
ATTR_MUST_CHECK int zoneadmd_attach_vm(const struct host *h, const char *program,
				       const char *uuid, bool *ret_running, struct err *e);

/* The same in two halves: the first returns a descriptor, the second takes it. */
ATTR_MUST_CHECK int zoneadmd_attach_begin(const struct host *h, const char *program,
					  const char *uuid, struct err *e);
ATTR_MUST_CHECK int zoneadmd_attach_end(int fd, bool *ret_running, struct err *e);

/* Does it run, and nobody watches over it? Its supervisor was killed. */
bool zoneadmd_is_alone(const struct host *h, const char *uuid);

/* Was its supervisor killed, whether the VM runs on or something is left of it? */
bool zoneadmd_is_orphaned(const struct host *h, const char *uuid);

/* A descriptor that is readable once the supervisor ends. -ENOENT, without an error: none. */
ATTR_MUST_CHECK int zoneadmd_supervisor_pidfd(const struct host *h, const char *uuid);

/* Does it run, and is not about to end? As zoneadmd_vm_pid() sees it. */
bool zoneadmd_vm_is_running(const struct host *h, const char *uuid);

/* Init's pid, or 0 when the VM does not run. Looks at state.json and /proc only. */
pid_t zoneadmd_vm_pid(const struct host *h, const char *uuid);

/*
 * A descriptor that is readable once what the state file names has ended: init, or
 * the supervisor while there is no init. -ENOENT, without an error: neither lives.
 */
ATTR_MUST_CHECK int zoneadmd_vm_pidfd(const struct host *h, const char *uuid);

/*
 * Has its supervisor ended without tidying up, so that something may be left of it?
 * False while it or the VM lives. zoneadmd_stop_vm() removes what there is.
 */
bool zoneadmd_has_left(const struct host *h, const char *uuid);

/*
 * The host's end of the VM's NIC number INDEX (0 to 99): "dz", ten hex digits
 * that follow from the UUID, "n" and the number. What filters a VM's traffic finds
 * it by that (libnet/filter.h): a link that is named so and has no rules passes
 * nothing.
 */
void zoneadmd_link_name(const char *uuid, unsigned int index,
			char ret[static ZONEADMD_LINK_NAME]);

/*
 * The name of a NIC's link on the host, by the number in its interface's name: that
 * stays when other NICs come and go.
 */
ATTR_MUST_CHECK int zoneadmd_nic_link(const char *uuid, const struct jv *nic,
				      char ret[static ZONEADMD_LINK_NAME], struct err *e);

/*
 * ROOT/zones/UUID/logs/zoneadmd.log for appending; the folder "logs" is made. A
 * log that has grown is kept as zoneadmd.log.0, one generation. Returns the
 * descriptor. -ENOENT: the VM has no folder on the pool.
 */
ATTR_MUST_CHECK int zoneadmd_open_log(const struct host *h, const char *uuid, struct err *e);
