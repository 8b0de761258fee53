/* SPDX-License-Identifier: MIT */
/*
 * run.h - start, watch and end one machine. Only zoneadmd calls this.
 *
 * One table of operations a driver (lxc now, qemu to come) stands behind these
 * calls. A machine that was started belongs to its own processes, not to the
 * caller: run_attach() finds it again after the supervisor died.
 *
 *	run_start() ──▶ runs ──▶ run_pidfd() readable ──▶ run_reap() ──▶ run_clean()
 *	run_attach() ────┘
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_NICS_MAX 32

struct run_nic {
	const char *bridge;    /* host side */
	const char *name;      /* inside: "net0", "eth0" */
	const char *host_name; /* host side of the pair, at most 15 characters */
	const char *mac;
	unsigned int mtu;       /* 0: leave */
	const char *const *ips; /* "A/PREFIX"..., NULL ends; the words "dhcp" and "addrconf" are
				   the guest's */
	const char *gateway;    /* NULL: none */
	unsigned int vlan_id;   /* 0: untagged */
};

/* Something that is mounted before init runs. */
struct run_mount {
	const char *source; /* absolute, without links; NULL: a tmpfs of the machine's own */
	const char *target; /* absolute, inside; the folder or file is there */
	const char
		*size; /* of a tmpfs, as its option says: "64m"; NULL: the kernel's default */
	bool read_only, no_suid, no_exec; /* devices never open */
	/*
	 * Init need not wait for it: where that is so of all, none is mounted before init
	 * runs, which makes a start faster. What fails is then warned of as "snapshots".
	 */
	bool late;
};

/* 0 means "no limit" everywhere below. Everything is borrowed for the call. */
struct run_spec {
	const char *uuid;
	const char *rundir;      /* absolute; the driver may keep its files in it */
	const char *rootfs;      /* absolute */
	const char *console_log; /* absolute */
	const char *hostname;
	const char *const *init_argv; /* NULL: "/sbin/init" */
	uint32_t id_base;             /* first uid and gid on the host */
	uint32_t id_count;
	const struct run_nic *nics;
	size_t nic_count;
	uint64_t memory_bytes;
	uint64_t swap_bytes;  /* beyond memory */
	uint64_t tmpfs_bytes; /* size of /tmp */
	uint32_t cpu_cap;     /* per cent of one CPU */
	uint32_t cpu_shares;  /* 1 to 65535, 100 is usual */
	uint32_t max_processes;
	uint32_t io_weight;                 /* 1 to 1000 */
	uint64_t locked_bytes;              /* that a process may lock into memory */
	uint64_t shm_bytes;                 /* System V shared memory, all segments together */
	uint32_t shm_ids, sem_ids, msg_ids; /* System V segments, semaphore sets, queues */
	uint64_t console_log_bytes;         /* 0: 1 MiB; one predecessor is kept */
	const struct run_mount *mounts;
	size_t mount_count;
	bool fuse;                    /* /dev/fuse is there, and so file systems of its users */
	const char *const *drop_caps; /* beyond the driver's own list; NULL: none */
	/*
	 * Absolute path of a program that the driver runs as "PROGRAM --ended RUNDIR"
	 * when the machine has ended, with LXC_TARGET=reboot in its environment when the
	 * guest wants to start again. It must call run_note_end() and exit with 1. Where
	 * there is something to mount it also runs as "PROGRAM --mount RUNDIR", and must
	 * call run_mount().
	 */
	const char *end_program;
};

/* Why a machine ended, as far as it is known. */
enum run_end {
	RUN_END_KILLED, /* together with what holds it, or it is not known */
	RUN_END_HALT,   /* its init ended: the guest powered off, or init was killed */
	RUN_END_REBOOT, /* the guest wants to start again */
};

struct run;

/*
 * Start the machine. Returns when its init runs, or has run: one that ends in its first
 * milliseconds has been started, and run_pidfd() tells of its end. A limit that this
 * host cannot put in force does not fail the start: WARN is called with the
 * property's name and the reason. Nothing of an earlier run may be left: call
 * run_clean() first where that is not sure. A failed start leaves nothing that
 * run_clean() does not remove.
 *
 * Afterwards the calling process is in a cgroup of the machine's monitor, has no
 * PATH, ignores SIGPIPE, and does not get to see the status of any child: leave
 * the group with cgroup_enter() before run_clean().
 */
ATTR_MUST_CHECK int run_start(const struct run_spec *spec,
			      void (*warn)(void *data, const char *property, const char *why),
			      void *data, struct run **ret_run, struct err *e);

/* Find a machine that an earlier caller started. -ENOENT when it does not run. */
ATTR_MUST_CHECK int run_attach(const char *uuid, const char *rundir, struct run **ret_run,
			       struct err *e);
void run_free(struct run *r); /* lets go; the machine runs on */

/*
 * Bring what runs in line with SPEC, which is complete: all that can be changed
 * while it runs is, the rest waits for the next start. Asking twice is fine. What
 * cannot be put in force is told by WARN as in run_start(); an error is a machine
 * that has ended, or a kernel that refused a value.
 */
ATTR_MUST_CHECK int run_update(struct run *r, const struct run_spec *spec,
			       void (*warn)(void *data, const char *property, const char *why),
			       void *data, struct err *e);

pid_t run_init_pid(const struct run *r);
/* Readable once init, or the process that holds the machine, has ended; ours, borrowed. */
int run_pidfd(const struct run *r);
/* Has it, or will it within WAIT_MS? What a guest has is gone a moment before it has ended. */
bool run_has_ended(const struct run *r, int wait_ms);

/*
 * Ask the machine's init to power off or reboot. Returns at once. -EAGAIN: init
 * does not listen yet, the request would be lost; ask again a little later.
 */
ATTR_MUST_CHECK int run_shutdown(struct run *r, bool reboot, struct err *e);

/* Kill everything in it. Returns when nothing is left that runs. */
ATTR_MUST_CHECK int run_kill(struct run *r, struct err *e);

/*
 * Mount the folder behind FOLDERFD inside the machine, which runs, at AT: read-only,
 * without devices or programs. AT is a folder that is there, reached without a link.
 */
ATTR_MUST_CHECK int run_bind(struct run *r, int folderfd, const char *at, struct err *e);

/*
 * Once run_pidfd() is readable: wait until all of it has ended, and say why it did.
 * *RET_STATUS is what init ended with: its exit status, or 128 and the number of the
 * signal that killed it; 0 when the guest powered off; -1 when it is not known.
 */
enum run_end run_reap(struct run *r, int *ret_status);

/*
 * The machine's console: *RET_FD, non-blocking, reads and writes it like a terminal
 * line. Only one caller at a time can have it: -EBUSY. Returns the descriptor of the
 * connection that holds it; closing that gives it back. Whoever has it must read it,
 * or what the machine writes stops the process that holds the machine.
 */
ATTR_MUST_CHECK int run_console(struct run *r, int *ret_fd, struct err *e);
/* How large the terminal is at which a person looks at it. FD is run_console()'s. */
ATTR_MUST_CHECK int run_console_resize(struct run *r, int fd, unsigned short rows,
				       unsigned short columns, struct err *e);

/*
 * Remove what a machine leaves or may have left: processes, cgroups, files in
 * RUNDIR. Links are the caller's. Also without a struct run, after any crash.
 */
ATTR_MUST_CHECK int run_clean(const char *uuid, const char *rundir, struct err *e);

/* What spec.end_program does; the second fails with what is wrong, which is told by
 * run_start().
 */
ATTR_MUST_CHECK int run_note_end(const char *rundir, struct err *e);
ATTR_MUST_CHECK int run_mount(const char *rundir, struct err *e);
