/* SPDX-License-Identifier: MIT */
#include "librun/run.h"

#include "librun/driver.h"
#include "libsys/procfs.h"

/* The driver of container brands; the one of hardware VMs is chosen by the spec once it is
 * here. */
static const struct run_driver *const driver = &run_driver_lxc;

int run_start(const struct run_spec *spec,
	      void (*warn)(void *data, const char *property, const char *why), void *data,
	      struct run **ret_run, struct err *e)
{
	return driver->start(spec, warn, data, ret_run, e);
}

int run_attach(const char *uuid, const char *rundir, struct run **ret_run, struct err *e)
{
	return driver->attach(uuid, rundir, ret_run, e);
}

int run_update(struct run *r, const struct run_spec *spec,
	       void (*warn)(void *data, const char *property, const char *why), void *data,
	       struct err *e)
{
	return r->driver->update(r, spec, warn, data, e);
}

void run_free(struct run *r)
{
	if (r)
		r->driver->free(r);
}

pid_t run_init_pid(const struct run *r)
{
	return r->init_pid;
}

int run_pidfd(const struct run *r)
{
	return r->pidfd;
}

bool run_has_ended(const struct run *r, int wait_ms)
{
	return pidfd_wait_end(r->pidfd, wait_ms);
}

int run_shutdown(struct run *r, bool reboot, struct err *e)
{
	return r->driver->shutdown(r, reboot, e);
}

int run_kill(struct run *r, struct err *e)
{
	return r->driver->kill(r, e);
}

int run_bind(struct run *r, int folderfd, const char *at, struct err *e)
{
	return r->driver->bind(r, folderfd, at, e);
}

enum run_end run_reap(struct run *r, int *ret_status)
{
	return r->driver->reap(r, ret_status);
}

int run_console(struct run *r, int *ret_fd, struct err *e)
{
	return r->driver->console(r, ret_fd, e);
}

int run_console_resize(struct run *r, int fd, unsigned short rows, unsigned short columns,
		       struct err *e)
{
	return r->driver->resize(r, fd, rows, columns, e);
}

int run_clean(const char *uuid, const char *rundir, struct err *e)
{
	return driver->clean(uuid, rundir, e);
}

int run_note_end(const char *rundir, struct err *e)
{
	return driver->note_end(rundir, e);
}

int run_mount(const char *rundir, struct err *e)
{
	return driver->mount(rundir, e);
}
