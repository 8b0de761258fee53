/* SPDX-License-Identifier: MIT */
/*
 * zoneadmd.h - the parts of zoneadmd among themselves.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libnet/address.h"
#include "librun/run.h"
#include "libsys/host.h"
#include "libpayload/filesystem.h"

#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct jv;
struct zone_console;
struct metadata;

/* How many clients may wait for the same stop or reboot. */
#define WAITERS_MAX 16

enum zone_state {
	ZONE_STARTING, /* nothing runs yet, or again: between a reboot's two halves */
	ZONE_RUNNING,
	ZONE_STOPPING, /* asked to end, by whom and how it goes on is in .again */
	ZONE_STATE_MAX_,
};

const char *zone_state_to_string(enum zone_state state);

struct zone {
	struct host host;
	char uuid[UUID_STR];
	char *rundir; /* ROOT/run/dais/UUID */
	int rundirfd;
	bool is_new; /* we made the run folder */
	int lockfd;
	char *program; /* this program's own path */

	enum zone_state state;
	struct run *run; /* NULL while nothing runs */
	bool has_group;  /* we are in dais/UUID.zoneadmd */
	bool again;      /* start again after the end that is asked for */
	struct jv *warnings;
	char boot_timestamp[48];
	int64_t started_ms;
	unsigned int restarts;
	unsigned int short_failures; /* short lives in a row that ended in a failure */
	unsigned int
		start_tries; /* in a row that have failed, of a start that nobody asked for */
	unsigned int zoneid;
	int exit_status;           /* as run_reap(); -1: not known */
	struct metadata *metadata; /* NULL: none */

	int listenfd;
	int64_t deadline; /* moment when force is next; 0: none */
	int64_t retry_at; /* moment to ask init again, or to start again; 0: none */
	bool done;        /* leave, with .result */
	int result;
	struct zone_console *console; /* NULL: nobody has looked at it yet */
	int waiters[WAITERS_MAX];
	unsigned int waiter_count;
};

/* The record's, and those of every zone: its data, its snapshots. */
#define ZONE_MOUNTS_MAX (FILESYSTEMS_MAX + 2)

/* spec.c: the run_spec of a record, with the memory that it borrows. */
struct zone_spec {
	struct run_spec run;
	struct jv *record;
	struct run_nic nics[RUN_NICS_MAX];
	const char **ips[RUN_NICS_MAX];
	char host_names[RUN_NICS_MAX][IFNAMSIZ];
	char bridges[RUN_NICS_MAX][IFNAMSIZ];
	const char *init_argv[2];
	const char *drop_caps[32];
	struct filesystem filesystems[ZONE_MOUNTS_MAX];
	struct run_mount mounts[ZONE_MOUNTS_MAX];
	char *sources[ZONE_MOUNTS_MAX];
	char *data; /* where the delegated data is, on the host and inside */
	char *snapshots;
	char *rootfs;
	char *console_log;
};
ATTR_MUST_CHECK int zone_spec_load(struct zone *z, struct zone_spec *ret_spec, struct err *e);
/* Can an image like that be started? Only asked before a start: what runs may do as it likes.
 */
ATTR_MUST_CHECK int zone_spec_check_root(const struct zone_spec *s, struct err *e);
void zone_spec_done(struct zone_spec *s);
#define cleanup_zone_spec cleanup_with(zone_spec_done)

/* privileges.c: limit_priv. */
void zone_take_privileges(struct zone *z, struct zone_spec *s);

/* mounts.c */
void zone_take_fs_allowed(struct zone *z, struct zone_spec *s);
ATTR_MUST_CHECK int zone_take_filesystems(struct zone *z, struct zone_spec *s, struct err *e);
/* Before a start: sources are there, and so are the targets in the root afterwards. */
ATTR_MUST_CHECK int zone_prepare_filesystems(const struct host *h, const struct zone_spec *s,
					     struct err *e);

/* filter_spec.c: all but the port and what its bridge is for. */
struct filter;
ATTR_MUST_CHECK int zone_filter_from_nic(const struct jv *nic, struct filter *ret_filter,
					 struct err *e);

/* network.c */
struct port;
const struct jv *zone_nic(const struct zone_spec *s, size_t index);
/* Before the start: bridges are up and rules stand; the bridges' names are in the spec. */
ATTR_MUST_CHECK int zone_network_up(const struct host *h, struct zone_spec *s, struct err *e);
/* The same for one NIC. */
ATTR_MUST_CHECK int zone_network_prepare(const struct host *h, struct zone_spec *s, size_t i,
					 struct err *e);
void zone_network_port(const struct zone_spec *s, size_t i, struct port *ret_port);
/* Init runs, the ports are there. */
ATTR_MUST_CHECK int zone_network_started(struct zone *z, const struct zone_spec *s,
					 struct err *e);

/* network_live.c */
#define ZONE_NETWORK_FILE "network.json" /* what holds, in the run folder */
ATTR_MUST_CHECK int zone_network_remember(struct zone *z, const struct zone_spec *s,
					  struct err *e);
void zone_network_routes(struct zone *z,
			 const struct zone_spec *s); /* failures are warned of */
/* The NICs of a machine that runs, as its record is now. Asking twice is fine. */
ATTR_MUST_CHECK int zone_network_update(struct zone *z, struct zone_spec *s, struct err *e);
/* /etc/resolv.conf, where the record wants it kept; failures are warned of. */
void zone_resolvers_update(struct zone *z, const struct zone_spec *s);

/* state.c: state.json; on a tmpfs, so it is replaced atomically but not synced. */
ATTR_MUST_CHECK int zone_state_write(struct zone *z, struct err *e);
void zone_state_set_stopped(struct zone *z); /* nothing is left */
/* Takes over from the state file what an earlier supervisor knew; is it about init PID? */
bool zone_state_adopt(struct zone *z, pid_t pid);
bool zone_state_is_stopped(struct zone *z); /* as the last supervisor left it */
void zone_warn(struct zone *z, const char *property, const char *why);

/* failed.c: WHY goes to the record. Not while another command works on the VM. */
void zone_mark_failed(struct zone *z, const char *why);

/* inherited.c: limits, priorities, signals, environment, folder: once, at the beginning. */
ATTR_MUST_CHECK int zone_forget_inherited(struct err *e);

/* machine.c */
ATTR_MUST_CHECK int zone_open_log(struct zone *z, struct err *e); /* becomes standard error */
ATTR_MUST_CHECK int zone_start(struct zone *z, struct err *e);
/* -ENOENT, and nothing is left, when the machine does not run. */
ATTR_MUST_CHECK int zone_attach(struct zone *z, struct err *e);
/* The record has changed: bring what runs in line with it. What does not run has no need. */
ATTR_MUST_CHECK int zone_reload(struct zone *z, struct err *e);
/* Everything that a machine of this UUID may have left, whoever started it. */
ATTR_MUST_CHECK int zone_clean(struct zone *z, struct err *e);
void zone_enter_group(struct zone *z);
void zone_leave(struct zone *z); /* remove what is this process's own */

/* supervise.c */
ATTR_MUST_CHECK int zone_serve(struct zone *z, struct err *e); /* until the machine's end */
/* Both return at once; the end is told to the waiters. */
ATTR_MUST_CHECK int zone_ask_end(struct zone *z, bool again, unsigned int timeout_s,
				 struct err *e);
ATTR_MUST_CHECK int zone_force_end(struct zone *z, bool again, struct err *e);

/*
 * console.c: who looks at the machine's console. libvm/console.h has the protocol.
 * console_poll() fills FDS and gives how many; console_turn() gets them back with
 * what has happened.
 */
#define CONSOLE_VIEWERS_MAX 8
#define CONSOLE_FDS_MAX     (CONSOLE_VIEWERS_MAX + 1)
ATTR_MUST_CHECK int console_join(struct zone *z, const struct jv *request, int *fd,
				 struct err *e);
size_t console_poll(struct zone *z, struct pollfd fds[static CONSOLE_FDS_MAX]);
void console_turn(struct zone *z, const struct pollfd *fds, size_t count);
size_t console_viewers(const struct zone *z);
void console_let_go(struct zone *z); /* the machine has ended; who looks stays */
void console_free(struct zone *z);

/* keep.c: until it is killed; returns a failure only. ROOT as for host_open(). */
ATTR_MUST_CHECK int zone_keep(const char *root, struct err *e);

/* requests.c */
ATTR_MUST_CHECK int requests_listen(struct zone *z, struct err *e);
void requests_serve(struct zone *z);                                     /* one connection */
void requests_answer_waiters(struct zone *z, const struct err *failure); /* NULL: it is done */
