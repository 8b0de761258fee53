/* SPDX-License-Identifier: MIT */
#include "librun/lxc/lxc.h"

#include "base/alloc.h"
#include "base/macro.h"
#include "libsys/cgroup.h"
#include "libsys/procfs.h"

#include <lxc/lxccontainer.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define END_MS 10000

struct lxc_run {
	struct run run; /* pidfd: an epoll descriptor over the two below */
	char *uuid;
	char *rundir;
	int initfd;    /* an eventfd, readable, when init had ended before it could be had */
	int monitorfd; /* -1: it is gone */
};

static struct lxc_run *of(struct run *r)
{
	return (struct lxc_run *)r; /* its first member */
}

int lxc_initfd(struct run *r)
{
	return of(r)->initfd;
}

static void lxc_free(struct run *r)
{
	struct lxc_run *l = of(r);

	close_p(&l->run.pidfd);
	close_p(&l->initfd);
	close_p(&l->monitorfd);
	free(l->uuid);
	free(l->rundir);
	free(l);
}

static int watch(int epfd, int fd, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN };

	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_sys(e, "cannot watch the machine");
	return 0;
}

/* A guest may end in its first milliseconds. That is its end, and no failure of a start. */
static int open_init(pid_t init, struct err *e)
{
	int fd = init > 0 ? pidfd_open_process(init, e) : -ESRCH;

	if (fd != -ESRCH)
		return fd;
	fd = eventfd(1, EFD_CLOEXEC);
	return fd < 0 ? err_sys(e, "cannot watch the machine") : fd;
}

/* A monitor that is gone is no error: its init will soon be, too. */
static int watch_both(struct lxc_run *l, pid_t monitor, struct err *e)
{
	int r;

	l->initfd = open_init(l->run.init_pid, e);
	if (l->initfd < 0)
		return l->initfd;
	l->run.pidfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->run.pidfd < 0)
		return err_sys(e, "cannot watch the machine");
	r = watch(l->run.pidfd, l->initfd, e);
	if (r < 0)
		return r;
	if (monitor > 1)
		l->monitorfd = pidfd_open_process(monitor, NULL);
	return l->monitorfd < 0 ? 0 : watch(l->run.pidfd, l->monitorfd, e);
}

int lxc_run_new(const char *uuid, const char *rundir, pid_t init, pid_t monitor,
		struct run **ret_run, struct err *e)
{
	struct lxc_run *l = xcalloc(1, sizeof(*l));
	int r;

	*l = (struct lxc_run){
		.run = { .driver = &run_driver_lxc, .init_pid = init, .pidfd = -1 },
		.uuid = xstrdup(uuid),
		.rundir = xstrdup(rundir),
		.initfd = -1,
		.monitorfd = -1,
	};
	r = watch_both(l, monitor, e);
	if (r < 0) {
		lxc_free(&l->run);
		return r;
	}
	*ret_run = &l->run;
	return 0;
}

/*
 * Asks the kernel, because the monitor may be busy or gone; where there is no
 * group, which is where liblxc could not make one, the monitor.
 */
pid_t lxc_find_init(const char *uuid)
{
	struct lxc_container *c;
	char group[LXC_GROUP_MAX];
	pid_t init;

	lxc_group(uuid, "", group);
	init = cgroup_find(group, procfs_is_namespace_init);
	if (init > 0)
		return init;
	c = lxc_open(uuid, NULL);
	if (!c)
		return 0;
	init = c->init_pid(c);
	lxc_close(c);
	return init > 0 ? init : 0;
}

/* In its group, or in the one where it ends; beside the supervisor, whose child it is. */
static bool is_our_child(pid_t pid)
{
	pid_t parent;

	return procfs_parent(pid, &parent, NULL) == 0 && parent == getpid();
}

pid_t lxc_find_monitor(const char *uuid)
{
	static const char *const suffixes[] = { ".monitor", ".pivot" };
	char group[LXC_GROUP_MAX];
	pid_t monitor = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes) && monitor <= 0; i++) {
		lxc_group(uuid, suffixes[i], group);
		monitor = cgroup_find(group, is_our_child);
	}
	return monitor;
}

static int lxc_attach(const char *uuid, const char *rundir, struct run **ret_run, struct err *e)
{
	pid_t init = lxc_find_init(uuid);
	pid_t monitor;
	int r;

	if (init <= 0)
		return err_set(e, -ENOENT, "the machine does not run");
	r = procfs_parent(init, &monitor, e);
	if (r == -ESRCH)
		return err_set(e, -ENOENT, "the machine does not run");
	if (r < 0)
		return r;
	return lxc_run_new(uuid, rundir, init, monitor, ret_run, e);
}

/*
 * What an init takes as a request. Its name comes from the guest: the worst that
 * a wrong one brings is a signal that it would not have had.
 */
static int signal_for(pid_t init, bool reboot)
{
	char name[16];

	procfs_name(init, name);
	if (strcmp(name, "systemd") == 0)
		return SIGRTMIN + (reboot ? 5 : 4);
	if (strcmp(name, "busybox") == 0 || strcmp(name, "init") == 0)
		return reboot ? SIGTERM : SIGUSR2;
	return reboot ? SIGINT : SIGPWR;
}

static int lxc_ask(struct run *r, bool reboot, struct err *e)
{
	int signo = signal_for(r->init_pid, reboot);

	/* The kernel drops what a namespace's init neither catches nor holds back. */
	if (!procfs_awaits_signal(r->init_pid, signo))
		return err_set(e, -EAGAIN, "init does not listen yet");
	return pidfd_signal(of(r)->initfd, signo, e);
}

static int lxc_kill(struct run *r, struct err *e)
{
	struct lxc_run *l = of(r);
	char group[LXC_GROUP_MAX];
	int ret;

	/* Init takes all of its pid namespace along; who entered from outside is in the group.
	 */
	ret = pidfd_signal(l->initfd, SIGKILL, e);
	if (ret < 0)
		return ret;
	lxc_group(l->uuid, "", group);
	ret = cgroup_kill(group, END_MS, e);
	if (ret < 0)
		return ret;
	if (!pidfd_wait_end(l->initfd, END_MS))
		return err_set(e, -ETIMEDOUT, "init does not end");
	return 0;
}

static enum run_end lxc_reap(struct run *r, int *ret_status)
{
	struct lxc_run *l = of(r);
	enum run_end end;

	/* The monitor may have ended first, and init need not have noticed. */
	(void)lxc_kill(r, NULL);
	if (l->monitorfd >= 0 && !pidfd_wait_end(l->monitorfd, END_MS)) {
		if (pidfd_signal(l->monitorfd, SIGKILL, NULL) == 0)
			(void)pidfd_wait_end(l->monitorfd, END_MS);
	}
	end = lxc_read_end(l->rundir);
	/* Without its monitor init has got what the kernel gives then. */
	*ret_status =
		end == RUN_END_KILLED ? 128 + SIGKILL : lxc_read_status(l->rundir, r->init_pid);
	return end;
}

static int lxc_console(struct run *r, int *ret_fd, struct err *e)
{
	return lxc_console_open(of(r)->uuid, ret_fd, e);
}

static int lxc_resize(struct run *r, int fd, unsigned short rows, unsigned short columns,
		      struct err *e)
{
	return lxc_console_resize(of(r)->monitorfd, fd, rows, columns, e);
}

const struct run_driver run_driver_lxc = {
	.name = "lxc",
	.start = lxc_start_machine,
	.attach = lxc_attach,
	.update = lxc_update,
	.free = lxc_free,
	.shutdown = lxc_ask,
	.kill = lxc_kill,
	.console = lxc_console,
	.resize = lxc_resize,
	.bind = lxc_bind,
	.reap = lxc_reap,
	.clean = lxc_clean,
	.note_end = lxc_note_end,
	.mount = lxc_mount,
};
