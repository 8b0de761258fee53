/* SPDX-License-Identifier: MIT */
#include "libimgfile/extract.h"

#include "base/alloc.h"
#include "libimgfile/compression.h"
#include "libimgfile/decompress.h"
#include "libimgfile/format.h"
#include "libsandbox/sandbox.h"

#include <ctype.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PIPE_SIZE (1 << 20)

/* What each process says at its end. The message is foreign: see tidy(). */
struct verdict {
	int32_t code;
	struct extract_counts counts;
	char msg[ERR_MSG_MAX];
};

struct worker {
	pid_t pid; /* 0: none */
	int verdictfd;
};

struct extract {
	int feedfd;
	struct worker filter; /* the decompressor */
	struct worker writer;
	void (*sigpipe)(int); /* the caller's */
	struct extract_limits limits;
};

/* What one child needs to know; it is a fork and may read all of it. */
struct job {
	enum compression c;
	int infd, outfd;                   /* outfd: filter only */
	const struct extract_files *files; /* writer only */
	int readyfd, gofd;
	const struct extract_limits *limits;
};

/* ---- in the children ------------------------------------------------------ */

/* A terminal takes orders from what is written to it. */
static void silence(void)
{
#ifndef __SANITIZE_ADDRESS__ /* whose reports we want */
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < 3; i++)
		(void)dup2(fd, i);
#endif
}

static int run_filter(const struct job *job, struct err *e)
{
	int r = sandbox_enter_filter(e);

	return r < 0 ? r : decompress(job->c, job->infd, job->outfd, NULL, e);
}

/* The digest is made here because the decompressor is the slower of the two. */
static int run_writer(const struct job *job, struct extract_counts *counts, struct err *e)
{
	bool wanted = job->limits->digest && job->c != COMPRESSION_NONE;
	/* Before there are calls that it may not make. */
	cleanup_digest struct digest *d = wanted ? digest_new(DIGEST_SHA256) : NULL;
	cleanup_free struct image_input *in = xcalloc(1, sizeof(*in));
	cleanup_close int rootfd = -1;
	int r;

	/* Names in extended headers are UTF-8; elsewhere they are bytes and stay so. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	r = sandbox_unshare(job->readyfd, job->gofd, e);
	if (r == 0)
		r = sandbox_enter_writer(job->files->rootfd, job->limits->bytes, e);
	if (r < 0)
		return r;
	/* The one that was given is opened outside of the new root; this one is not. */
	rootfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the image's root");
	in->fd = job->infd;
	in->basefd = job->files->basefd;
	in->statefd = job->files->statefd;
	in->digest = d;
	r = image_write(in, rootfd, job->limits, counts, e);
	if (r == 0 && d)
		digest_hex(d, counts->digest);
	return r;
}

static _Noreturn void child(const struct job *job, int verdictfd, pid_t parent)
{
	struct verdict v = { 0 };
	struct err e = { 0 };
	bool writer = job->files;
	struct extract_files files =
		writer ? *job->files : (struct extract_files){ -1, -1, -1 };
	int keep[] = { verdictfd, job->infd,    job->outfd,   job->readyfd,
		       job->gofd, files.rootfd, files.basefd, files.statefd };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	silence();
	sandbox_keep_fds(keep, ARRAY_SIZE(keep));
	v.code = writer ? run_writer(job, &v.counts, &e) : run_filter(job, &e);
	(void)snprintf(v.msg, sizeof(v.msg), "%s", e.msg);
	/* At most PIPE_BUF bytes: whole or not at all. */
	_exit(write(verdictfd, &v, sizeof(v)) == (ssize_t)sizeof(v) ? 0 : 1);
}

/* ---- in the caller -------------------------------------------------------- */

static int make_pipe(int ret[2], struct err *e)
{
	if (pipe2(ret, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	(void)fcntl(ret[1], F_SETPIPE_SZ, PIPE_SIZE); /* or what we may */
	return 0;
}

static int spawn(const struct job *job, struct worker *ret, struct err *e)
{
	pid_t parent = getpid();
	int verdict[2];
	pid_t pid;

	if (pipe2(verdict, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child(job, verdict[1], parent);
	(void)close(verdict[1]);
	if (pid < 0) {
		(void)close(verdict[0]);
		return err_sys(e, "cannot start a process");
	}
	ret->pid = pid;
	ret->verdictfd = verdict[0];
	return 0;
}

/* The message comes from a process that read foreign bytes. */
static void tidy(char *msg)
{
	msg[ERR_MSG_MAX - 1] = '\0';
	for (unsigned char *p = (unsigned char *)msg; *p; p++)
		if (iscntrl(*p))
			*p = '?';
}

static int died(int status, struct err *e)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return err_set(e, -EPERM, "the archive made its reader do what it may not");
	if (WIFSIGNALED(status))
		return err_set(e, -EIO, "the archive's reader was ended by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(e, -EIO, "the archive's reader ended without a word");
}

/* Wait for a worker's end and take its verdict. */
static int collect(struct worker *w, struct extract_counts *counts, struct err *e)
{
	struct verdict v;
	ssize_t n;
	int status = 0;

	if (w->pid == 0)
		return 0;
	do
		n = read(w->verdictfd, &v, sizeof(v));
	while (n < 0 && errno == EINTR);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	close_p(&w->verdictfd);
	if (n != (ssize_t)sizeof(v))
		return died(status, e);
	if (counts)
		*counts = v.counts;
	tidy(v.msg);
	/* -1: what the message says, whatever code a broken child made up. */
	return v.code < 0 ? err_set(e, v.code > -4096 ? v.code : -EIO, "%s", v.msg) : 0;
}

/*
 * The writer in its own namespaces: it says that it is there, its ids are
 * mapped, it goes on. The one pipe carries its byte to us, the other ours to it.
 */
static int start_writer(struct job *job, struct worker *w, struct err *e)
{
	int ready[2] = { -1, -1 }, go[2] = { -1, -1 };
	int r;

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(go, O_CLOEXEC) < 0) {
		r = err_sys(e, "cannot make a pipe");
		goto out;
	}
	job->readyfd = ready[1];
	job->gofd = go[0];
	r = spawn(job, w, e);
	close_p(&ready[1]);
	if (r < 0)
		goto out;
	r = sandbox_let_go_on(w->pid, ready[0], &go[1], e);
	if (r == -ECHILD) {
		r = collect(w, NULL, e); /* it said why */
		if (r == 0)
			r = err_set(e, -EIO, "a process ended at once");
	}
out:
	close_p(&ready[0]);
	close_p(&ready[1]);
	close_p(&go[0]);
	close_p(&go[1]);
	return r;
}

static int start(struct extract *x, const struct extract_files *files, enum compression c,
		 struct err *e)
{
	int feed[2] = { -1, -1 }, tar[2] = { -1, -1 };
	struct job filter = { .c = c, .readyfd = -1, .gofd = -1, .limits = &x->limits };
	struct job writer = { .c = c, .files = files, .outfd = -1, .limits = &x->limits };
	int r = make_pipe(feed, e);

	if (r == 0 && c != COMPRESSION_NONE)
		r = make_pipe(tar, e);
	if (r < 0)
		goto out;
	writer.infd = c == COMPRESSION_NONE ? feed[0] : tar[0];
	r = start_writer(&writer, &x->writer, e);
	if (r == 0 && c != COMPRESSION_NONE) {
		filter.infd = feed[0];
		filter.outfd = tar[1];
		r = spawn(&filter, &x->filter, e);
	}
	if (r == 0) {
		x->feedfd = feed[1];
		feed[1] = -1;
		(void)fcntl(x->feedfd, F_SETFL, O_NONBLOCK);
	}
out:
	close_p(&feed[0]);
	close_p(&feed[1]);
	close_p(&tar[0]);
	close_p(&tar[1]);
	return r;
}

int extract_begin(const struct extract_files *files, const void *head, size_t len,
		  const struct extract_limits *limits, struct extract **ret_extract,
		  struct err *e)
{
	struct extract *x = xcalloc(1, sizeof(*x));
	int r;

	x->feedfd = -1;
	x->filter.verdictfd = -1;
	x->writer.verdictfd = -1;
	x->limits = *limits;
	/* A reader that gives up must not end us. */
	x->sigpipe = signal(SIGPIPE, SIG_IGN);
	r = start(x, files, compression_sniff(head, len), e);
	if (r < 0)
		extract_free(x);
	else
		*ret_extract = x;
	return r;
}

int extract_finish(struct extract *x, struct extract_counts *ret_counts, struct err *e)
{
	struct extract_counts counts = { 0 };
	struct err writer_error = { 0 };
	int r, w;

	close_p(&x->feedfd);
	/* The writer first: when it gave up, the filter's broken pipe is no news. */
	w = collect(&x->writer, &counts, &writer_error);
	r = collect(&x->filter, NULL, e);
	if (w < 0 && (r == 0 || r == -EPIPE))
		return err_set(e, w, "%s", writer_error.msg);
	if (r < 0)
		return r;
	counts.digest[DIGEST_HEX_MAX - 1] = '\0'; /* a word of who read foreign bytes */
	*ret_counts = counts;
	return 0;
}

int extract_feed(struct extract *x, const void *data, size_t len, size_t *ret_taken,
		 struct err *e)
{
	struct extract_counts counts;
	ssize_t n;
	int r;

	do
		n = write(x->feedfd, data, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || errno == EAGAIN) {
		*ret_taken = n < 0 ? 0 : (size_t)n;
		return 0;
	}
	if (errno != EPIPE)
		return err_sys(e, "cannot hand the archive on");
	r = extract_finish(x, &counts, e);
	return r < 0 ? r : err_set(e, -EIO, "the archive's reader stopped early");
}

int extract_feedfd(const struct extract *x)
{
	return x->feedfd;
}

static void end(struct worker *w)
{
	if (w->pid) {
		(void)kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
		w->pid = 0;
	}
	close_p(&w->verdictfd);
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	close_p(&x->feedfd);
	end(&x->filter);
	end(&x->writer);
	(void)signal(SIGPIPE, x->sigpipe);
	free(x);
}

void extract_free_p(struct extract **x)
{
	extract_free(*x);
	*x = NULL;
}
