/* SPDX-License-Identifier: MIT */
/*
 * http.h - GET over HTTP and HTTPS, several at a time (libcurl stands behind it).
 *
 * What a server does wrong is expected here: transfers that break go on where
 * they broke (Range with If-Range), 429 and 5xx are asked again after a pause
 * that doubles or that the server names, a transfer without a byte for a while is
 * given up and tried again, and no answer grows beyond what the caller said.
 *
 * Certificates are checked unless the peer says otherwise. Redirects: five at
 * most, never from https to http, and without the Authorization header when they
 * lead to another host. Proxies come from http_proxy, https_proxy, all_proxy and
 * no_proxy, in small or capital letters, unless the peer names one.
 *
 * Callers that handle foreign answers do so in a process without rights; see
 * libsandbox/helper.h.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_ETAG_MAX 256
#define HTTP_SIZE_ANY UINT64_MAX

/* How long to be patient. Zero in any field is the default. */
struct http_policy {
	unsigned int tries;       /* in a row without progress; 5 */
	unsigned int wait_ms;     /* before the second; doubles; 1000 */
	unsigned int wait_max_ms; /* no pause is longer, Retry-After included; 60000 */
	unsigned int connect_s;   /* 15 */
	unsigned int stall_s;     /* without a byte; 30 */
	const char *agent;        /* the User-Agent */
};

/* How to talk to one server. */
struct http_peer {
	const char *ca;    /* PEM text of the only authorities to trust; NULL: the system's */
	const char *proxy; /* NULL: what the environment says */
	bool insecure;     /* do not check certificates */
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	const char *const *more;    /* the same */
};

/*
 * One file or answer. The caller fills the first part, zeroes the rest, keeps it
 * where it is until http_run() is back, and ends with http_job_done().
 */
struct http_job {
	const char *url;
	const struct http_peer *peer;
	uint64_t max; /* bytes of a body; more is an error */
	/* A file: bytes go to FD, at their offsets. -1: to BODY. */
	int fd;
	uint64_t size;            /* what the body must have, or HTTP_SIZE_ANY; files only */
	uint64_t have;            /* FD has these many already; goes up as bytes come */
	char etag[HTTP_ETAG_MAX]; /* of what FD has a part of; the server's in the end */
	void *data;               /* the caller's */

	int status; /* of the last answer, 0: there was none */
	struct buf body;
	char type[128];  /* Content-Type */
	char link[1024]; /* Link, for lists in pages */
	char auth[1024]; /* WWW-Authenticate */
	char location[2048];
	char range[64];   /* Range: what of an upload has arrived */
	char digest[128]; /* Docker-Content-Digest */
	/*
	 * 0, or why there is no answer. In memory any status is an answer (what is left to
	 * retry of 429 and 5xx aside); a file is got by 200 and 206 alone. -ESTALE: what FD has
	 * is of another file than the server's; start over from nothing. -EBADMSG: the server's
	 * file has another size. -ENOENT: 404 or 410. -EACCES: 401 or 403. -EREMOTEIO: another
	 * status. -ENOKEY: nobody who is trusted vouches for the server's certificate.
	 * -EPROTO: TLS otherwise. The rest: the network's.
	 */
	int result;
	struct err err;

	struct http_transfer *transfer; /* private */
};

void http_job_done(struct http_job *job);

struct http_events {
	/* JOB has more bytes, or came to its end (then ended is true). May be NULL. */
	void (*progress)(void *data, struct http_job *job, bool ended);
	/* A try failed and another will be made: a line for people. May be NULL. */
	void (*retry)(void *data, struct http_job *job, const char *line);
	void *data;
};

/* Get all of JOBS, PARALLEL at a time, in their order. What became of each stands in it. */
void http_run(struct http_job *const jobs[], size_t count, size_t parallel,
	      const struct http_policy *policy, const struct http_events *events);

/* One of them: http_run() and its result. */
ATTR_MUST_CHECK int http_get(struct http_job *job, const struct http_policy *policy,
			     struct err *e);

/* REF, which may be whole or a part, as it is meant on the page BASE. New; NULL: is none. */
char *http_resolve(const char *base, const char *ref);

/* "bytes FIRST-LAST/TOTAL". TOTAL is HTTP_SIZE_ANY for "*". */
bool http_parse_content_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
			      uint64_t *ret_total);
