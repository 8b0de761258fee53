/* SPDX-License-Identifier: MIT */
#include "libpublish/push.h"

#include "base/alloc.h"
#include "libsource/registry.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define PIECE    ((uint64_t)8 << 20) /* files larger than one go by the piece */
#define TRIES    5
#define WAIT_MS  1000U
#define BYTES    "Content-Type: application/octet-stream"
#define MANIFEST "Content-Type: application/vnd.oci.image.manifest.v1+json"

struct push {
	const struct push_request *req;
	struct registry reg;
	uint64_t offset; /* of the piece in the file, for the bar */
};

struct blob {
	const char *what; /* "layer" */
	const char *digest;
	const char *text; /* or the request's file */
	uint64_t size;
};

/* ---- requests ------------------------------------------------------------- */

static void on_progress(void *data, uint64_t done)
{
	struct push *p = data;

	p->req->progress(p->req->data, p->offset + done);
}

static bool is_passing(const struct http_send *s)
{
	return s->status == 408 || s->status == 429 || s->status >= 500;
}

/* What an answer says that is not WANT. */
static int refused(struct push *p, const struct http_send *s, const char *what, struct err *e)
{
	int r = oci_read_error(buf_str(&s->body), s->body.len, s->status, e);

	if (r == -EACCES)
		return source_fail(p->req->call, "Unauthorized", r, e, "%s: %s", what, e->msg);
	return err_wrap(e, r < 0 ? r : -EREMOTEIO, "%s", what);
}

/* -EAGAIN: may go better. */
static int ask(struct push *p, struct http_send *s, const char *type, const char *range,
	       int want, const char *what, struct err *e)
{
	int r = registry_send(&p->reg, s, type, range, e);

	if (r == -EACCES && !p->req->call->code[0])
		return source_fail(p->req->call, "Unauthorized", r, e, "%s: %s", what, e->msg);
	if (r == 0 && s->status != want) {
		r = refused(p, s, what, e);
		if (is_passing(s) || s->status == 416)
			r = -EAGAIN;
	} else if (r == -EIO || r == -ETIMEDOUT || r == -ECONNREFUSED) {
		r = -EAGAIN;
	}
	buf_done(&s->body);
	s->body = (struct buf)BUF_INIT;
	return r;
}

static void pause_before(const struct push *p, unsigned int tries)
{
	unsigned int ms = p->req->call->policy->wait_ms;
	struct timespec t;

	ms = (ms ? ms : WAIT_MS) << tries;
	t = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	(void)nanosleep(&t, NULL);
}

/* Is what the server computed what was sent? Servers that do not say computed it all the same.
 */
static int compare(struct push *p, const struct http_send *s, const char *digest,
		   const char *what, struct err *e)
{
	if (!s->digest[0] || strcmp(s->digest, digest) == 0)
		return 0;
	return source_fail(p->req->call, "UploadError", -EBADMSG, e,
			   "the registry has a %s with '%.100s', sent was '%s'", what,
			   s->digest, digest);
}

/* ---- uploads -------------------------------------------------------------- */

/* Where the upload goes on. */
static int follow(struct push *p, const struct http_send *s, char **where, struct err *e)
{
	char *next = s->location[0] ? http_resolve(s->url, s->location) : NULL;

	if (!next || (strncasecmp(next, "https://", 8) != 0 &&
		      (strncasecmp(next, "http://", 7) != 0 ||
		       strncasecmp(p->reg.base, "https://", 8) == 0))) {
		free(next);
		return err_set(e, -EPROTO,
			       "the registry says that the upload goes to '%.200s', which is "
			       "no address that is asked",
			       s->location);
	}
	free(*where);
	*where = next;
	return 0;
}

static int start_upload(struct push *p, char **where, struct err *e)
{
	cleanup_free char *url = registry_url(&p->reg, "blobs/uploads/");
	struct http_send s = { .method = "POST", .url = url, .fd = -1, .text = "" };
	int r = ask(p, &s, NULL, NULL, 202, "cannot start the upload", e);

	return r < 0 ? r : follow(p, &s, where, e);
}

/* The end of an upload: with all of the bytes, or with none when the pieces are there. */
static int put(struct push *p, const struct blob *b, const char *where, bool all, struct err *e)
{
	cleanup_free char *url =
		xasprintf("%s%cdigest=%s", where, strchr(where, '?') ? '&' : '?', b->digest);
	struct http_send s = { .method = "PUT",
			       .url = url,
			       .fd = all && !b->text ? p->req->fd : -1,
			       .size = b->size,
			       .text = all && b->text ? b->text : "",
			       .progress = b->text ? NULL : on_progress,
			       .data = p };
	int r;

	p->offset = all ? 0 : b->size;
	r = ask(p, &s, BYTES, NULL, 201, "cannot upload", e);
	/* What came is not what has this digest. */
	if (r < 0 && s.status == 400)
		return source_fail(p->req->call, "UploadError", r, e, "%s", e->msg);
	return r < 0 ? r : compare(p, &s, b->digest, b->what, e);
}

/* "0-N" of a Range. Nothing has arrived where it says nothing, or "0-0" before the first. */
static uint64_t arrived(const char *range)
{
	const char *dash = strchr(range, '-');
	uint64_t last =
		dash && isdigit((unsigned char)dash[1]) ? strtoull(dash + 1, NULL, 10) : 0;

	return last ? last + 1 : 0;
}

/* After a piece that broke: how far did it get? */
static int ask_how_far(struct push *p, char **where, uint64_t size, uint64_t *done,
		       struct err *e)
{
	struct http_send s = { .method = "GET", .url = *where, .fd = -1 };
	int r = ask(p, &s, NULL, NULL, 204, "cannot ask for the upload", e);

	if (r == 0 && s.location[0])
		r = follow(p, &s, where, e);
	if (r == 0 && arrived(s.range) > size)
		return err_set(e, -EPROTO, "the registry says it has more than was sent");
	if (r == 0)
		*done = arrived(s.range);
	return r;
}

static int patch(struct push *p, const struct blob *b, char **where, uint64_t *done,
		 struct err *e)
{
	uint64_t n = b->size - *done < PIECE ? b->size - *done : PIECE;
	cleanup_free char *range =
		xasprintf("Content-Range: %llu-%llu", (unsigned long long)*done,
			  (unsigned long long)(*done + n - 1));
	struct http_send s = { .method = "PATCH",
			       .url = *where,
			       .fd = p->req->fd,
			       .offset = *done,
			       .size = n,
			       .progress = on_progress,
			       .data = p };
	int r;

	p->offset = *done;
	r = ask(p, &s, BYTES, range, 202, "cannot upload", e);
	if (r == 0)
		r = follow(p, &s, where, e);
	if (r < 0)
		return r;
	/* A server may take less than all, but says so. */
	n = s.range[0] ? arrived(s.range) : *done + n;
	if (n <= *done || n > b->size)
		return err_set(e, -EPROTO, "the registry says it has '%s' of the upload",
			       s.range);
	*done = n;
	return 0;
}

/* Piece after piece; one that breaks goes on where the server says it is. */
static int patch_all(struct push *p, const struct blob *b, char **where, struct err *e)
{
	uint64_t done = 0;
	unsigned int tries = 0;

	while (done < b->size) {
		uint64_t before = done;
		int r = patch(p, b, where, &done, e);

		if (r == -EAGAIN && ++tries < TRIES) {
			struct err why;

			pause_before(p, tries - 1);
			r = ask_how_far(p, where, b->size, &done, &why);
			/* The server forgot it: what the piece said is the reason. */
			if (r < 0)
				return -EAGAIN;
		}
		if (r < 0)
			return r;
		if (done > before)
			tries = 0;
	}
	return 0;
}

static int upload(struct push *p, const struct blob *b, struct err *e)
{
	bool whole = b->text || b->size <= PIECE;
	cleanup_free char *where = NULL;
	int r = start_upload(p, &where, e);

	if (r == 0 && !whole)
		r = patch_all(p, b, &where, e);
	return r < 0 ? r : put(p, b, where, whole, e);
}

/* ---- what goes ------------------------------------------------------------ */

/* 1: the registry has it. */
static int is_there(struct push *p, const struct blob *b, struct err *e)
{
	cleanup_free char *path = xasprintf("blobs/%s", b->digest);
	cleanup_free char *url = registry_url(&p->reg, path);
	struct http_send s = { .method = "HEAD", .url = url, .fd = -1 };
	int r = ask(p, &s, NULL, NULL, 200, "cannot ask what is there", e);

	/* Some answer that what has another place is there. */
	if (s.status == 404 || (s.status >= 301 && s.status <= 308))
		return s.status != 404;
	return r < 0 ? r : 1;
}

static int try_blob(struct push *p, const struct blob *b, struct err *e)
{
	int r = is_there(p, b, e);

	if (r > 0 && !b->text)
		p->req->say(p->req->data, "The layer is in the registry already, skipping");
	return r != 0 ? r < 0 ? r : 0 : upload(p, b, e);
}

/* -EAGAIN is for us alone. */
static int retry(struct push *p, int (*fn)(struct push *, const struct blob *, struct err *),
		 const struct blob *b, struct err *e)
{
	int r = -EAGAIN;

	for (unsigned int i = 0; i < TRIES && r == -EAGAIN; i++) {
		if (i > 0)
			pause_before(p, i - 1);
		r = fn(p, b, e);
	}
	return r < 0 ? err_wrap(e, r == -EAGAIN ? -EIO : r, "the %s", b->what) : 0;
}

static int put_manifest(struct push *p, const struct blob *b, struct err *e)
{
	cleanup_free char *path = xasprintf("manifests/%s", p->req->tag);
	cleanup_free char *url = registry_url(&p->reg, path);
	struct http_send s = { .method = "PUT", .url = url, .fd = -1, .text = b->text };
	int r = ask(p, &s, MANIFEST, NULL, 201, "cannot put it", e);

	return r < 0 ? r : compare(p, &s, b->digest, b->what, e);
}

static int push_all(struct push *p, const char *config, const char *manifest, struct err *e)
{
	char config_digest[OCI_DIGEST_MAX], digest[OCI_DIGEST_MAX];
	const struct oci_file *file = p->req->file;
	const struct blob blobs[] = {
		{ "layer", file->digest, NULL, file->size },
		{ "configuration", config_digest, config, strlen(config) },
		{ "manifest", digest, manifest, strlen(manifest) },
	};
	cleanup_free char *line = NULL;
	int r;

	oci_digest(config, strlen(config), config_digest);
	oci_digest(manifest, strlen(manifest), digest);
	r = retry(p, try_blob, &blobs[0], e);
	if (r == 0)
		r = retry(p, try_blob, &blobs[1], e);
	if (r == 0)
		r = retry(p, put_manifest, &blobs[2], e);
	if (r < 0)
		return r;
	line = xasprintf("Pushed %s:%s (%s)", p->req->repo, p->req->tag, digest);
	p->req->say(p->req->data, line);
	return 0;
}

int push_image(const struct push_request *req, struct err *e)
{
	struct push p = { .req = req,
			  .reg = { .call = req->call,
				   .base = registry_server(req->call->source),
				   .repo = req->repo,
				   .push = true } };
	cleanup_free char *config = oci_write_config(req->manifest, req->file);
	cleanup_free char *manifest = oci_write_manifest(req->manifest, req->file, config);
	int r = push_all(&p, config, manifest, e);

	registry_done(&p.reg);
	return r;
}
