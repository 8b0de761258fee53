/* SPDX-License-Identifier: MIT */
#include "libimgfile/pack.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "libimgfile/compress.h"
#include "libsandbox/sandbox.h"
#include "libsandbox/worker.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#define PIPE_SIZE (1 << 20)
#define CHUNK     ((size_t)256 << 10)

struct ends {
	int in, out; /* of the work that is to be done; -1: none */
	const struct pack_request *req;
};

struct filtered {
	char diff_id[DIGEST_HEX_MAX];
};

static int run_archiver(void *data, void *result, struct err *e)
{
	const struct ends *ends = data;
	cleanup_close int rootfd = -1;
	int r;

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* see extract.c */
	r = sandbox_enter_reader(ends->req->rootfd, e);
	if (r < 0)
		return r;
	/* The one that was given is opened outside of the new root; this one is not. */
	rootfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the tree");
	return pack_tree(rootfd, ends->req->basefd, ends->out, result, e);
}

static int run_compressor(void *data, void *result, struct err *e)
{
	/* Before there are calls that it may not make. */
	cleanup_digest struct digest *digest = digest_new(DIGEST_SHA256);
	const struct ends *ends = data;
	struct filtered *f = result;
	int r = sandbox_enter_filter(e);

	if (r == 0)
		r = compress_stream(ends->req->compression, ends->in, ends->out, digest, e);
	digest_hex(digest, f->diff_id);
	return r;
}

static int make_pipe(int ret[2], struct err *e)
{
	if (pipe2(ret, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	(void)fcntl(ret[1], F_SETPIPE_SZ, PIPE_SIZE); /* or what we may */
	return 0;
}

static int start_archiver(const struct pack_request *req, int out, struct worker *w,
			  struct err *e)
{
	struct ends ends = { .in = -1, .out = out, .req = req };
	const int fds[] = { req->rootfd, req->basefd, out };
	const struct worker_job job = { .run = run_archiver,
					.data = &ends,
					.fds = fds,
					.fd_count = ARRAY_SIZE(fds),
					.own_ids = true };

	return worker_start(&job, w, e);
}

static int start_compressor(const struct pack_request *req, int in, int out, struct worker *w,
			    struct err *e)
{
	struct ends ends = { .in = in, .out = out, .req = req };
	const int fds[] = { in, out };
	const struct worker_job job = {
		.run = run_compressor, .data = &ends, .fds = fds, .fd_count = ARRAY_SIZE(fds)
	};

	return worker_start(&job, w, e);
}

/* Read what comes, hash it, write it. */
static int copy(const struct pack_request *req, int in, struct pack_result *ret, struct err *e)
{
	cleanup_digest struct digest *sha1 = digest_new(DIGEST_SHA1);
	cleanup_digest struct digest *sha256 = digest_new(DIGEST_SHA256);
	cleanup_free char *buf = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read(in, buf, CHUNK)) != 0) {
		int r;

		if (req->cancel && *req->cancel)
			return err_set(e, -EINTR, "interrupted; nothing was made");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the archive");
		digest_add(sha1, buf, (size_t)n);
		digest_add(sha256, buf, (size_t)n);
		r = file_write_fd(req->outfd, buf, (size_t)n);
		if (r < 0) {
			errno = -r;
			return err_sys(e, "cannot write the image's file");
		}
		ret->size += (uint64_t)n;
		if (req->progress)
			req->progress(req->data, ret->size);
	}
	digest_hex(sha1, ret->sha1);
	digest_hex(sha256, ret->sha256);
	return 0;
}

/* Whoever began it knows best why it went wrong: a broken pipe is what follows from that. */
static int collect(struct worker *archiver, struct worker *compressor, struct pack_result *ret,
		   struct err *e)
{
	struct err first = { 0 };
	struct filtered f = { 0 };
	int a = worker_wait(archiver, &ret->counts, sizeof(ret->counts), &first);
	int c = worker_wait(compressor, &f, sizeof(f), e);

	if (a < 0 && (a != -EPIPE || c == 0))
		return err_set(e, a, "%s", first.msg);
	f.diff_id[DIGEST_HEX_MAX - 1] = '\0';
	memcpy(ret->diff_id, f.diff_id[0] ? f.diff_id : ret->sha256, DIGEST_HEX_MAX);
	return c;
}

static int start_both(const struct pack_request *req, struct worker *archiver,
		      struct worker *compressor, int *ret_in, struct err *e)
{
	int tar[2] = { -1, -1 }, file[2] = { -1, -1 };
	int r = make_pipe(tar, e);

	if (r == 0)
		r = start_archiver(req, tar[1], archiver, e);
	if (r == 0 && req->compression != COMPRESSION_NONE) {
		r = make_pipe(file, e);
		if (r == 0)
			r = start_compressor(req, tar[0], file[1], compressor, e);
	}
	close_p(&tar[1]);
	close_p(&file[1]);
	*ret_in = req->compression == COMPRESSION_NONE ? take_fd(tar[0]) : take_fd(file[0]);
	close_p(&tar[0]);
	close_p(&file[0]);
	return r;
}

int pack(const struct pack_request *req, struct pack_result *ret, struct err *e)
{
	cleanup_worker struct worker archiver = WORKER_INIT, compressor = WORKER_INIT;
	cleanup_close int in = -1;
	int r;

	*ret = (struct pack_result){ 0 };
	r = start_both(req, &archiver, &compressor, &in, e);
	if (r == 0)
		r = copy(req, in, ret, e);
	return r < 0 ? r : collect(&archiver, &compressor, ret, e);
}

int pack_disk(const struct pack_request *req, struct pack_result *ret, struct err *e)
{
	cleanup_worker struct worker compressor = WORKER_INIT;
	struct worker nobody = WORKER_INIT;
	cleanup_close int in = -1;
	int file[2] = { -1, -1 }, r;

	*ret = (struct pack_result){ 0 };
	r = make_pipe(file, e);
	if (r == 0)
		r = start_compressor(req, req->rootfd, file[1], &compressor, e);
	close_p(&file[1]);
	in = file[0];
	if (r == 0)
		r = copy(req, in, ret, e);
	return r < 0 ? r : collect(&nobody, &compressor, ret, e);
}
