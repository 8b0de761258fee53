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
#include "libsandbox/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define WHO "the stream's process"

/* The worker's word; *RET_ENDED: the stream had its end. */
static int collect(struct worker *w, bool *ret_ended, struct err *e)
{
	unsigned char ended = 0;
	int r;

	if (w->pid == 0)
		return err_set(e, -ESRCH, WHO " has ended before");
	r = worker_wait(w, &ended, sizeof(ended), e);
	if (r == 0 && ret_ended)
		*ret_ended = ended != 0;
	return r;
}

/* ---- pump ----------------------------------------------------------------------- */

struct pump {
	struct worker worker;
	int fd;
};

/* What the child needs to know; it is a fork and may read all of it. */
struct pump_job {
	struct store *store;
	const char *vm, *snapshot, *base;
	enum store_fs fs;
	int in, out; /* of the pipe */
};

int pump_fd(const struct pump *p)
{
	return p->fd;
}

static int run_pump(void *data, void *result, struct err *e)
{
	struct pump_job *job = data;

	(void)result;
	close_p(&job->in);
	return store_send_fs(job->store, job->vm, job->fs, job->snapshot, job->base, job->out,
			     e);
}

int pump_start(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
	       const char *base, struct pump **ret, struct err *e)
{
	cleanup_pump struct pump *p = xcalloc(1, sizeof(*p));
	struct pump_job job = { s, vm, snapshot, base, fs, -1, -1 };
	const struct worker_job worker = {
		.who = WHO, .run = run_pump, .data = &job, .trusted = true
	};
	int data[2], r;

	p->worker = (struct worker)WORKER_INIT;
	p->fd = -1;
	if (pipe2(data, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	job.in = p->fd = data[0];
	job.out = data[1];
	(void)fcntl(job.out, F_SETPIPE_SZ, 1 << 20); /* or what we may */
	r = worker_start(&worker, &p->worker, e);
	(void)close(job.out);
	if (r < 0)
		return r;
	*ret = take_ptr(p);
	return 0;
}

int pump_finish(struct pump *p, struct err *e)
{
	return collect(&p->worker, NULL, e);
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	close_p(&p->fd);
	worker_kill(&p->worker);
	free(p);
}

void pump_free_p(struct pump **p)
{
	pump_free(*p);
	*p = NULL;
}

/* ---- applier -------------------------------------------------------------------- */

struct applier {
	struct worker worker;
	int feedfd;
	void (*sigpipe)(int); /* the caller's */
};

struct applier_job {
	struct store *store;
	int rootfd, infd;
};

/* RESULT: did the stream have its end? */
static int run_applier(void *data, void *result, struct err *e)
{
	const struct applier_job *job = data;
	cleanup_close int rootfd = -1;
	int r = sandbox_enter_receiver(job->rootfd, e);

	if (r < 0)
		return r;
	/* The one that was given is opened outside of the new root; this one is not. */
	rootfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the tree");
	return store_stream_apply(job->store, job->infd, rootfd, (bool *)result, e);
}

static int start_applier(struct applier_job *job, struct worker *ret, struct err *e)
{
	const int fds[] = { job->rootfd, job->infd };
	const struct worker_job worker = { .who = WHO,
					   .run = run_applier,
					   .data = job,
					   .fds = fds,
					   .fd_count = ARRAY_SIZE(fds),
					   .own_ids = true };

	return worker_start(&worker, ret, e);
}

int applier_start(struct store *s, int rootfd, struct applier **ret, struct err *e)
{
	cleanup_applier struct applier *a = xcalloc(1, sizeof(*a));
	struct applier_job job = { s, rootfd, -1 };
	int feed[2], r;

	a->worker = (struct worker)WORKER_INIT;
	a->feedfd = -1;
	/* A reader that gives up must not end us. */
	a->sigpipe = signal(SIGPIPE, SIG_IGN);
	if (pipe2(feed, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	job.infd = feed[0];
	a->feedfd = feed[1];
	(void)fcntl(a->feedfd, F_SETPIPE_SZ, 1 << 20); /* or what we may */
	r = start_applier(&job, &a->worker, e);
	(void)close(feed[0]);
	if (r < 0)
		return r;
	*ret = take_ptr(a);
	return 0;
}

int applier_feed(struct applier *a, const void *data, size_t len, struct err *e)
{
	int r = file_write_fd(a->feedfd, data, len);

	if (r == 0)
		return 0;
	if (r == -EPIPE) {
		int why = collect(&a->worker, NULL, e);

		if (why < 0)
			return why;
	}
	return err_set(e, r, "cannot pass on the stream: %s", strerrordesc_np(-r));
}

int applier_finish(struct applier *a, bool *ret_ended, struct err *e)
{
	close_p(&a->feedfd);
	return collect(&a->worker, ret_ended, e);
}

void applier_free(struct applier *a)
{
	if (!a)
		return;
	close_p(&a->feedfd);
	worker_kill(&a->worker);
	(void)signal(SIGPIPE, a->sigpipe);
	free(a);
}

void applier_free_p(struct applier **a)
{
	applier_free(*a);
	*a = NULL;
}
