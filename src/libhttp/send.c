/* SPDX-License-Identifier: MIT */
#include "libhttp/send.h"

#include "libhttp/transfer.h"

#include <string.h>

#define ANSWER_MAX ((uint64_t)1 << 20)
#define CONNECT_S  15
#define STALL_S    30

#define SET(easy, option, value)                                       \
	do {                                                           \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK) \
			abort();                                       \
	} while (0)

static size_t on_read(char *buf, size_t size, size_t count, void *data)
{
	struct http_send *s = data;
	size_t room = size * count;
	ssize_t n;

	if (s->fd < 0) {
		size_t left = strlen(s->text) - (size_t)s->sent;

		n = (ssize_t)(left < room ? left : room);
		memcpy(buf, s->text + s->sent, (size_t)n);
	} else {
		uint64_t left = s->size > s->sent ? s->size - s->sent : 0;

		n = pread(s->fd, buf, left < room ? (size_t)left : room,
			  (off_t)(s->offset + s->sent));
	}
	if (n < 0)
		return CURL_READFUNC_ABORT;
	s->sent += (uint64_t)n;
	if (s->progress)
		s->progress(s->data, s->sent);
	return (size_t)n;
}

static void set_body(struct http_send *s, CURL *easy)
{
	curl_off_t size =
		s->fd >= 0 ? (curl_off_t)s->size : (curl_off_t)(s->text ? strlen(s->text) : 0);

	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_ACCEPT_ENCODING, NULL);
	SET(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	if (s->fd >= 0 || s->text) {
		SET(easy, CURLOPT_UPLOAD, 1L);
		SET(easy, CURLOPT_READFUNCTION, on_read);
		SET(easy, CURLOPT_READDATA, s);
		SET(easy, CURLOPT_INFILESIZE_LARGE, size);
	}
	/* The head of a HEAD's answer may name the size of a body that does not come. */
	if (strcmp(s->method, "HEAD") == 0)
		SET(easy, CURLOPT_NOBODY, 1L);
	SET(easy, CURLOPT_CUSTOMREQUEST, s->method);
}

int http_send(struct http_send *s, const struct http_policy *policy, struct err *e)
{
	struct http_job job = { .url = s->url,
				.peer = s->peer,
				.fd = -1,
				.size = HTTP_SIZE_ANY,
				.max = ANSWER_MAX };
	struct http_policy patience = *policy;
	struct http_transfer t = { .job = &job, .policy = &patience };
	CURLcode code;
	int r;

	if (!patience.connect_s)
		patience.connect_s = CONNECT_S;
	s->sent = 0;
	r = transfer_prepare(&t, e);
	if (r == 0) {
		set_body(s, t.easy);
		code = curl_easy_perform(t.easy);
		/* An answer that names a passing trouble is an answer here. */
		if (transfer_conclude(&t, code) && code != CURLE_OK)
			r = err_set(e, t.why.code ? t.why.code : -EIO, "%s", t.why.msg);
		else if (job.result < 0)
			r = err_set(e, job.result, "%s", job.err.msg);
	}
	s->status = job.status;
	s->body = job.body;
	job.body = (struct buf)BUF_INIT;
	memcpy(s->auth, job.auth, sizeof(s->auth));
	memcpy(s->location, job.location, sizeof(s->location));
	memcpy(s->range, job.range, sizeof(s->range));
	memcpy(s->digest, job.digest, sizeof(s->digest));
	if (t.easy)
		curl_easy_cleanup(t.easy);
	curl_slist_free_all(t.headers);
	return r;
}
