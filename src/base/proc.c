/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define OUTPUT_MAX    ((size_t)64 << 10)
#define FIRST_HIGH_FD 10

extern char **environ;

/* A child starts with no signal blocked or ignored, whatever our event loop did. */
static void attr_init(posix_spawnattr_t *attr, short more)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	(void)posix_spawnattr_init(attr);
	(void)posix_spawnattr_setsigmask(attr, &none);
	(void)posix_spawnattr_setsigdefault(attr, &all);
	(void)posix_spawnattr_setflags(
		attr, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more));
}

/*
 * FDS become 0, 1, 2, ... of the child and the rest is closed. They are all
 * above the numbers that they become, so that no dup2() overwrites another.
 */
static int spawn(const char *const argv[], const int *fds, int count, short flags,
		 pid_t *ret_pid, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r = posix_spawn_file_actions_init(&actions);

	for (int i = 0; r == 0 && i < count; i++)
		r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&actions, count);
	if (r == 0) {
		attr_init(&attr, flags);
		r = posix_spawnp(ret_pid, argv[0], &actions, &attr, (char *const *)argv,
				 environ);
		(void)posix_spawnattr_destroy(&attr);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0) {
		errno = r;
		return err_sys(e, "cannot run '%s'", argv[0]);
	}
	return 0;
}

static int dup_high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_HIGH_FD);
}

static int open_null(void)
{
	cleanup_close int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? fd : dup_high(fd);
}

/* Both ends above the standard numbers; ours does not block. */
static int make_pipe(int *ret_read, int *ret_write)
{
	cleanup_close int rd = -1;
	cleanup_close int wr = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	rd = ends[0];
	wr = ends[1];
	*ret_read = dup_high(rd);
	*ret_write = dup_high(wr);
	if (*ret_read < 0 || *ret_write < 0)
		return -1;
	return fcntl(*ret_read, F_SETFL, O_NONBLOCK);
}

/* False at the end. What is over the limit is read and dropped: the child must not block. */
static bool drain(int fd, struct buf *keep, bool keep_tail)
{
	char part[4096];

	for (;;) {
		ssize_t n = read(fd, part, sizeof(part));
		size_t room;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		if (keep_tail && keep->len + (size_t)n > OUTPUT_MAX)
			buf_reset(keep);
		room = OUTPUT_MAX - keep->len;
		buf_add(keep, part, (size_t)n < room ? (size_t)n : room);
	}
}

/* Until the child has ended: what it left running may hold the pipes for ever. */
static int collect(int pidfd, int out, int err, struct buf *out_buf, struct buf *err_buf)
{
	struct pollfd p[] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = err, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (p[0].fd >= 0 && (p[0].revents || p[2].revents) &&
		    !drain(out, out_buf, false))
			p[0].fd = -1;
		if (p[1].fd >= 0 && (p[1].revents || p[2].revents) &&
		    !drain(err, err_buf, true))
			p[1].fd = -1;
		if (p[2].revents)
			return 0;
	}
}

/* Cuts TEXT to its last line that is not blank. */
static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *line;

	while (len > 0 && strchr("\r\n\t ", text[len - 1]))
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static int judge(const char *name, int status, struct buf *said, struct err *e)
{
	const char *why = said->data ? last_line(said->data) : "";

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "'%s' was killed by signal %d%s%s", name,
			       WTERMSIG(status), *why ? ": " : "", why);
	return err_set(e, -EIO, "'%s' failed with status %d%s%s", name, WEXITSTATUS(status),
		       *why ? ": " : "", why);
}

static int await(const char *name, pid_t pid, int out, int err, struct buf *out_buf,
		 struct err *e)
{
	cleanup_buf struct buf said = BUF_INIT;
	cleanup_close int pidfd = pidfd_open(pid, 0);
	int status = 0;
	int r = pidfd < 0 ? -errno : collect(pidfd, out, err, out_buf, &said);

	/* Whatever happened to the pipes, no zombie is left. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "cannot wait for '%s'", name);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot read what '%s' says", name);
	}
	return judge(name, status, &said, e);
}

int proc_run(const char *const argv[], struct buf *out, struct err *e)
{
	cleanup_buf struct buf unused = BUF_INIT;
	cleanup_close int null = open_null();
	cleanup_close int out_read = -1;
	cleanup_close int out_write = -1;
	cleanup_close int err_read = -1;
	cleanup_close int err_write = -1;
	pid_t pid;
	int r;

	if (null < 0 || make_pipe(&out_read, &out_write) < 0 ||
	    make_pipe(&err_read, &err_write) < 0)
		return err_sys(e, "cannot make the pipes for '%s'", argv[0]);

	r = spawn(argv, (int[]){ null, out_write, err_write }, 3, 0, &pid, e);
	if (r < 0)
		return r;
	close_p(&out_write);
	close_p(&err_write);
	return await(argv[0], pid, out_read, err_read, out ? out : &unused, e);
}

int proc_spawn_daemon(const char *const argv[], int log_fd, int keep_fd, pid_t *ret_pid,
		      struct err *e)
{
	cleanup_close int null = open_null();
	cleanup_close int log = log_fd < 0 ? open_null() : dup_high(log_fd);
	cleanup_close int keep = keep_fd < 0 ? -1 : dup_high(keep_fd);
	int fds[] = { null, null, log, keep };

	if (null < 0 || log < 0 || (keep_fd >= 0 && keep < 0))
		return err_sys(e, "cannot prepare the descriptors of '%s'", argv[0]);
	return spawn(argv, fds, keep_fd < 0 ? 3 : 4, POSIX_SPAWN_SETSID, ret_pid, e);
}
