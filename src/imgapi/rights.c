/* SPDX-License-Identifier: MIT */
/*
 * rights.c - what a server of files does not need, it does not have.
 *
 * The list of system calls is of those that are refused: TLS and the HTTP library choose
 * theirs by version and processor. What matters is that there is no program to run, no
 * other process to touch, no connection to make, and no name outside of the folder.
 */
#include "imgapi/imgapi.h"

#include <grp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534 /* what the kernel itself takes for nobody */

/* Names change where images may come and go, and only below the folder. */
static bool is_for_writing(int call)
{
	return call == SCMP_SYS(unlinkat) || call == SCMP_SYS(renameat2);
}

static int refuse_calls(bool writes, struct err *e)
{
	static const int calls[] = {
		SCMP_SYS(execve),      SCMP_SYS(execveat),
		SCMP_SYS(fork),        SCMP_SYS(vfork),
		SCMP_SYS(ptrace),      SCMP_SYS(process_vm_readv),
		SCMP_SYS(kill),        SCMP_SYS(process_vm_writev),
		SCMP_SYS(socket),      SCMP_SYS(connect),
		SCMP_SYS(bind),        SCMP_SYS(listen),
		SCMP_SYS(mount),       SCMP_SYS(umount2),
		SCMP_SYS(unshare),     SCMP_SYS(setns),
		SCMP_SYS(bpf),         SCMP_SYS(perf_event_open),
		SCMP_SYS(keyctl),      SCMP_SYS(add_key),
		SCMP_SYS(unlinkat),    SCMP_SYS(renameat2),
		SCMP_SYS(linkat),      SCMP_SYS(symlinkat),
		SCMP_SYS(mkdirat),     SCMP_SYS(mknodat),
		SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = 0;

	if (!ctx)
		abort(); /* memory */
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
		if (!writes || !is_for_writing(calls[i]))
			r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? err_set(e, r, "cannot load the system call filter: %s", strerror(-r))
		     : 0;
}

static int become(uid_t uid, gid_t gid, int rootfd, struct err *e)
{
	if (fchdir(rootfd) < 0 || chroot(".") < 0)
		return err_sys(e, "cannot make the folder of images the root");
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return err_sys(e, "cannot give up root's rights");
	return 0;
}

/* Who may write is whose the folder is: there is no other way for files to come. */
static int become_owner(int rootfd, struct err *e)
{
	struct stat st;

	if (fstat(rootfd, &st) < 0)
		return err_sys(e, "cannot look at the folder of images");
	if (st.st_uid == 0)
		return err_set(e, -EPERM,
			       "with --writers the server runs as whoever owns the folder of "
			       "images, and root must not: 'chown nobody' it");
	return become(st.st_uid, st.st_gid, rootfd, e);
}

int rights_drop(int rootfd, bool writes, struct err *e)
{
	const struct rlimit none = { 0, 0 };
	int r = 0;

	if (geteuid() == 0)
		r = writes ? become_owner(rootfd, e) : become(NOBODY, NOBODY, rootfd, e);
	if (r < 0)
		return r;
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return err_sys(e, "cannot turn off core dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot give up gaining rights");
	return refuse_calls(writes, e);
}
