/* SPDX-License-Identifier: MIT */
/*
 * inherited.c - what this process has from who started it and would hand on to the
 * machine: a zone that somebody starts from a shell of theirs is the same as one that
 * the host starts at boot.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/log.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NO_LIMIT RLIM_INFINITY

/* As the kernel and a plain Debian have them. How much memory and how many processes there
 * are is for the cgroup to say; "max_locked_memory" comes after this. */
static const struct {
	__rlimit_resource_t resource;
	rlim_t soft, hard;
} limits[] = {
	{ RLIMIT_AS, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_CORE, 0, NO_LIMIT },
	{ RLIMIT_CPU, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_DATA, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_FSIZE, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_LOCKS, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_MEMLOCK, 8 << 20, 8 << 20 },
	{ RLIMIT_MSGQUEUE, 819200, 819200 },
	{ RLIMIT_NICE, 0, 0 },
	{ RLIMIT_NOFILE, 1024, 524288 },
	{ RLIMIT_NPROC, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_RSS, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_RTPRIO, 0, 0 },
	{ RLIMIT_RTTIME, NO_LIMIT, NO_LIMIT },
	{ RLIMIT_STACK, 8 << 20, NO_LIMIT },
};

/* On a host that may not raise a limit it is as near as it may be. */
static void set_limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit want = { .rlim_cur = soft, .rlim_max = hard };
	struct rlimit own;

	if (setrlimit(resource, &want) == 0 || getrlimit(resource, &own) < 0)
		return;
	own.rlim_cur = soft < own.rlim_max ? soft : own.rlim_max;
	if (setrlimit(resource, &own) < 0)
		log_debug("limit %d stays as it was", (int)resource);
}

static void forget_limits(void)
{
	struct rlimit first;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		set_limit(limits[i].resource, limits[i].soft, limits[i].hard);
	/* The kernel counts this one out by the size of the memory, for the first process. */
	if (prlimit(1, RLIMIT_SIGPENDING, NULL, &first) == 0)
		set_limit(RLIMIT_SIGPENDING, first.rlim_cur, first.rlim_max);
}

static void write_own(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_debug("cannot write '%s'", path);
}

/* Each of these may be refused on a host that is itself confined: it stays as it was. */
static void forget_priorities(void)
{
	struct sched_param none = { 0 };
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	(void)sched_setscheduler(0, SCHED_OTHER, &none);
	(void)setpriority(PRIO_PROCESS, 0, 0);
	(void)sched_setaffinity(0, sizeof(all), &all);
	(void)syscall(SYS_ioprio_set, 1 /* this process */, 0, 0);
	(void)syscall(SYS_set_mempolicy, 0 /* the usual */, NULL, 0);
	(void)prctl(PR_SET_TIMERSLACK, 50000);
	(void)prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	(void)personality(PER_LINUX);
	write_own("/proc/self/oom_score_adj", "0");
	write_own("/proc/self/coredump_filter", "0x33");
}

static void forget_signals(void)
{
	sigset_t none;

	for (int i = 1; i <= SIGRTMAX; i++)
		(void)signal(i, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What our own programs look at stays, and what a build with sanitizers does. */
static bool is_ours(const char *entry)
{
	size_t len = strcspn(entry, "=");

	return strncmp(entry, "DAIS_", 5) == 0 || strncmp(entry, "JOURNAL_STREAM=", 15) == 0 ||
	       (len > 11 && strncmp(entry + len - 11, "SAN_OPTIONS", 11) == 0);
}

static void forget_environment(void)
{
	size_t kept = 0;

	for (char **p = environ; p && *p; p++)
		if (is_ours(*p))
			environ[kept++] = *p;
	if (environ)
		environ[kept] = NULL;
}

int zone_forget_inherited(struct err *e)
{
	forget_limits();
	forget_priorities();
	forget_signals();
	forget_environment();
	(void)umask(022);
	return chdir("/") < 0 ? err_sys(e, "cannot go to '/'") : 0;
}
