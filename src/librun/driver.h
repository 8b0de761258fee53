/* SPDX-License-Identifier: MIT */
/*
 * driver.h - what a driver of run.h gives: one table of operations.
 *
 * A driver's own struct begins with a struct run. The operations mean what the
 * functions of run.h with the same name mean.
 */
#pragma once

#include "librun/run.h"

typedef void run_warn(void *data, const char *property, const char *why);

struct run {
	const struct run_driver *driver;
	pid_t init_pid;
	int pidfd;
};

struct run_driver {
	const char *name;
	int (*start)(const struct run_spec *spec, run_warn *warn, void *data,
		     struct run **ret_run, struct err *e);
	int (*attach)(const char *uuid, const char *rundir, struct run **ret_run,
		      struct err *e);
	int (*update)(struct run *r, const struct run_spec *spec, run_warn *warn, void *data,
		      struct err *e);
	void (*free)(struct run *r);
	int (*shutdown)(struct run *r, bool reboot, struct err *e);
	int (*kill)(struct run *r, struct err *e);
	int (*console)(struct run *r, int *ret_fd, struct err *e);
	int (*resize)(struct run *r, int fd, unsigned short rows, unsigned short columns,
		      struct err *e);
	int (*bind)(struct run *r, int folderfd, const char *at, struct err *e);
	enum run_end (*reap)(struct run *r, int *ret_status);
	int (*clean)(const char *uuid, const char *rundir, struct err *e);
	int (*note_end)(const char *rundir, struct err *e);
	int (*mount)(const char *rundir, struct err *e);
};

extern const struct run_driver run_driver_lxc;
