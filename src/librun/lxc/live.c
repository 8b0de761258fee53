/* SPDX-License-Identifier: MIT */
/*
 * live.c - what of a machine is changed while it runs, beside its cgroup: what
 * belongs to its namespaces.
 */
#include "librun/lxc/lxc.h"

#include "base/macro.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's own limits of a namespace, for where there is to be none. */
#define SHMALL_USUAL (UINT64_MAX - (1UL << 24))
#define SHMMNI_USUAL 4096
#define IDS_USUAL    32000
/* More than this the kernel does not take, unless it was booted to. */
#define IDS_MOST 32768

/* ---- System V -------------------------------------------------------------------- */

static int write_plainly(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Since Linux 6.9 these are for the namespace's root alone, who is OWNER here. */
static int write_sysctl(const char *path, const char *text, uid_t owner)
{
	int r = write_plainly(path, text);

	if (r != -EACCES && r != -EPERM)
		return r;
	if (seteuid(owner) < 0)
		return -errno;
	r = write_plainly(path, text);
	return seteuid(0) < 0 ? -errno : r;
}

static unsigned int ids(uint32_t wanted, unsigned int usual)
{
	return wanted == 0 ? usual : wanted > IDS_MOST ? IDS_MOST : wanted;
}

/* "SEMMSL SEMMNS SEMOPM SEMMNI": sets are the last; the first three stay. */
static int read_sem(char *ret, size_t size, unsigned int sets)
{
	FILE *f = fopen("/proc/sys/kernel/sem", "re");
	unsigned int a, b, c;
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%u %u %u", &a, &b, &c);
	(void)fclose(f);
	if (n != 3)
		return -EIO;
	(void)snprintf(ret, size, "%u %u %u %u", a, b, c, sets);
	return 0;
}

/* In the machine's namespace. */
static void write_ipc(const struct run_spec *spec, run_warn *warn, void *data)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t pages = spec->shm_bytes ? spec->shm_bytes / page : SHMALL_USUAL;
	struct {
		const char *property, *path;
		char value[64];
	} items[] = {
		{ "max_shm_memory", "/proc/sys/kernel/shmall", "" },
		{ "max_shm_ids", "/proc/sys/kernel/shmmni", "" },
		{ "max_msg_ids", "/proc/sys/kernel/msgmni", "" },
		{ "max_sem_ids", "/proc/sys/kernel/sem", "" },
	};

	(void)snprintf(items[0].value, sizeof(items[0].value), "%" PRIu64, pages);
	(void)snprintf(items[1].value, sizeof(items[1].value), "%u",
		       ids(spec->shm_ids, SHMMNI_USUAL));
	(void)snprintf(items[2].value, sizeof(items[2].value), "%u",
		       ids(spec->msg_ids, IDS_USUAL));
	(void)read_sem(items[3].value, sizeof(items[3].value), ids(spec->sem_ids, IDS_USUAL));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		int r = write_sysctl(items[i].path, items[i].value, spec->id_base);
		char why[160];

		if (r == 0)
			continue;
		(void)snprintf(why, sizeof(why), "not in force: cannot write '%s' to '%s': %s",
			       items[i].value, items[i].path, strerror(-r));
		warn(data, items[i].property, why);
	}
}

/* The files show the namespace of who opens them. */
int lxc_limit_ipc(int initfd, const struct run_spec *spec, run_warn *warn, void *data,
		  struct err *e)
{
	cleanup_close int own = open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return err_sys(e, "cannot open '/proc/self/ns/ipc'");
	if (setns(initfd, CLONE_NEWIPC) < 0)
		return errno == ESRCH ? err_set(e, -ESRCH, "init has ended")
				      : err_sys(e, "cannot enter the machine's ipc namespace");
	write_ipc(spec, warn, data);
	if (setns(own, CLONE_NEWIPC) < 0)
		return err_sys(e, "cannot leave the machine's ipc namespace");
	return 0;
}

/* ---- the size of /tmp -------------------------------------------------------------- */

/*
 * Runs in a child, with the rights that the machine's root has: whatever the guest
 * put at /tmp, no file system of the host can be changed by these calls.
 */
static int resize_inside(int initfd, const char *size)
{
	cleanup_close int fd = -1, fs = -1;
	struct statfs st;

	if (setns(initfd, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	fd = open("/tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &st) < 0)
		return errno;
	if (st.f_type != TMPFS_MAGIC)
		return ENOTDIR;
	fs = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	if (fs < 0)
		return ENOTDIR;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return errno;
	return 0;
}

/* An errno, by a pipe: whether the status of a child can be had depends on who started us. */
static int resize_tmp(int initfd, uint64_t bytes, struct err *e)
{
	cleanup_close int in = -1, out = -1;
	int fds[2], result = EIO;
	char size[32];
	pid_t pid;

	(void)snprintf(size, sizeof(size), "%" PRIu64, bytes);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	in = fds[0];
	out = fds[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "cannot make a process");
	if (pid == 0) {
		result = resize_inside(initfd, size);
		_exit(write(out, &result, sizeof(result)) != sizeof(result));
	}
	close_p(&out);
	if (read(in, &result, sizeof(result)) != sizeof(result))
		result = EIO;
	(void)waitpid(pid, NULL, 0);
	return result;
}

/* With no size at the start or now there is nothing to change before the next one. */
static int update_tmp(int initfd, const struct run_spec *spec, run_warn *warn, void *data,
		      struct err *e)
{
	char why[128];
	int r;

	if (spec->tmpfs_bytes == 0)
		return 0;
	r = resize_tmp(initfd, spec->tmpfs_bytes, e);
	if (r <= 0)
		return r;
	if (r == EINVAL)
		(void)snprintf(why, sizeof(why),
			       "not in force before the next start: /tmp holds more than that");
	else
		(void)snprintf(why, sizeof(why), "not in force before the next start: %s",
			       r == ENOTDIR ? "/tmp is in no memory of its own" : strerror(r));
	warn(data, "tmpfs", why);
	return 0;
}

int lxc_update(struct run *r, const struct run_spec *spec, run_warn *warn, void *data,
	       struct err *e)
{
	int ret = lxc_limit_live(spec, warn, data, e);

	if (ret == 0)
		ret = lxc_limit_ipc(lxc_initfd(r), spec, warn, data, e);
	if (ret == 0)
		ret = update_tmp(lxc_initfd(r), spec, warn, data, e);
	return ret;
}
