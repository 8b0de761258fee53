/* SPDX-License-Identifier: MIT */
#include "libhttp/transfer.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define REDIRECTS_MAX  5L
#define ERROR_BODY_MAX ((size_t)64 << 10) /* of an answer that is no file */

/* ---- the answer's head ---------------------------------------------------- */

/* The value of header NAME in LINE, to TO. Longer values are of no use and left out. */
static bool take_header(const char *line, size_t len, const char *name, char *to, size_t size)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (len > n &&
	       (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
		len--;
	if (len - n >= size || memchr(line + n, '\0', len - n))
		return true;
	memcpy(to, line + n, len - n);
	to[len - n] = '\0';
	return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct http_transfer *t = data;
	struct http_job *job = t->job;
	size_t len = size * count;

	/* A redirect's head is followed by another. */
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
		t->etag[0] = t->range[0] = '\0';
		job->type[0] = job->link[0] = job->auth[0] = '\0';
		job->location[0] = job->range[0] = job->digest[0] = '\0';
		return len;
	}
	(void)(take_header(line, len, "ETag", t->etag, sizeof(t->etag)) ||
	       take_header(line, len, "Content-Range", t->range, sizeof(t->range)) ||
	       take_header(line, len, "Content-Type", job->type, sizeof(job->type)) ||
	       take_header(line, len, "Link", job->link, sizeof(job->link)) ||
	       take_header(line, len, "WWW-Authenticate", job->auth, sizeof(job->auth)) ||
	       take_header(line, len, "Location", job->location, sizeof(job->location)) ||
	       take_header(line, len, "Range", job->range, sizeof(job->range)) ||
	       take_header(line, len, "Docker-Content-Digest", job->digest,
			   sizeof(job->digest)));
	return len;
}

/* ---- the body ------------------------------------------------------------- */

static int refuse(struct http_transfer *t, int code, bool again, const char *text)
{
	t->again = again;
	t->refused = err_set(&t->why, code, "'%s': %s", t->job->url, text);
	return t->refused;
}

static int wrong_size(struct http_transfer *t, uint64_t size)
{
	t->again = false;
	t->refused = err_set(&t->why, -EBADMSG, "'%s' has %llu bytes, not %llu", t->job->url,
			     (unsigned long long)size, (unsigned long long)t->job->size);
	return t->refused;
}

/* 206: is it the part that was asked for? */
static int check_part(struct http_transfer *t)
{
	struct http_job *job = t->job;
	uint64_t first, last, total;

	if (!http_parse_content_range(t->range, &first, &last, &total) || first != job->have) {
		t->without_range = true;
		return refuse(t, -EIO, true,
			      "the server sent another part than it was asked for");
	}
	if (job->size != HTTP_SIZE_ANY && total != HTTP_SIZE_ANY && total != job->size)
		return wrong_size(t, total);
	return 0;
}

/* 200: all of it, of which we may have a part. */
static int check_whole(struct http_transfer *t)
{
	struct http_job *job = t->job;
	curl_off_t length = -1;

	(void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length >= 0 && job->size != HTTP_SIZE_ANY && (uint64_t)length != job->size)
		return wrong_size(t, (uint64_t)length);
	if (job->have > 0 && job->etag[0] && strcmp(job->etag, t->etag) != 0)
		return refuse(t, -ESTALE, false, "the file changed on the server");
	/* Appending what was sent from its start would be the classic mistake. */
	t->skip = job->have;
	return 0;
}

static int look_at_head(struct http_transfer *t)
{
	struct http_job *job = t->job;
	long status = 0;
	int r = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	job->status = (int)status;
	t->head_seen = true;
	if (job->fd < 0)
		return 0;
	if (status == 206)
		r = check_part(t);
	else if (status == 200)
		r = check_whole(t);
	if (r == 0 && (status == 200 || status == 206))
		memcpy(job->etag, t->etag, sizeof(job->etag));
	return r;
}

static int store_part(struct http_transfer *t, const char *data, size_t len)
{
	struct http_job *job = t->job;

	if (t->skip > 0) {
		size_t n = t->skip < len ? (size_t)t->skip : len;

		t->skip -= n;
		data += n;
		len -= n;
	}
	if (len > job->max - job->have ||
	    (job->size != HTTP_SIZE_ANY && len > job->size - job->have))
		return refuse(t, -EBADMSG, false, "the server sends more than the file's size");
	while (len > 0) {
		ssize_t n = pwrite(job->fd, data, len, (off_t)job->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->refused = err_sys(&t->why, "cannot write what '%s' sends", job->url);
			return t->refused;
		}
		data += n;
		len -= (size_t)n;
		job->have += (uint64_t)n;
	}
	/* From a server that is fast curl takes all there is before it is back. */
	if (t->events && t->events->progress)
		t->events->progress(t->events->data, job, false);
	return 0;
}

static int keep_in_memory(struct http_transfer *t, const char *data, size_t len)
{
	struct http_job *job = t->job;
	uint64_t max = job->fd < 0 ? job->max : ERROR_BODY_MAX;

	if (len > max - job->body.len) {
		if (job->fd >= 0)
			return 0; /* the words beside an error */
		return refuse(t, -EFBIG, false, "the answer is too large");
	}
	buf_add(&job->body, data, len);
	return 0;
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct http_transfer *t = arg;
	size_t len = size * count;
	int r = t->head_seen ? 0 : look_at_head(t);

	if (r == 0) {
		bool is_file =
			t->job->fd >= 0 && (t->job->status == 200 || t->job->status == 206);

		r = is_file ? store_part(t, data, len) : keep_in_memory(t, data, len);
	}
	return r < 0 ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- one try -------------------------------------------------------------- */

/* curl's options take what they take; a failure is a bug of ours or no memory. */
#define SET(t, option, value)                                               \
	do {                                                                \
		if (curl_easy_setopt((t)->easy, option, value) != CURLE_OK) \
			abort();                                            \
	} while (0)

static void add_header(struct http_transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	if (!longer)
		abort(); /* memory */
	t->headers = longer;
}

static void set_headers(struct http_transfer *t)
{
	const struct http_peer *peer = t->job->peer;

	curl_slist_free_all(t->headers);
	t->headers = NULL;
	for (size_t i = 0; peer->headers && peer->headers[i]; i++)
		add_header(t, peer->headers[i]);
	for (size_t i = 0; peer->more && peer->more[i]; i++)
		add_header(t, peer->more[i]);
	if (t->job->fd >= 0 && t->job->have > 0 && !t->without_range) {
		char range[64];

		(void)snprintf(range, sizeof(range), "%llu-", (unsigned long long)t->job->have);
		SET(t, CURLOPT_RANGE, range);
		/* A weak one is none that parts may be put together by. */
		if (t->job->etag[0] == '"') {
			cleanup_free char *line = xasprintf("If-Range: %s", t->job->etag);

			add_header(t, line);
		}
	}
	SET(t, CURLOPT_HTTPHEADER, t->headers);
}

static void set_security(struct http_transfer *t)
{
	const struct http_peer *peer = t->job->peer;
	bool tls = strncasecmp(t->job->url, "https:", 6) == 0;

	SET(t, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(t, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
	SET(t, CURLOPT_FOLLOWLOCATION, 1L);
	SET(t, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	SET(t, CURLOPT_SSL_VERIFYPEER, peer->insecure ? 0L : 1L);
	SET(t, CURLOPT_SSL_VERIFYHOST, peer->insecure ? 0L : 2L);
	SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (peer->ca) {
		struct curl_blob blob = { .data = (void *)(uintptr_t)peer->ca,
					  .len = strlen(peer->ca),
					  .flags = CURL_BLOB_NOCOPY };

		SET(t, CURLOPT_CAINFO_BLOB, &blob);
		SET(t, CURLOPT_CAPATH, NULL);
	}
	if (peer->proxy)
		SET(t, CURLOPT_PROXY, peer->proxy);
}

static void set_patience(struct http_transfer *t)
{
	SET(t, CURLOPT_NOSIGNAL, 1L);
	SET(t, CURLOPT_CONNECTTIMEOUT, (long)t->policy->connect_s);
	SET(t, CURLOPT_BUFFERSIZE, 256L << 10);
	SET(t, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void reset_try(struct http_transfer *t)
{
	t->head_seen = false;
	t->skip = 0;
	t->refused = 0;
	t->again = false;
	t->why = (struct err){ 0 };
	t->text[0] = t->etag[0] = t->range[0] = '\0';
	t->job->status = 0;
	buf_reset(&t->job->body);
}

int transfer_prepare(struct http_transfer *t, struct err *e)
{
	/* A new one: what a failed try left in the old one makes some options fail. */
	if (t->easy)
		curl_easy_cleanup(t->easy);
	t->easy = curl_easy_init();
	if (!t->easy)
		abort(); /* memory */
	reset_try(t);
	if (strncasecmp(t->job->url, "http://", 7) != 0 &&
	    strncasecmp(t->job->url, "https://", 8) != 0)
		return err_set(e, -EINVAL, "'%s' is neither an http nor an https address",
			       t->job->url);
	SET(t, CURLOPT_URL, t->job->url);
	SET(t, CURLOPT_PRIVATE, t);
	SET(t, CURLOPT_ERRORBUFFER, t->text);
	SET(t, CURLOPT_USERAGENT, t->policy->agent ? t->policy->agent : "dais");
	SET(t, CURLOPT_HEADERFUNCTION, on_header);
	SET(t, CURLOPT_HEADERDATA, t);
	SET(t, CURLOPT_WRITEFUNCTION, on_data);
	SET(t, CURLOPT_WRITEDATA, t);
	/* What the bound bounds is the unpacked answer. A file is taken as it is. */
	if (t->job->fd < 0)
		SET(t, CURLOPT_ACCEPT_ENCODING, "gzip");
	set_headers(t);
	set_security(t);
	set_patience(t);
	return 0;
}

/* ---- what an end means ---------------------------------------------------- */

static bool may_go_better(const struct http_transfer *t, CURLcode code)
{
	/* What came was no HTTP; curl takes it for the protocol's first version. */
	if (code == CURLE_UNSUPPORTED_PROTOCOL && strstr(t->text, "HTTP/0.9"))
		return true;
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_WRITE_ERROR:
		return false;
	default:
		return true;
	}
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
		return -EPROTONOSUPPORT;
	case CURLE_URL_MALFORMAT:
		return -EINVAL;
	case CURLE_TOO_MANY_REDIRECTS:
		return -ELOOP;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return -ENOKEY;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CONNECT_ERROR:
		return -EPROTO;
	default:
		return -EIO;
	}
}

static bool is_temporary(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 ||
	       status == 503 || status == 504;
}

static int errno_of_status(int status)
{
	if (status == 404 || status == 410)
		return -ENOENT;
	if (status == 401 || status == 403)
		return -EACCES;
	return status == 416 ? -ESTALE : -EREMOTEIO;
}

static bool finish(struct http_transfer *t, int result)
{
	t->job->result = result;
	if (result < 0)
		t->job->err = t->why;
	return false;
}

/* The exchange went well; what was the answer? */
static bool conclude_answer(struct http_transfer *t)
{
	struct http_job *job = t->job;
	bool got = job->status == 200 || job->status == 206;

	if (is_temporary(job->status)) {
		(void)err_set(&t->why, -EREMOTEIO, "'%s': the server answered %d", job->url,
			      job->status);
		return true;
	}
	if (job->fd < 0)
		return finish(t, 0);
	if (!got)
		return finish(t,
			      err_set(&t->why, errno_of_status(job->status),
				      "'%s': the server answered %d", job->url, job->status));
	if (job->size != HTTP_SIZE_ANY && job->have < job->size) {
		(void)err_set(&t->why, -EIO, "'%s': the transfer ended at byte %llu of %llu",
			      job->url, (unsigned long long)job->have,
			      (unsigned long long)job->size);
		return true;
	}
	return finish(t, 0);
}

/* Without the request's head, which may say who asks. */
static void tell(const struct http_transfer *t, CURLcode code)
{
	const char *method = NULL;
	curl_off_t bytes = 0, us = 0;
	long status = 0;

	if (!log_has(LOG_LEVEL_DEBUG))
		return;
	(void)curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_METHOD, &method);
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	(void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &us);
	log_debug("%s %s: %ld, %lld bytes in %lld ms%s%s", method ? method : "GET", t->job->url,
		  status, (long long)bytes, (long long)us / 1000, code == CURLE_OK ? "" : ", ",
		  code == CURLE_OK ? ""
		  : t->text[0]     ? t->text
				   : curl_easy_strerror(code));
}

bool transfer_conclude(struct http_transfer *t, CURLcode code)
{
	tell(t, code);
	if (!t->head_seen && code == CURLE_OK && look_at_head(t) < 0)
		code = CURLE_WRITE_ERROR;
	if (t->refused)
		return t->again ? true : finish(t, t->refused);
	if (code == CURLE_OK)
		return conclude_answer(t);
	(void)err_set(&t->why, errno_of(code), "'%s': %s", t->job->url,
		      t->text[0] ? t->text : curl_easy_strerror(code));
	return may_go_better(t, code) ? true : finish(t, errno_of(code));
}

char *http_resolve(const char *base, const char *ref)
{
	CURLU *u = curl_url();
	char *text = NULL, *whole = NULL;

	if (!u)
		abort(); /* memory */
	if (curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, ref, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_URL, &text, 0) == CURLUE_OK)
		whole = xstrdup(text);
	curl_free(text);
	curl_url_cleanup(u);
	return whole;
}

int64_t transfer_moved(const struct http_transfer *t)
{
	curl_off_t down = 0, up = 0;
	long head = 0, asked = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
	(void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &asked);
	return down + up + head + asked;
}

void transfer_free(struct http_transfer *t)
{
	if (!t)
		return;
	if (t->easy)
		curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	free(t);
}
