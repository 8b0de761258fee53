/* SPDX-License-Identifier: MIT */
/*
 * lxc.h - the parts of the lxc driver among themselves.
 *
 *	zoneadmd ──start.c──▶ liblxc forks ──▶ "[lxc monitor]" ──▶ init of the zone
 *	    │                                     │ parent of init, holds the console
 *	    ├── pidfds of both (driver.c)         │ and gives init SIGKILL when it ends
 *	    └── cgroups, files (traces.c)         └─▶ end_program, once init has ended
 *
 * Groups, in every hierarchy where liblxc makes them:
 *
 *	dais/UUID            the machine; limits are here
 *	dais/UUID.monitor    liblxc's process
 *	dais/UUID.pivot      where liblxc moves it to when it ends
 *	dais/UUID.zoneadmd   the supervisor; version 2 only
 *
 * Files in the machine's RUNDIR: seccomp (the profile), lxc.log (why a start
 * failed), ended (the reason of the last end).
 */
#pragma once

#include "librun/driver.h"

struct lxc_container;

#define LXC_GROUP_PARENT "dais"
/*
 * liblxc's command socket and lock file are named after it, and the zone's root
 * must be able to search it. Nothing is ever put there.
 */
#define LXC_PATH      "/run"
#define LXC_GROUP_MAX 128

/* "dais/UUID" and SUFFIX, which is "" or ".monitor", ... */
void lxc_group(const char *uuid, const char *suffix, char ret[static LXC_GROUP_MAX]);

/* library.c: a container object of liblxc, NULL with E set; to be closed. */
struct lxc_container *lxc_open(const char *uuid, struct err *e);
void lxc_close(struct lxc_container *c);
const char *lxc_version(void); /* while one is open */

/* Configuration that is being filled. The first failure is kept, later calls do nothing. */
struct lxc_setter {
	struct lxc_container *c;
	int failed;
	struct err *e;
};
void lxc_set(struct lxc_setter *s, const char *key, const char *fmt, ...) ATTR_PRINTF(3, 4);

/* config.c: identity, root, network, console. */
void lxc_configure(struct lxc_setter *s, const struct run_spec *spec);

/* confine.c: what the machine may not do; PROFILE is the path of the seccomp profile. */
extern const char lxc_seccomp_text[];
void lxc_confine(struct lxc_setter *s, const struct run_spec *spec, const char *profile);

/* limits.c: CPU, memory, processes. dais/UUID.zoneadmd exists. */
void lxc_limit(struct lxc_setter *s, const struct run_spec *spec, run_warn *warn, void *data);
/* The same of a machine that runs, limits that are taken away included. */
int lxc_limit_live(const struct run_spec *spec, run_warn *warn, void *data, struct err *e);

/* live.c: what is not in the cgroup. */
int lxc_limit_ipc(int initfd, const struct run_spec *spec, run_warn *warn, void *data,
		  struct err *e);
int lxc_update(struct run *r, const struct run_spec *spec, run_warn *warn, void *data,
	       struct err *e);

/*
 * mounts.c: what is to be mounted goes into RUNDIR/mounts.json for "--mount", and how
 * that went into RUNDIR/mounted.json.
 */
int lxc_plan_mounts(const struct run_spec *spec, struct err *e);
int lxc_mount(const char *rundir, struct err *e);
/* Tells the warnings; *RET_WHY, new, is why it failed: NULL where it did not. */
void lxc_mounts_result(const char *rundir, run_warn *warn, void *data, char **ret_why);

/* late.c: are there none, or none that init has to wait for? Then the second mounts them. */
bool lxc_mounts_are_late(const struct run_spec *spec);
void lxc_mount_late(const struct run_spec *spec, struct run *r, run_warn *warn, void *data);

/* attach.c: mount all of them inside the machine whose init is PID; changes namespaces. */
struct lxc_mount_item {
	const char *source, *target, *size;
	bool read_only, no_suid, no_exec;
	int fd;        /* a detached mount, -1: none yet */
	bool is_file;  /* what is mounted is no folder */
	bool unmapped; /* after the call: the file system takes no map of ids */
};
int lxc_attach_mounts(pid_t pid, struct lxc_mount_item *items, size_t count, struct err *e);

/* bind.c */
int lxc_bind(struct run *r, int folderfd, const char *at, struct err *e);

/* start.c */
int lxc_start_machine(const struct run_spec *spec, run_warn *warn, void *data,
		      struct run **ret_run, struct err *e);

/* driver.c: the first process of a machine, 0 when it does not run. */
pid_t lxc_find_init(const char *uuid);
int lxc_initfd(struct run *r); /* borrowed */
/* What holds the machine that this process has started; 0 when it is gone. */
pid_t lxc_find_monitor(const char *uuid);
/* A struct run around it; INIT or MONITOR is 0 when it is gone. */
int lxc_run_new(const char *uuid, const char *rundir, pid_t init, pid_t monitor,
		struct run **ret_run, struct err *e);

/* console.c: MONITORFD is -1 when it is gone. */
int lxc_console_open(const char *uuid, int *ret_fd, struct err *e);
int lxc_console_resize(int monitorfd, int fd, unsigned short rows, unsigned short columns,
		       struct err *e);

/* traces.c */
int lxc_clean(const char *uuid, const char *rundir, struct err *e);
int lxc_note_end(const char *rundir, struct err *e);
enum run_end lxc_read_end(const char *rundir);
int lxc_read_status(const char *rundir, pid_t init); /* as run_reap(); INIT 0: not known */
/* What there is of the last one: its log, how it ended. */
void lxc_forget_last(const char *rundir);
/* The first error of the log, which holds one start; or "". */
void lxc_first_error(const char *rundir, char *ret, size_t size);
