/* SPDX-License-Identifier: MIT */
#include "libsys/procfs.h"

#include "base/fileio.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* Files of /proc/PID are short; status has long lists on big machines. */
#define PROC_FILE_MAX 16384

/* Reads /proc/PID/FILE. A process that ended between open and read is gone as well. */
static int read_proc(pid_t pid, const char *file, char ret[static PROC_FILE_MAX], struct err *e)
{
	cleanup_close int fd = -1;
	char path[64];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0) {
		ssize_t n = read(fd, ret + len, PROC_FILE_MAX - 1 - len);

		if (n < 0)
			break;
		len += (size_t)n;
		if (n == 0 || len == PROC_FILE_MAX - 1) {
			ret[len] = '\0';
			return 0;
		}
	}
	if (errno == ENOENT || errno == ESRCH)
		return err_set(e, -ESRCH, "process %d is gone", (int)pid);
	return err_sys(e, "cannot read '%s'", path);
}

/*
 * The fields of /proc/PID/stat after the name, which may hold anything: they
 * start behind the last parenthesis. Field 3 is the state.
 */
static int read_stat(pid_t pid, char *ret_state, pid_t *ret_parent, uint64_t *ret_start,
		     struct err *e)
{
	char text[PROC_FILE_MAX];
	unsigned long long start = 0;
	const char *p;
	int parent = 0;
	int r;

	r = read_proc(pid, "stat", text, e);
	if (r < 0)
		return r;
	p = strrchr(text, ')');
	if (!p ||
	    sscanf(p + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   ret_state, &parent, &start) != 3)
		return err_set(e, -EBADMSG, "cannot understand '/proc/%d/stat'", (int)pid);
	*ret_parent = parent;
	*ret_start = start;
	return 0;
}

int procfs_start_time(pid_t pid, uint64_t *ret_ticks, struct err *e)
{
	pid_t parent;
	char state;

	return read_stat(pid, &state, &parent, ret_ticks, e);
}

int procfs_parent(pid_t pid, pid_t *ret_parent, struct err *e)
{
	uint64_t ticks;
	char state;

	return read_stat(pid, &state, ret_parent, &ticks, e);
}

bool procfs_is_alive(pid_t pid, uint64_t ticks)
{
	uint64_t start;
	pid_t parent;
	char state;

	if (pid <= 0 || read_stat(pid, &state, &parent, &start, NULL) < 0)
		return false;
	return start == ticks && state != 'Z' && state != 'X';
}

/* Copies what follows "KEY:" on its line of a status file; false when there is none. */
static bool status_field(const char *status, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);

	for (const char *p = status; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, len) == 0 && p[len] == ':') {
			(void)snprintf(ret, size, "%.*s", (int)strcspn(p + len + 1, "\n"),
				       p + len + 1);
			return true;
		}
		if (*p == '\0')
			break;
	}
	return false;
}

/* How many pid namespaces a "NSpid:" line has, and the pid in the innermost. */
static unsigned int count_levels(const char *line, long *ret_last)
{
	unsigned int levels = 0;
	char *end;

	for (;;) {
		long pid = strtol(line, &end, 10);

		if (end == line)
			return levels;
		*ret_last = pid;
		levels++;
		line = end;
	}
}

bool procfs_is_namespace_init(pid_t pid)
{
	char text[PROC_FILE_MAX];
	char line[256];
	unsigned int own;
	long last = 0;

	if (read_proc(getpid(), "status", text, NULL) < 0 ||
	    !status_field(text, "NSpid", line, sizeof(line)))
		return false;
	own = count_levels(line, &last);
	if (read_proc(pid, "status", text, NULL) < 0 ||
	    !status_field(text, "NSpid", line, sizeof(line)))
		return false;
	return count_levels(line, &last) == own + 1 && last == 1;
}

/*
 * Who is in sigwait(3) has its signals taken out of SigBlk meanwhile, and the kernel
 * shows them nowhere; it keeps them for the process all the same.
 */
static bool fetches_signals(pid_t pid)
{
	char text[PROC_FILE_MAX];

	return read_proc(pid, "syscall", text, NULL) == 0 &&
	       strtol(text, NULL, 10) == SYS_rt_sigtimedwait && *text >= '0' && *text <= '9';
}

bool procfs_awaits_signal(pid_t pid, int signo)
{
	static const char *const masks[] = { "SigBlk", "SigCgt" };
	char text[PROC_FILE_MAX];
	char field[64];

	if (read_proc(pid, "status", text, NULL) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++)
		if (status_field(text, masks[i], field, sizeof(field)) &&
		    (strtoull(field, NULL, 16) >> (signo - 1) & 1))
			return true;
	return fetches_signals(pid);
}

void procfs_name(pid_t pid, char ret[static 16])
{
	char text[PROC_FILE_MAX];

	ret[0] = '\0';
	if (read_proc(pid, "comm", text, NULL) == 0)
		(void)snprintf(ret, 16, "%.*s", (int)strcspn(text, "\n"), text);
}

int pidfd_open_process(pid_t pid, struct err *e)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return err_sys(e, "cannot watch process %d", (int)pid);
	return fd;
}

int pidfd_signal(int pidfd, int signo, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "cannot send signal %d", signo);
	return 0;
}

bool pidfd_wait_end(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	return r > 0;
}
