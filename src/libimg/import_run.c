/* SPDX-License-Identifier: MIT */
/*
 * import_run.c - one helper fetches the files, base first, several at a time; here one
 * image after the other is staged from its file, as far as that has come.
 *
 *	helper ──writes──▶ .download/UUID ──read──▶ hash ──▶ decompressor ──▶ writer
 *	   └──reports──────────▲ how far
 */
#include "libimg/import_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libstore/store.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CHUNK       ((size_t)256 << 10)
#define TURN_CHUNKS 16 /* between two looks at the reports */
#define POLL_MS     500

struct round {
	struct import *im;
	struct fetch fetch;
	bool fetching;
	struct download *downloads[IMAGE_ORIGINS_MAX]; /* base first */
	size_t count;
	struct import_item *item; /* being staged, or next to be */
	struct stage_request request;
	struct stage *stage;
	char *chunk;
};

static const char *size_text(char text[static 32], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10;
	size_t unit = 0;

	for (; tenths >= 10240 && unit + 1 < ARRAY_SIZE(units); unit++)
		tenths /= 1024;
	(void)snprintf(text, 32, "%llu.%llu %s", (unsigned long long)tenths / 10,
		       (unsigned long long)tenths % 10, units[unit]);
	return text;
}

static bool is_cancelled(const struct import *im)
{
	return im->req->cancel && *im->req->cancel;
}

/* The ancestor of all that is not there yet but DOING, or NULL. */
static struct import_item *next_item_after(struct import *im, const struct import_item *doing)
{
	for (size_t i = im->count; i > 0; i--)
		if (!im->items[i - 1].done && &im->items[i - 1] != doing)
			return &im->items[i - 1];
	return NULL;
}

static struct import_item *next_item(struct import *im)
{
	return next_item_after(im, NULL);
}

static uint64_t bytes_here(const struct import *im)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < im->count; i++)
		sum += im->items[i].download.have;
	return sum;
}

static void tell_progress(const struct import *im)
{
	if (im->req->progress)
		im->req->progress(im->req->data, bytes_here(im));
}

/* ---- staging -------------------------------------------------------------- */

static bool can_begin(const struct download *d)
{
	return d->have >= STAGE_FIRST_MIN || d->ended;
}

/* Is there something for the stage that it can take? */
static bool can_feed(const struct round *r)
{
	const struct download *d = &r->item->download;
	uint64_t fed = stage_fed(r->stage);

	return stage_is_ready(r->stage) && fed < d->have && (fed > 0 || can_begin(d));
}

/* ROOTFD: where the stage of its origin ended; -1: nowhere yet. */
static int begin_stage(struct round *r, int rootfd, struct err *e)
{
	struct import *im = r->im;

	r->request = (struct stage_request){ .store = im->store,
					     .manifest = item_manifest(r->item),
					     .file = r->item->expect,
					     .name = r->item->download.url,
					     .source = im->source->url,
					     .max_bytes = im->req->max_bytes,
					     .note = im->req->note,
					     .data = im->req->data };
	return stage_begin_in(&r->request, rootfd, &r->stage, e);
}

/* What was hashed is what is fed: the bytes are in our memory between the two. */
static int feed(struct round *r, struct err *e)
{
	const struct download *d = &r->item->download;

	for (int i = 0; i < TURN_CHUNKS && can_feed(r); i++) {
		uint64_t at = stage_fed(r->stage), left = d->have - at;
		ssize_t n;

		n = pread(d->fd, r->chunk, left < CHUNK ? (size_t)left : CHUNK, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the download of image '%s'", d->uuid);
		if (n == 0)
			return err_set(e, -ESTALE, "the download of image '%s' became shorter",
				       d->uuid);
		stage_feed(r->stage, r->chunk, (size_t)n);
	}
	return 0;
}

static int end_stage(struct round *r, struct err *e)
{
	struct import_item *item = r->item;
	cleanup_free char *title = import_title(item_manifest(item), "@");
	struct import_item *next = next_item_after(r->im, item);
	int rootfd = -1;
	int x = next ? stage_end_into(r->stage, next->uuid, &rootfd, e)
		     : stage_end(r->stage, e);

	stage_free_p(&r->stage);
	if (x < 0) {
		bool resumed = item->download.resumed;

		/* It would be refused again. */
		download_drop(&item->download);
		return x == -EBADMSG && resumed ? -ESTALE : x;
	}
	item->done = true;
	download_drop(&item->download);
	r->im->result->installed++;
	import_say(r->im, "Imported image %s%s", item->uuid, title);
	r->item = next;
	return next ? begin_stage(r, rootfd, e) : 0;
}

static int advance(struct round *r, struct err *e)
{
	const struct download *d = &r->item->download;
	int x = 0;

	if (!r->stage && can_begin(d))
		x = begin_stage(r, -1, e);
	if (x == 0 && r->stage) {
		stage_push(r->stage);
		x = feed(r, e);
		if (x == 0)
			x = stage_check_kind(r->stage, e);
	}
	if (x == 0 && r->stage && d->ended && stage_is_ready(r->stage) &&
	    stage_fed(r->stage) == d->have)
		x = end_stage(r, e);
	return x;
}

/* ---- hearing -------------------------------------------------------------- */

static int hear(struct round *r, struct download **ret_stale, struct err *e)
{
	struct download *which = NULL;
	bool had_ended = false;
	char size[32];
	int x;

	x = fetch_hear(&r->fetch, &which, r->im->req->note, r->im->req->data, e);
	if (x == 0)
		r->fetching = false;
	/* The server's file is not the manifest's: its bytes are of no use to the next import.
	 */
	if (x == -EBADMSG && which)
		which->have = 0;
	if (x == -ESTALE)
		*ret_stale = which;
	else if (x < 0)
		(void)import_fail(r->im, "DownloadError", x);
	had_ended = which && which->ended;
	if (x > 0 && had_ended && which->have == which->expect.size)
		import_say(r->im, "Downloaded image %s (%s)", which->uuid,
			   size_text(size, which->expect.size));
	return x < 0 ? x : 0;
}

/* Is there something to do without waiting? */
static bool is_busy(const struct round *r)
{
	const struct download *d = &r->item->download;

	if (!r->stage)
		return can_begin(d);
	return can_feed(r) ||
	       (stage_is_ready(r->stage) && d->ended && stage_fed(r->stage) == d->have);
}

static int turn(struct round *r, struct download **ret_stale, struct err *e)
{
	struct pollfd fds[2] = {
		{ .fd = r->fetching ? r->fetch.helper.fd : -1, .events = POLLIN },
		{ .fd = r->stage ? stage_fd(r->stage) : -1, .events = POLLOUT },
	};
	int x = 0;

	(void)poll(fds, 2, is_busy(r) ? 0 : POLL_MS);
	if (is_cancelled(r->im))
		return err_set(e, -EINTR,
			       "interrupted; what was downloaded is kept for the next import");
	if (fds[0].revents)
		x = hear(r, ret_stale, e);
	if (x == 0)
		x = advance(r, e);
	if (x == -ESTALE && !*ret_stale)
		*ret_stale = &r->item->download;
	tell_progress(r->im);
	return x;
}

/* ---- rounds --------------------------------------------------------------- */

static int start_round(struct round *r, struct err *e)
{
	struct import *im = r->im;
	int x;

	for (size_t i = im->count; i > 0; i--)
		if (!im->items[i - 1].done)
			r->downloads[r->count++] = &im->items[i - 1].download;
	r->item = next_item(im);
	x = fetch_start(&r->fetch, im->req->sources, im->source, r->downloads, r->count, e);
	r->fetching = x == 0;
	return x;
}

/* What is empty is nothing to go on with. */
static void drop_empty(struct import *im)
{
	for (size_t i = 0; i < im->count; i++)
		if (!im->items[i].done && im->items[i].download.have == 0)
			download_drop(&im->items[i].download);
}

/* Until all is installed. -ESTALE: *RET_STALE has bytes that belong to nothing. */
static int run_round(struct import *im, struct download **ret_stale, struct err *e)
{
	struct round r = { .im = im, .fetch = { .helper = HELPER_INIT } };
	int x = start_round(&r, e);

	r.chunk = xmalloc(CHUNK);
	while (x == 0 && r.item)
		x = turn(&r, ret_stale, e);
	stage_free(r.stage);
	fetch_stop(&r.fetch);
	if (x < 0 && x != -ESTALE)
		drop_empty(im);
	free(r.chunk);
	return x;
}

static struct import_item *item_of(struct import *im, const struct download *d)
{
	for (size_t i = 0; i < im->count; i++)
		if (&im->items[i].download == d)
			return &im->items[i];
	return NULL;
}

static int open_download(struct import *im, struct import_item *item, struct err *e)
{
	const struct jv *file = jv_at(jv_get(item->image, "files"), 0);

	return download_open(im->dirfd, item->uuid, file, &item->expect, &item->download, e);
}

/* Once for each image: what a server does twice it will do again. */
static int start_over(struct import *im, struct download *stale, struct err *e)
{
	struct import_item *item = item_of(im, stale);
	char line[160];

	if (!item || item->restarted)
		return -ESTALE;
	(void)snprintf(line, sizeof(line),
		       "what was downloaded of image %s before is of no use; starting over",
		       item->uuid);
	if (im->req->note)
		im->req->note(im->req->data, line);
	download_drop(stale);
	stale->have = 0; /* nothing to keep */
	download_close(stale);
	item->restarted = true;
	return open_download(im, item, e);
}

static int open_downloads(struct import *im, struct err *e)
{
	uint64_t need = 0, total = 0, pool, avail;
	char size[32];
	size_t count = 0;
	int r = store_space(im->store, &pool, &avail, e);

	im->dirfd = r < 0 ? -1 : downloads_open(im->host, e);
	if (im->dirfd < 0)
		return r < 0 ? r : im->dirfd;
	for (size_t i = im->count; r == 0 && i > 0; i--) {
		struct import_item *item = &im->items[i - 1];

		if (item->done)
			continue;
		r = open_download(im, item, e);
		count++;
		total += item->expect.size;
		need += item->expect.size - item->download.have;
	}
	if (r < 0)
		return r;
	import_say(im, "Must download and install %zu image%s (%s)", count,
		   count == 1 ? "" : "s", size_text(size, total));
	if (need > avail) {
		drop_empty(im);
		return err_set(e, -ENOSPC, "the pool has %llu bytes free, the files have %llu",
			       (unsigned long long)avail, (unsigned long long)need);
	}
	if (im->req->begin)
		im->req->begin(im->req->data, count, total);
	tell_progress(im); /* what is here already */
	return 0;
}

static const char *code_of(int r)
{
	const char *code = stage_error_code(r);

	if (code)
		return code;
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS ? "FileSystem" : "DownloadError";
}

/* Signatures are good for some minutes, and a transfer that broke may be older than that. */
static bool may_sign_again(struct import *im, int result, uint64_t before)
{
	if (result != -EACCES || !im->source->auth || bytes_here(im) <= before)
		return false;
	im->result->code[0] = '\0';
	return true;
}

int import_run(struct import *im, struct err *e)
{
	int r = open_downloads(im, e);

	while (r == 0 && next_item(im)) {
		struct download *stale = NULL;
		uint64_t before = bytes_here(im);

		r = run_round(im, &stale, e);
		if (may_sign_again(im, r, before))
			r = 0;
		if (r == -ESTALE && stale)
			r = start_over(im, stale, e);
	}
	return r < 0 && !im->result->code[0] ? import_fail(im, code_of(r), r) : r;
}
