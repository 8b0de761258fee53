/* SPDX-License-Identifier: MIT */
#include "libsandbox/worker.h"

#include "base/alloc.h"
#include "libsandbox/sandbox.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct verdict {
	int32_t code;
	char msg[ERR_MSG_MAX];
	_Alignas(max_align_t) char result[WORKER_RESULT_MAX];
};

/* The child says that it is there, its ids are mapped, it goes on. */
struct meeting {
	int ready[2], go[2];
};

static void meeting_done(struct meeting *m)
{
	close_p(&m->ready[0]);
	close_p(&m->ready[1]);
	close_p(&m->go[0]);
	close_p(&m->go[1]);
}

static void silence(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose reports we want */
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < 3; i++)
		(void)dup2(fd, i);
#endif
}

static void keep_fds(const struct worker_job *job, const struct meeting *m, int verdictfd)
{
	cleanup_free int *keep = xmalloc((job->fd_count + 3) * sizeof(*keep));
	size_t n = 0;

	for (; n < job->fd_count; n++)
		keep[n] = job->fds[n];
	keep[n++] = verdictfd;
	keep[n++] = m->ready[1];
	keep[n++] = m->go[0];
	sandbox_keep_fds(keep, n);
}

static _Noreturn void child(const struct worker_job *job, const struct meeting *m,
			    int verdictfd, pid_t parent)
{
	struct verdict v = { 0 };
	struct err e = { 0 };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN); /* the caller decides */
	if (!job->trusted) {
		silence();
		keep_fds(job, m, verdictfd);
	}
	v.code = job->own_ids ? sandbox_unshare(m->ready[1], m->go[0], &e) : 0;
	if (v.code == 0)
		v.code = job->run(job->data, v.result, &e);
	(void)snprintf(v.msg, sizeof(v.msg), "%s", e.msg);
	/* At most PIPE_BUF bytes: whole or not at all. */
	_exit(write(verdictfd, &v, sizeof(v)) == (ssize_t)sizeof(v) ? 0 : 1);
}

static int let_go_on(struct worker *w, struct meeting *m, struct err *e)
{
	int r;

	close_p(&m->ready[1]);
	r = sandbox_let_go_on(w->pid, m->ready[0], &m->go[1], e);
	if (r != -ECHILD)
		return r;
	r = worker_wait(w, NULL, 0, e); /* it said why */
	return r < 0 ? r : err_set(e, -EIO, "%s ended at once", w->who);
}

static int make_pipes(const struct worker_job *job, struct meeting *m, int verdict[2],
		      struct err *e)
{
	if (pipe2(verdict, O_CLOEXEC) < 0 ||
	    (job->own_ids && (pipe2(m->ready, O_CLOEXEC) < 0 || pipe2(m->go, O_CLOEXEC) < 0)))
		return err_sys(e, "cannot make a pipe");
	return 0;
}

int worker_start(const struct worker_job *job, struct worker *ret, struct err *e)
{
	cleanup_with(meeting_done) struct meeting m = { { -1, -1 }, { -1, -1 } };
	pid_t parent = getpid();
	int verdict[2] = { -1, -1 };
	int r = make_pipes(job, &m, verdict, e);

	if (r < 0) {
		close_p(&verdict[0]);
		close_p(&verdict[1]);
		return r;
	}
	ret->who = job->who ? job->who : "a process";
	(void)fflush(NULL);
	ret->pid = fork();
	if (ret->pid == 0)
		child(job, &m, verdict[1], parent);
	(void)close(verdict[1]);
	ret->verdictfd = verdict[0];
	if (ret->pid < 0) {
		ret->pid = 0;
		return err_sys(e, "cannot start a process");
	}
	return job->own_ids ? let_go_on(ret, &m, e) : 0;
}

static int died(const char *who, int status, struct err *e)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return err_set(e, -EPERM, "%s did what it may not, and was ended", who);
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "%s was ended by signal %d (%s)", who, WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	return err_set(e, -EIO, "%s ended without a word", who);
}

/* A terminal takes orders from what is written to it. */
static void tidy(char *msg)
{
	msg[ERR_MSG_MAX - 1] = '\0';
	for (unsigned char *p = (unsigned char *)msg; *p; p++)
		if (iscntrl(*p))
			*p = '?';
}

int worker_wait(struct worker *w, void *result, size_t size, struct err *e)
{
	struct verdict v;
	int status = 0;
	ssize_t n;

	if (w->pid == 0)
		return 0;
	do
		n = read(w->verdictfd, &v, sizeof(v));
	while (n < 0 && errno == EINTR);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	close_p(&w->verdictfd);
	w->verdictfd = -1;
	if (n != (ssize_t)sizeof(v))
		return died(w->who, status, e);
	if (result)
		memcpy(result, v.result, size < sizeof(v.result) ? size : sizeof(v.result));
	tidy(v.msg);
	return v.code < 0 ? err_set(e, v.code > -4096 ? v.code : -EIO, "%s", v.msg) : 0;
}

void worker_kill(struct worker *w)
{
	if (w->pid) {
		(void)kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		w->pid = 0;
	}
	close_p(&w->verdictfd);
	w->verdictfd = -1;
}
