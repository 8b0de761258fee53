/* SPDX-License-Identifier: MIT */
/*
 * fetch.c - the helper that fills downloads, and hearing what it reports.
 */
#include "libsource/download.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "libsource/source.h"
#include "libsource/source_auth.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* How much progress, or how much time, before it is told again. */
#define REPORT_BYTES ((uint64_t)1 << 20)
#define REPORT_MS    200

enum kind { MOVED, ENDED, RETRIES };

/* Less than PIPE_BUF: whole or not at all. */
struct report {
	uint32_t kind;
	uint32_t which;
	uint64_t have;
	int32_t result;
	char etag[HTTP_ETAG_MAX];
	char text[ERR_MSG_MAX];
};

/* ---- in the helper -------------------------------------------------------- */

struct work {
	const struct sources *sources;
	const struct source *source;
	struct download **downloads;
	size_t count;
	int outfd;
	struct told {
		uint64_t have;
		int64_t when_ms;
	} * told;
};

static void send_report(const struct work *w, const struct report *r, bool must)
{
	struct pollfd fd = { .fd = w->outfd, .events = POLLOUT };

	while (write(w->outfd, r, sizeof(*r)) < 0) {
		if (errno == EAGAIN && !must)
			return;
		if (errno != EAGAIN && errno != EINTR)
			_exit(1); /* nobody listens */
		(void)poll(&fd, 1, -1);
	}
}

static struct report report_of(const struct http_job *job, enum kind kind)
{
	struct report r = { .kind = kind,
			    .which = (uint32_t)(uintptr_t)job->data,
			    .have = job->have,
			    .result = job->result };

	memcpy(r.etag, job->etag, sizeof(r.etag));
	return r;
}

static void on_progress(void *data, struct http_job *job, bool ended)
{
	struct work *w = data;
	struct report r = report_of(job, ended ? ENDED : MOVED);
	struct told *told = &w->told[r.which];
	int64_t now = clock_now_ms();

	if (!ended && (job->have == told->have || (job->have < told->have + REPORT_BYTES &&
						   now < told->when_ms + REPORT_MS)))
		return;
	*told = (struct told){ job->have, now };
	if (job->result < 0)
		(void)snprintf(r.text, sizeof(r.text), "%s", job->err.msg);
	send_report(w, &r, ended);
}

static void on_retry(void *data, struct http_job *job, const char *line)
{
	struct report r = report_of(job, RETRIES);

	(void)snprintf(r.text, sizeof(r.text), "%s", line);
	send_report(data, &r, false);
}

static void fill(void *data, int outfd)
{
	struct work *w = data;
	struct http_job *jobs = xcalloc(w->count, sizeof(*jobs));
	struct http_job **list = xcalloc(w->count, sizeof(*list));
	struct http_peer *peers = xcalloc(w->count, sizeof(*peers));
	const struct http_events events = { on_progress, on_retry, w };

	w->outfd = outfd;
	w->told = xcalloc(w->count, sizeof(*w->told));
	(void)fcntl(outfd, F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < w->count; i++) {
		const struct download *d = w->downloads[i];

		peers[i] = source_peer(w->source, d->headers);
		jobs[i] = (struct http_job){ .url = d->url,
					     .peer = &peers[i],
					     .max = d->expect.size,
					     .fd = d->fd,
					     .size = d->expect.size,
					     .have = d->have,
					     .data = (void *)(uintptr_t)i };
		memcpy(jobs[i].etag, d->etag, sizeof(jobs[i].etag));
		list[i] = &jobs[i];
	}
	http_run(list, w->count, w->sources->parallel, &w->sources->http, &events);
}

/* ---- in the caller -------------------------------------------------------- */

int fetch_start(struct fetch *f, const struct sources *sources, const struct source *source,
		struct download **downloads, size_t count, struct err *e)
{
	struct work w = {
		.sources = sources, .source = source, .downloads = downloads, .count = count
	};
	cleanup_free int *fds = xcalloc(count, sizeof(*fds));
	uint64_t max = 0;
	int r = source_auth_sign(source->auth, e);

	*f = (struct fetch){ .helper = HELPER_INIT, .downloads = downloads, .count = count };
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		fds[i] = downloads[i]->fd;
		if (downloads[i]->expect.size > max)
			max = downloads[i]->expect.size;
	}
	r = helper_start(fill, &w, fds, count, max, &f->helper, e);
	if (r == 0)
		(void)fcntl(f->helper.fd, F_SETFL, O_NONBLOCK);
	return r;
}

static void tidy(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static int at_end(struct fetch *f, struct err *e)
{
	int r = helper_wait(&f->helper, e);

	for (size_t i = 0; r == 0 && i < f->count; i++)
		if (!f->downloads[i]->ended)
			r = err_set(e, -EIO, "the process that downloads stopped early");
	return r;
}

static int take(struct fetch *f, const struct report *r, struct download **ret_which,
		void (*note)(void *, const char *), void *data, struct err *e)
{
	struct download *d;

	if (r->which >= f->count || r->kind > RETRIES)
		return err_set(e, -EPROTO, "the process that downloads sends nonsense");
	d = f->downloads[r->which];
	*ret_which = d;
	if (r->have > d->have && r->have <= d->expect.size)
		d->have = r->have;
	memcpy(d->etag, r->etag, sizeof(d->etag));
	d->etag[sizeof(d->etag) - 1] = '\0';
	if (r->kind == RETRIES && note)
		note(data, r->text);
	if (r->kind != ENDED)
		return 1;
	if (r->result < 0)
		return err_set(e, r->result > -4096 ? r->result : -EIO, "%s", r->text);
	d->ended = true;
	return 1;
}

int fetch_hear(struct fetch *f, struct download **ret_which,
	       void (*note)(void *data, const char *line), void *data, struct err *e)
{
	struct report r;
	ssize_t n = read(f->helper.fd, &r, sizeof(r));

	*ret_which = NULL;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n != (ssize_t)sizeof(r))
		return at_end(f, e);
	tidy(r.text, sizeof(r.text));
	return take(f, &r, ret_which, note, data, e);
}

void fetch_stop(struct fetch *f)
{
	helper_kill(&f->helper);
}
