/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - one try of one job. Private to libhttp: http.c decides what is
 * tried again and when.
 */
#pragma once

#include "libhttp/http.h"

#include <curl/curl.h>

struct http_transfer {
	struct http_job *job;
	const struct http_policy *policy;
	const struct http_events *events; /* may be NULL */
	CURL *easy;
	struct curl_slist *headers;
	bool running;
	bool ended;
	unsigned int failed;      /* tries in a row without progress */
	unsigned int total_tries; /* bounds a server that gives a little each time */
	uint64_t mark;            /* job->have when a try last counted as progress */
	int64_t due_ms;           /* when the next try may start */
	int64_t heard_ms;         /* when bytes went or came last */
	int64_t moved;            /* how many there were then */
	bool without_range;       /* the server's ranges are not to be trusted */

	/* of this try */
	bool head_seen; /* the answer's head was looked at */
	uint64_t skip;  /* bytes that the job has already and the server sends again */
	char etag[HTTP_ETAG_MAX];
	char range[128];
	int refused; /* negative errno when we ended the try, with WHY */
	bool again;  /* and whether another may go better */
	struct err why;
	char text[CURL_ERROR_SIZE];
};

/* Prepare T->easy for the next try. */
ATTR_MUST_CHECK int transfer_prepare(struct http_transfer *t, struct err *e);

/* What CODE, the try's end, means. True: again. Otherwise job->result and job->err are set. */
bool transfer_conclude(struct http_transfer *t, CURLcode code);

/* Bytes that went and came in this try, heads included. */
int64_t transfer_moved(const struct http_transfer *t);

void transfer_free(struct http_transfer *t);
