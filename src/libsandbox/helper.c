/* SPDX-License-Identifier: MIT */
#include "libsandbox/helper.h"

#include "base/alloc.h"
#include "base/log.h"
#include "libsandbox/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LOG_FILE_MAX ((uint64_t)1 << 30)

static _Noreturn void child(void (*fn)(void *, int), void *data, int outfd, const int *keep,
			    size_t count, uint64_t file_max, pid_t parent)
{
	cleanup_free int *fds = xmalloc((count + 1) * sizeof(*fds));
	struct err e = { 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	if (count)
		memcpy(fds, keep, count * sizeof(*fds));
	fds[count] = outfd;
	sandbox_keep_fds(fds, count + 1);
	if (sandbox_enter_helper(file_max, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		_exit(1);
	}
	/* Changing the user cleared it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	(void)signal(SIGPIPE, SIG_IGN); /* of a server that went away */
	(void)signal(SIGINT, SIG_IGN);  /* the caller decides */
	log_debug("process %d, without rights, does what follows", (int)getpid());
	fn(data, outfd);
	_exit(0);
}

int helper_start(void (*fn)(void *data, int outfd), void *data, const int *keep, size_t count,
		 uint64_t file_max, struct helper *ret_helper, struct err *e)
{
	pid_t parent = getpid(), pid;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	/* The limit holds for standard error as well, where that is a file. */
	if (log_has(LOG_LEVEL_DEBUG) && file_max < LOG_FILE_MAX)
		file_max = LOG_FILE_MAX;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(fn, data, ends[1], keep, count, file_max, parent);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return err_sys(e, "cannot start a process");
	}
	*ret_helper = (struct helper){ .pid = pid, .fd = ends[0] };
	return 0;
}

int helper_wait(struct helper *h, struct err *e)
{
	int status = 0;

	close_p(&h->fd);
	while (h->pid && waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
		;
	h->pid = 0;
	if (WIFSIGNALED(status))
		return err_set(e, -EIO,
			       "the process that talks to the server was ended by "
			       "signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (status != 0)
		return err_set(e, -EIO, "the process that talks to the server failed");
	return 0;
}

void helper_kill(struct helper *h)
{
	struct err ignored;

	if (h->pid) {
		(void)kill(h->pid, SIGKILL);
		if (helper_wait(h, &ignored) < 0)
			h->pid = 0; /* as was to be */
	}
	close_p(&h->fd);
}
