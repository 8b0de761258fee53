/* SPDX-License-Identifier: MIT */
#include "librun/lxc/lxc.h"

#include "base/path.h"
#include "libsys/cgroup.h"
#include "libsys/procfs.h"

#include <fcntl.h>
#include <limits.h>
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int write_profile(const char *rundir, struct err *e)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", rundir);
	(void)unlinkat(fd, "seccomp", 0);
	return path_write_new(fd, "seccomp", lxc_seccomp_text, 0600, e);
}

static int fill(struct lxc_container *c, const struct run_spec *spec, run_warn *warn,
		void *data, struct err *e)
{
	struct lxc_setter s = { .c = c, .e = e };
	char profile[PATH_MAX];

	(void)snprintf(profile, sizeof(profile), "%s/seccomp", spec->rundir);
	lxc_configure(&s, spec);
	lxc_confine(&s, spec, profile);
	lxc_limit(&s, spec, warn, data);
	return s.failed;
}

/*
 * The monitor, which liblxc detaches, becomes our child for as long as we live,
 * and is reaped the moment it ends. A zombie keeps its cgroups from being removed,
 * and who else would reap it, and when, is the host's affair. During the start
 * liblxc waits for children of its own; afterwards nobody waits for any.
 */
static void adopt_children(bool reap)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)signal(SIGCHLD, reap ? SIG_IGN : SIG_DFL);
	while (reap && waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/*
 * With newuidmap in the PATH liblxc runs it for each mapping, and it knows only
 * what /etc/subuid lists. We are root and write the mapping ourselves, which is
 * what liblxc does when it finds no such program. Nothing else of ours needs it.
 */
static bool start_plainly(struct lxc_container *c, char *const argv[])
{
	sigset_t none, ours;
	bool ok;

	/* What we ignore or block, and our umask, would become init's. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, &ours);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)umask(022);
	(void)unsetenv("PATH");
	adopt_children(false);
	ok = c->start(c, 0, argv);
	adopt_children(true);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &ours, NULL);
	return ok;
}

static int start_container(struct lxc_container *c, const struct run_spec *spec, run_warn *warn,
			   void *data, struct err *e)
{
	cleanup_free char *not_mounted = NULL;
	char why[ERR_MSG_MAX];
	bool ok;

	(void)c->want_daemonize(c, true);
	/* The monitor must not hold what the supervisor has open. */
	(void)c->want_close_all_fds(c, true);
	ok = start_plainly(c, (char *const *)spec->init_argv);
	if (!lxc_mounts_are_late(spec))
		lxc_mounts_result(spec->rundir, warn, data, &not_mounted);
	if (ok)
		return 0;
	if (not_mounted)
		return err_set(e, -EIO, "%s", not_mounted);
	lxc_first_error(spec->rundir, why, sizeof(why));
	return err_set(e, -EIO, "liblxc cannot start the machine%s%s", *why ? ": " : "", why);
}

static int find_processes(const struct run_spec *spec, struct run **ret_run, struct err *e)
{
	pid_t init = lxc_find_init(spec->uuid);
	pid_t monitor;
	int r = init > 0 ? procfs_parent(init, &monitor, e) : -ESRCH;

	if (r == -ESRCH)
		monitor = lxc_find_monitor(spec->uuid);
	else if (r < 0)
		return r;
	return lxc_run_new(spec->uuid, spec->rundir, init, monitor, ret_run, e);
}

/* What cannot be said to liblxc. Of a machine that has ended there is nothing to limit. */
static int limit_started(const struct run_spec *spec, run_warn *warn, void *data,
			 struct run **run, struct err *e)
{
	int r;

	if (run_has_ended(*run, 0))
		return 0;
	r = lxc_limit_ipc(lxc_initfd(*run), spec, warn, data, e);
	if (r == 0 || r == -ESRCH)
		return 0;
	run_free(*run);
	*run = NULL;
	return r;
}

static int start_prepared(const struct run_spec *spec, run_warn *warn, void *data,
			  struct run **ret_run, struct err *e)
{
	struct lxc_container *c = lxc_open(spec->uuid, e);
	int r;

	if (!c)
		return -EIO;
	r = fill(c, spec, warn, data, e);
	if (r == 0)
		r = lxc_plan_mounts(spec, e);
	if (r == 0)
		r = start_container(c, spec, warn, data, e);
	if (r == 0)
		r = find_processes(spec, ret_run, e);
	if (r == 0)
		lxc_mount_late(spec, *ret_run, warn, data);
	if (r == 0)
		r = limit_started(spec, warn, data, ret_run, e);
	lxc_close(c);
	return r;
}

int lxc_start_machine(const struct run_spec *spec, run_warn *warn, void *data,
		      struct run **ret_run, struct err *e)
{
	cleanup_close int held = -1;
	char group[LXC_GROUP_MAX];
	int r;

	held = cgroup_hold_parent(e);
	if (held < 0)
		return held;
	lxc_group(spec->uuid, ".zoneadmd", group);
	r = cgroup_make(LXC_GROUP_PARENT, group + sizeof(LXC_GROUP_PARENT), e);
	if (r < 0)
		return r;
	r = write_profile(spec->rundir, e);
	if (r < 0)
		return r;
	lxc_forget_last(spec->rundir);
	return start_prepared(spec, warn, data, ret_run, e);
}
