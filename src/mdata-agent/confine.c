/* SPDX-License-Identifier: MIT */
#include "mdata-agent/agent.h"

#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Addresses. The largest VM object as text and as values, and what clients hold. */
#define MEMORY_MAX ((rlim_t)256 << 20)

/* clang-format off */

/* Sockets that are there already, memory, time, and the end. No file can be opened. */
static const int calls[] = {
	SCMP_SYS(read),		SCMP_SYS(pread64),	SCMP_SYS(write),
	SCMP_SYS(close),	SCMP_SYS(poll),		SCMP_SYS(ppoll),
	SCMP_SYS(accept4),	SCMP_SYS(recvfrom),	SCMP_SYS(sendto),
	SCMP_SYS(recvmsg),	SCMP_SYS(sendmsg),	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),	SCMP_SYS(munmap),	SCMP_SYS(mremap),
	SCMP_SYS(madvise),	SCMP_SYS(brk),		SCMP_SYS(futex),
	SCMP_SYS(getrandom),	SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(getpid),
	SCMP_SYS(gettid),	SCMP_SYS(tgkill),	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
	SCMP_SYS(sigaltstack),	SCMP_SYS(rt_sigaction),	SCMP_SYS(sched_yield),
#endif
};

/* clang-format on */

static int allow(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	/* Memory is for data. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return r;
}

static int load_filter(struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		abort(); /* memory */
	r = allow(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_set(e, r, "cannot load the system call filter: %s", strerror(-r))
		     : 0;
}

static int limit(int what, rlim_t value, struct err *e)
{
	const struct rlimit rl = { value, value };

	return setrlimit(what, &rl) < 0 ? err_sys(e, "cannot set a resource limit") : 0;
}

static int set_limits(struct err *e)
{
	int r = limit(RLIMIT_CORE, 0, e);

	if (r == 0)
		r = limit(RLIMIT_NOFILE, 32, e);
	if (r == 0)
		r = limit(RLIMIT_NPROC, 0, e);
	if (r == 0)
		r = limit(RLIMIT_MEMLOCK, 0, e);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of addresses */
	if (r == 0)
		r = limit(RLIMIT_AS, MEMORY_MAX, e);
#endif
	return r;
}

/* A root folder that is removed already: nothing is in it, nothing can be made in it. */
static int enter_nowhere(struct err *e)
{
	if ((mkdir(".nowhere", 0) < 0 && errno != EEXIST) || chdir(".nowhere") < 0)
		return err_sys(e, "cannot make an empty folder");
	if (rmdir("../.nowhere") < 0 || chroot(".") < 0)
		return err_sys(e, "cannot make an empty folder the root");
	return 0;
}

static int drop_rights(uint32_t id, struct err *e)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(e, "cannot give up capability %d", cap);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(e, "cannot give up capabilities");
	/* From 0 to another user: the kernel takes the capabilities away with it. */
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0)
		return err_sys(e, "cannot become user %u", id);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "cannot give up gaining rights");
	return 0;
}

int confine(uint32_t id, struct err *e)
{
	int r = enter_nowhere(e);

	if (r == 0)
		r = set_limits(e);
	if (r == 0)
		r = drop_rights(id, e);
	if (r < 0)
		return r;
	/* The log is a file on the pool: from here on our supervisor says that we ended. */
	if (dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return err_sys(e, "cannot let go of the log");
	return load_filter(e);
}
