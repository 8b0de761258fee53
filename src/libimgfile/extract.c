/* SPDX-License-Identifier: MIT */
#include "libimgfile/extract.h"

#include "base/alloc.h"
#include "libimgfile/compression.h"
#include "libimgfile/decompress.h"
#include "libimgfile/format.h"
#include "libsandbox/sandbox.h"
#include "libsandbox/worker.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#define PIPE_SIZE (1 << 20)

_Static_assert(sizeof(struct extract_counts) <= WORKER_RESULT_MAX, "a verdict has room for it");

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
	const struct extract_limits *limits;
};

/* ---- in the children ------------------------------------------------------ */

static int run_filter(void *data, void *result, struct err *e)
{
	const struct job *job = data;
	int r = sandbox_enter_filter(e);

	(void)result;
	return r < 0 ? r : decompress(job->c, job->infd, job->outfd, NULL, e);
}

/* The digest is made here because the decompressor is the slower of the two. */
static int run_writer(void *data, void *result, struct err *e)
{
	const struct job *job = data;
	struct extract_counts *counts = result;
	bool wanted = job->limits->digest && job->c != COMPRESSION_NONE;
	/* Before there are calls that it may not make. */
	cleanup_digest struct digest *d = wanted ? digest_new(DIGEST_SHA256) : NULL;
	cleanup_free struct image_input *in = xcalloc(1, sizeof(*in));
	cleanup_close int rootfd = -1;
	int r;

	/* Names in extended headers are UTF-8; elsewhere they are bytes and stay so. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
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

/* ---- in the caller -------------------------------------------------------- */

static int make_pipe(int ret[2], struct err *e)
{
	if (pipe2(ret, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	(void)fcntl(ret[1], F_SETPIPE_SZ, PIPE_SIZE); /* or what we may */
	return 0;
}

static int start_writer(struct job *job, struct worker *ret, struct err *e)
{
	const int fds[] = { job->infd, job->files->rootfd, job->files->basefd,
			    job->files->statefd };
	const struct worker_job writer = { .who = "the archive's reader",
					   .run = run_writer,
					   .data = job,
					   .fds = fds,
					   .fd_count = ARRAY_SIZE(fds),
					   .own_ids = true };

	return worker_start(&writer, ret, e);
}

static int start_filter(struct job *job, struct worker *ret, struct err *e)
{
	const int fds[] = { job->infd, job->outfd };
	const struct worker_job filter = { .who = "the archive's reader",
					   .run = run_filter,
					   .data = job,
					   .fds = fds,
					   .fd_count = ARRAY_SIZE(fds) };

	return worker_start(&filter, ret, e);
}

static int start(struct extract *x, const struct extract_files *files, enum compression c,
		 struct err *e)
{
	int feed[2] = { -1, -1 }, tar[2] = { -1, -1 };
	struct job filter = { .c = c, .limits = &x->limits };
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
		r = start_filter(&filter, &x->filter, e);
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
	x->filter = x->writer = (struct worker)WORKER_INIT;
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
	w = worker_wait(&x->writer, &counts, sizeof(counts), &writer_error);
	r = worker_wait(&x->filter, NULL, 0, e);
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

void extract_free(struct extract *x)
{
	if (!x)
		return;
	close_p(&x->feedfd);
	worker_kill(&x->filter);
	worker_kill(&x->writer);
	(void)signal(SIGPIPE, x->sigpipe);
	free(x);
}

void extract_free_p(struct extract **x)
{
	extract_free(*x);
	*x = NULL;
}
