/* SPDX-License-Identifier: MIT */
#include "libimg/install.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/leftovers.h"
#include "libimg/pool.h"
#include "libimg/stage.h"
#include "libstore/store.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK ((size_t)256 << 10)

int image_check_installable(const struct jv *manifest, struct err *e)
{
	struct manifest_file file;

	return manifest_read_file(manifest, &file, e);
}

/* ---- one installation ----------------------------------------------------- */

struct install {
	const struct host *host;
	const struct install_request *req;
	const char *uuid;
	struct stage_request stage;
	int filefd;
};

static int open_file(struct install *in, struct err *e)
{
	uint64_t size = in->stage.file.size;
	struct stat st;

	/* O_NONBLOCK: a pipe that somebody put here must not hang us. */
	in->filefd = open(in->req->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (in->filefd < 0)
		return err_sys(e, "cannot open '%s'", in->req->file);
	if (fstat(in->filefd, &st) < 0)
		return err_sys(e, "cannot look at '%s'", in->req->file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is not a regular file", in->req->file);
	if ((uint64_t)st.st_size != size)
		return err_set(e, -EBADMSG,
			       "'%s' has %llu bytes, the manifest says %llu (files[0].size)",
			       in->req->file, (unsigned long long)st.st_size,
			       (unsigned long long)size);
	(void)posix_fadvise(in->filefd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static bool is_cancelled(const struct install *in)
{
	return in->req->cancel && *in->req->cancel;
}

static void wait_until_ready(const struct install *in, struct stage *s)
{
	while (!stage_is_ready(s) && !is_cancelled(in)) {
		struct pollfd fd = { .fd = stage_fd(s), .events = POLLOUT };

		(void)poll(&fd, 1, -1);
		stage_push(s);
	}
}

/* The file is read once: what is unpacked is what was hashed. */
static int pump(struct install *in, struct stage *s, struct err *e)
{
	cleanup_free char *buf = xmalloc(CHUNK);
	ssize_t n = 1;

	while (n > 0 && stage_fed(s) <= in->stage.file.size && !is_cancelled(in)) {
		n = read(in->filefd, buf, CHUNK);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot read '%s'", in->req->file);
		if (n > 0)
			stage_feed(s, buf, (size_t)n);
		if (n > 0 && in->req->progress)
			in->req->progress(in->req->data, stage_fed(s));
		n = n < 0 ? 1 : n;
		wait_until_ready(in, s);
	}
	if (is_cancelled(in))
		return err_set(e, -EINTR, "interrupted; nothing was installed");
	return stage_end(s, e);
}

static int do_install(struct install *in, struct err *e)
{
	cleanup_stage struct stage *s = NULL;
	int r = open_file(in, e);

	if (r < 0)
		return r;
	if (in->req->begin)
		in->req->begin(in->req->data, in->stage.file.size);
	r = stage_begin(&in->stage, &s, e);
	return r < 0 ? r : pump(in, s, e);
}

/* An image is made of its origin, which must be there and stay until it is. */
static int hold_origin(const struct install *in, struct err *e)
{
	const char *origin = jv_get_string(in->req->manifest, "origin");
	int fd;

	if (!origin)
		return -1;
	fd = image_lock_shared(in->host, origin, -1, e);
	if (fd < 0 || image_is_installed(in->host, origin))
		return fd;
	(void)close(fd);
	return err_set(e, -ENOENT, "origin image '%s' is not installed", origin);
}

static int install_locked(struct install *in, struct err *e)
{
	cleanup_close int origin = hold_origin(in, e);
	int r;

	if (origin < 0 && jv_get(in->req->manifest, "origin"))
		return origin;
	r = do_install(in, e);
	close_p(&in->filefd);
	return r;
}

static void fill_stage(struct install *in, struct store *s)
{
	in->stage.store = s;
	in->stage.manifest = in->req->manifest;
	in->stage.name = in->req->file;
	in->stage.max_bytes = in->req->max_bytes;
	in->stage.note = in->req->note;
	in->stage.data = in->req->data;
}

int image_install(const struct host *h, const struct install_request *req,
		  enum install_outcome *ret_outcome, struct err *e)
{
	struct install in = { .host = h,
			      .req = req,
			      .filefd = -1,
			      .uuid = jv_get_string(req->manifest, "uuid") };
	cleanup_store struct store *s = NULL;
	cleanup_close int lock = -1;
	int r;

	r = image_check_installable(req->manifest, e);
	if (r == 0)
		r = manifest_read_file(req->manifest, &in.stage.file, e);
	if (r == 0)
		r = image_pool_open(h, &s, e);
	if (r < 0)
		return r;
	image_clean_partials(h, s);
	if (image_is_installed(h, in.uuid)) {
		*ret_outcome = INSTALL_WAS_THERE;
		return 0;
	}
	lock = image_lock_patiently(h, in.uuid, req->note, req->data, e);
	if (lock < 0)
		return lock;
	if (image_is_installed(h, in.uuid)) {
		*ret_outcome = INSTALL_CAME_MEANWHILE;
		return 0;
	}
	fill_stage(&in, s);
	r = install_locked(&in, e);
	if (r == 0)
		*ret_outcome = INSTALL_DONE;
	return r;
}

int image_delete(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_store struct store *s = NULL;
	cleanup_close int lock = -1;
	cleanup_close int dir = -1;
	int r;

	r = image_pool_open(h, &s, e);
	if (r < 0)
		return r;
	image_clean_partials(h, s);
	image_clean_downloads(h);
	lock = image_lock_exclusive(h, uuid, -1, e);
	if (lock < 0)
		return lock;
	dir = store_image_dir(s, uuid, false, e);
	return dir < 0 ? dir : store_image_destroy(s, uuid, e);
}
