/* SPDX-License-Identifier: MIT */
/*
 * The processes of a transfer.
 *
 *	pump      the kernel writes a stream into a pipe, which takes a process of its own
 *	applier   follows the stream that arrives: it is in a user namespace, sees the one
 *	          tree as its "/", has no network, cannot run a program, and may call
 *	          what libsandbox/sandbox.h lists
 *
 * Both die with their parent and say at their end how it went.
 */
#include "libvm/transfer.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "libsandbox/sandbox.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct verdict {
	int32_t code;
	bool ended;
	char msg[ERR_MSG_MAX];
};

struct child {
	pid_t pid; /* 0: none */
	int verdictfd;
};

static _Noreturn void say(int fd, int code, bool ended, const struct err *e)
{
	struct verdict v = { .code = code, .ended = ended };

	(void)snprintf(v.msg, sizeof(v.msg), "%s", e->msg);
	/* At most PIPE_BUF bytes: whole or not at all. */
	_exit(write(fd, &v, sizeof(v)) == (ssize_t)sizeof(v) ? 0 : 1);
}

static int died(int status, struct err *e)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return err_set(e, -EPERM, "the stream made its reader do what it may not");
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "the stream's process was ended by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(e, -EIO, "the stream's process ended without a word");
}

static int collect(struct child *c, bool *ret_ended, struct err *e)
{
	struct verdict v;
	int status = 0;
	ssize_t n;

	if (c->pid == 0)
		return err_set(e, -ESRCH, "the stream's process has ended before");
	do
		n = read(c->verdictfd, &v, sizeof(v));
	while (n < 0 && errno == EINTR);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	close_p(&c->verdictfd);
	if (n != (ssize_t)sizeof(v))
		return died(status, e);
	/* The applier has read foreign bytes, and may be theirs. */
	v.msg[ERR_MSG_MAX - 1] = '\0';
	for (unsigned char *p = (unsigned char *)v.msg; *p; p++)
		if (iscntrl(*p))
			*p = '?';
	if (v.code < 0)
		return err_set(e, v.code > -4096 ? v.code : -EIO, "%s", v.msg);
	if (ret_ended)
		*ret_ended = v.ended;
	return 0;
}

static void child_end(struct child *c)
{
	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close_p(&c->verdictfd);
}

static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}

/* ---- pump ----------------------------------------------------------------------- */

struct pump {
	struct child child;
	int fd;
};

int pump_fd(const struct pump *p)
{
	return p->fd;
}

int pump_start(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
	       const char *base, struct pump **ret, struct err *e)
{
	cleanup_pump struct pump *p = xcalloc(1, sizeof(*p));
	int data[2], verdict[2];
	pid_t parent = getpid();

	p->fd = p->child.verdictfd = -1;
	if (pipe2(data, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	p->fd = data[0];
	(void)fcntl(data[1], F_SETPIPE_SZ, 1 << 20); /* or what we may */
	if (pipe2(verdict, O_CLOEXEC) < 0) {
		int r = err_sys(e, "cannot make a pipe");

		(void)close(data[1]);
		return r;
	}
	p->child.verdictfd = verdict[0];
	p->child.pid = fork();
	if (p->child.pid == 0) {
		struct err why = { 0 };

		die_with(parent);
		(void)close(data[0]);
		(void)signal(SIGPIPE, SIG_IGN);
		say(verdict[1], store_send_fs(s, vm, fs, snapshot, base, data[1], &why), true,
		    &why);
	}
	(void)close(data[1]);
	(void)close(verdict[1]);
	if (p->child.pid < 0) {
		p->child.pid = 0;
		return err_sys(e, "cannot start a process");
	}
	*ret = take_ptr(p);
	return 0;
}

int pump_finish(struct pump *p, struct err *e)
{
	return collect(&p->child, NULL, e);
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	close_p(&p->fd);
	child_end(&p->child);
	free(p);
}

void pump_free_p(struct pump **p)
{
	pump_free(*p);
	*p = NULL;
}

/* ---- applier -------------------------------------------------------------------- */

struct applier {
	struct child child;
	int feedfd;
	void (*sigpipe)(int); /* the caller's */
};

struct pipes {
	int feed[2], verdict[2], ready[2], go[2];
};

static void pipes_done(struct pipes *p)
{
	int *all[] = { p->feed, p->verdict, p->ready, p->go };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		close_p(&all[i][0]);
		close_p(&all[i][1]);
	}
}

static void silence(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose reports we want */
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < 3; i++)
		(void)dup2(fd, i);
#endif
}

static _Noreturn void applier_child(struct store *s, int rootfd, struct pipes *p, pid_t parent)
{
	int keep[] = { rootfd, p->feed[0], p->verdict[1], p->ready[1], p->go[0] };
	struct err e = { 0 };
	bool ended = false;
	int r;

	die_with(parent);
	silence();
	sandbox_keep_fds(keep, ARRAY_SIZE(keep));
	r = sandbox_unshare(p->ready[1], p->go[0], &e);
	if (r == 0)
		r = sandbox_enter_receiver(rootfd, &e);
	/* The one that was given is opened outside of the new root; this one is not. */
	if (r == 0) {
		rootfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = rootfd < 0 ? err_sys(&e, "cannot open the tree") : 0;
	}
	if (r == 0)
		r = store_stream_apply(s, p->feed[0], rootfd, &ended, &e);
	say(p->verdict[1], r, ended, &e);
}

static int let_go_on(struct applier *a, struct pipes *p, struct err *e)
{
	int r = sandbox_let_go_on(a->child.pid, p->ready[0], &p->go[1], e);

	if (r != -ECHILD)
		return r;
	r = collect(&a->child, NULL, e); /* it said why */
	return r < 0 ? r : err_set(e, -EIO, "the stream's process ended at once");
}

int applier_start(struct store *s, int rootfd, struct applier **ret, struct err *e)
{
	cleanup_applier struct applier *a = xcalloc(1, sizeof(*a));
	cleanup_with(
		pipes_done) struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	pid_t parent = getpid();
	int r;

	a->feedfd = a->child.verdictfd = -1;
	/* A reader that gives up must not end us. */
	a->sigpipe = signal(SIGPIPE, SIG_IGN);
	if (pipe2(p.feed, O_CLOEXEC) < 0 || pipe2(p.verdict, O_CLOEXEC) < 0 ||
	    pipe2(p.ready, O_CLOEXEC) < 0 || pipe2(p.go, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	(void)fcntl(p.feed[1], F_SETPIPE_SZ, 1 << 20); /* or what we may */
	a->child.pid = fork();
	if (a->child.pid == 0)
		applier_child(s, rootfd, &p, parent);
	if (a->child.pid < 0) {
		a->child.pid = 0;
		return err_sys(e, "cannot start a process");
	}
	a->child.verdictfd = take_fd(p.verdict[0]);
	close_p(&p.verdict[1]);
	close_p(&p.ready[1]);
	r = let_go_on(a, &p, e);
	if (r < 0)
		return r;
	a->feedfd = take_fd(p.feed[1]);
	*ret = take_ptr(a);
	return 0;
}

int applier_feed(struct applier *a, const void *data, size_t len, struct err *e)
{
	int r = file_write_fd(a->feedfd, data, len);

	if (r == 0)
		return 0;
	if (r == -EPIPE) {
		int why = collect(&a->child, NULL, e);

		if (why < 0)
			return why;
	}
	return err_set(e, r, "cannot pass on the stream: %s", strerrordesc_np(-r));
}

int applier_finish(struct applier *a, bool *ret_ended, struct err *e)
{
	close_p(&a->feedfd);
	return collect(&a->child, ret_ended, e);
}

void applier_free(struct applier *a)
{
	if (!a)
		return;
	close_p(&a->feedfd);
	child_end(&a->child);
	(void)signal(SIGPIPE, a->sigpipe);
	free(a);
}

void applier_free_p(struct applier **a)
{
	applier_free(*a);
	*a = NULL;
}
