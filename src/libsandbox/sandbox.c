/* SPDX-License-Identifier: MIT */
#include "libsandbox/sandbox.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Address space; xz at its highest level wants 65 MiB, zstd with a long window 128 MiB. */
#define MEMORY_MAX ((rlim_t)320 << 20)

/* clang-format off */

/* The C library's memory, time and end. */
static const int calls_base[] = {
	SCMP_SYS(read),		SCMP_SYS(write),	SCMP_SYS(close),
	SCMP_SYS(mmap),		SCMP_SYS(munmap),	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),	SCMP_SYS(madvise),	SCMP_SYS(brk),
	SCMP_SYS(futex),	SCMP_SYS(getrandom),	SCMP_SYS(clock_gettime),
	SCMP_SYS(rt_sigreturn),	SCMP_SYS(rt_sigprocmask), SCMP_SYS(exit),
	SCMP_SYS(exit_group),	SCMP_SYS(getpid),	SCMP_SYS(gettid),
	SCMP_SYS(tgkill),	SCMP_SYS(restart_syscall), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),	SCMP_SYS(lseek),	SCMP_SYS(sched_yield),
	SCMP_SYS(sigaltstack),	SCMP_SYS(rt_sigaction),
};

/* Making files, and nothing that looks at what the host runs. */
static const int calls_writer[] = {
	SCMP_SYS(openat),	SCMP_SYS(openat2),	SCMP_SYS(pwrite64),
	SCMP_SYS(mkdirat),	SCMP_SYS(unlinkat),	SCMP_SYS(symlinkat),
	SCMP_SYS(linkat),	SCMP_SYS(mknodat),	SCMP_SYS(fchown),
	SCMP_SYS(fchownat),	SCMP_SYS(fchmod),	SCMP_SYS(utimensat),
	SCMP_SYS(fsetxattr),	SCMP_SYS(ftruncate),	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),	SCMP_SYS(dup),		SCMP_SYS(fcntl),
	SCMP_SYS(getdents64),	SCMP_SYS(pread64),	SCMP_SYS(fallocate),	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),	SCMP_SYS(sync_file_range),
};

/* Reading files and their attributes, and nothing that makes or changes one. */
static const int calls_reader[] = {
	SCMP_SYS(openat),	SCMP_SYS(openat2),	SCMP_SYS(getdents64),
	SCMP_SYS(readlinkat),
	SCMP_SYS(flistxattr),	SCMP_SYS(fgetxattr),	SCMP_SYS(fcntl),
	SCMP_SYS(sysinfo), /* qsort(3) asks how much memory there is */
};

/* Besides, streams of btrfs set modes by name, and share what two files hold. */
static const int calls_stream[] = {
	SCMP_SYS(fchmodat),
	SCMP_SYS(fremovexattr),
};

/* Within its own user namespace, over files whose owners are mapped there. */
static const cap_value_t caps_writer[] = {
	CAP_CHOWN,	  /* files belong to the image's users */
	CAP_DAC_OVERRIDE, /* and may be in folders that they alone may enter */
	CAP_FOWNER,	  /* their modes and times are set after their owner */
	CAP_FSETID,	  /* setuid and setgid bits are kept */
	CAP_SETFCAP,	  /* file capabilities are kept */
};

/* Of the same: all may be read. */
static const cap_value_t caps_reader[] = {
	CAP_DAC_READ_SEARCH,
};

/* clang-format on */

static int add_calls(scmp_filter_ctx ctx, const int *calls, size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

enum kind { FILTER, READER, WRITER };

static int add_stream(scmp_filter_ctx ctx)
{
	/* Written out, because clang warns of what SCMP_A1() leaves out. */
	const struct scmp_arg_cmp clones = { .arg = 1,
					     .op = SCMP_CMP_EQ,
					     .datum_a = FICLONERANGE };
	int r = add_calls(ctx, calls_stream, ARRAY_SIZE(calls_stream));

	return r < 0 ? r
		     : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &clones);
}

static int load_filter(enum kind kind, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		abort(); /* memory */
	r = add_calls(ctx, calls_base, ARRAY_SIZE(calls_base));
	if (r == 0 && kind == READER)
		r = add_calls(ctx, calls_reader, ARRAY_SIZE(calls_reader));
	if (r == 0 && kind == WRITER)
		r = add_calls(ctx, calls_writer, ARRAY_SIZE(calls_writer));
	if (r == 0 && kind == WRITER)
		r = add_stream(ctx);
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

static int set_limits(uint64_t file_max, struct err *e)
{
	int r = limit(RLIMIT_CORE, 0, e);

	if (r == 0)
		r = limit(RLIMIT_NOFILE, 64, e);
	if (r == 0)
		r = limit(RLIMIT_FSIZE, file_max, e);
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of addresses */
	if (r == 0)
		r = limit(RLIMIT_AS, MEMORY_MAX, e);
#endif
	return r;
}

static int keep_caps(const cap_value_t *caps, int count, struct err *e)
{
	cap_t set = cap_init();
	int r = 0;

	if (!set)
		abort(); /* memory */
	if (count && (cap_set_flag(set, CAP_PERMITTED, count, caps, CAP_SET) < 0 ||
		      cap_set_flag(set, CAP_EFFECTIVE, count, caps, CAP_SET) < 0))
		r = err_sys(e, "cannot choose capabilities");
	if (r == 0 && cap_set_proc(set) < 0)
		r = err_sys(e, "cannot drop capabilities");
	(void)cap_free(set);
	return r;
}

static int lock_down(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot give up gaining rights");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "cannot hide the process's memory");
	return 0;
}

int sandbox_enter_filter(struct err *e)
{
	int r = lock_down(e);

	if (r == 0)
		r = set_limits(0, e); /* no file grows; pipes are none */
	if (r == 0)
		r = keep_caps(NULL, 0, e);
	return r < 0 ? r : load_filter(FILTER, e);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Locks and pipes whose copies we got shall end with their owners. */
void sandbox_keep_fds(int *fds, size_t count)
{
	unsigned int from = 3;

	qsort(fds, count, sizeof(*fds), by_number);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < (int)from)
			continue;
		if ((unsigned int)fds[i] > from)
			(void)syscall(SYS_close_range, from, (unsigned int)fds[i] - 1, 0);
		from = (unsigned int)fds[i] + 1;
	}
	(void)syscall(SYS_close_range, from, ~0U, 0);
}

/* Not a name service's answer: this number is what the kernel itself takes for nobody. */
#define NOBODY 65534

static int become_nobody(struct err *e)
{
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return err_sys(e, "cannot give up root's rights");
	return 0;
}

int sandbox_enter_helper(uint64_t file_max, struct err *e)
{
	int r = limit(RLIMIT_CORE, 0, e);

	if (r == 0)
		r = limit(RLIMIT_FSIZE, file_max, e);
	/* Tests of the library run as anybody; imgadm itself asks for root first. */
	if (r == 0 && geteuid() == 0)
		r = become_nobody(e);
	if (r == 0)
		r = keep_caps(NULL, 0, e);
	return r < 0 ? r : lock_down(e);
}

int sandbox_unshare(int ready_fd, int go_fd, struct err *e)
{
	char byte = 0;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return err_sys(e, "cannot make a user namespace");
	if (write(ready_fd, &byte, 1) != 1)
		return err_sys(e, "cannot report");
	if (read(go_fd, &byte, 1) != 1)
		return err_set(e, -ECANCELED, "the parent went away");
	return 0;
}

static int enter_root(int rootfd, uint64_t file_max, enum kind kind, struct err *e)
{
	int r;

	(void)umask(0);
	if (fchdir(rootfd) < 0 || chroot(".") < 0)
		return err_sys(e, "cannot make the image's folder the root");
	r = lock_down(e);
	if (r == 0)
		r = set_limits(file_max, e);
	if (r == 0)
		r = kind == READER ? keep_caps(caps_reader, (int)ARRAY_SIZE(caps_reader), e)
				   : keep_caps(caps_writer, (int)ARRAY_SIZE(caps_writer), e);
	return r < 0 ? r : load_filter(kind, e);
}

int sandbox_enter_writer(int rootfd, uint64_t file_max, struct err *e)
{
	return enter_root(rootfd, file_max, WRITER, e);
}

int sandbox_enter_reader(int rootfd, struct err *e)
{
	return enter_root(rootfd, 0, READER, e);
}

int sandbox_enter_receiver(int rootfd, struct err *e)
{
	return enter_root(rootfd, RLIM_INFINITY, WRITER, e);
}

static int write_map(pid_t child, const char *file, struct err *e)
{
	static const char map[] = "0 0 65536\n";
	char path[64];
	cleanup_close int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, sizeof(map) - 1) != (ssize_t)sizeof(map) - 1)
		return err_sys(e, "cannot write '%s'", path);
	return 0;
}

static int map_ids(pid_t child, struct err *e)
{
	int r = write_map(child, "uid_map", e);

	return r < 0 ? r : write_map(child, "gid_map", e);
}

int sandbox_let_go_on(pid_t child, int ready_fd, int *go_fd, struct err *e)
{
	char byte = 0;
	ssize_t n = read(ready_fd, &byte, 1);
	int r;

	if (n == 0)
		r = -ECHILD;
	else if (n < 0)
		r = err_sys(e, "cannot hear of a process");
	else
		r = map_ids(child, e);
	if (r == 0 && write(*go_fd, &byte, 1) != 1)
		r = err_sys(e, "cannot let a process go on");
	close_p(go_fd);
	return r;
}
