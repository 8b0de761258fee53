/* SPDX-License-Identifier: MIT */
/*
 * send.h - HEAD, POST, PUT, PATCH and DELETE, with a body from memory or a file. Nothing is
 * tried twice, and no redirect is followed: what changes a server is not repeated behind the
 * caller's back.
 */
#pragma once

#include "libhttp/http.h"

struct http_send {
	const char *method; /* "POST", ... */
	const char *url;
	const struct http_peer *peer;                /* its headers name the body's type */
	int fd;                                      /* the body; -1: TEXT */
	uint64_t offset;                             /* of the first byte in the file */
	uint64_t size;                               /* bytes that go */
	const char *text;                            /* or NULL */
	void (*progress)(void *data, uint64_t done); /* may be NULL */
	void *data;

	int status;      /* of the answer */
	struct buf body; /* of the answer; the caller's buf_done() */
	uint64_t sent;
	char auth[1024]; /* of the answer's head, as in struct http_job */
	char location[2048];
	char range[64];
	char digest[128];
};

/* 0: there is an answer, whatever its status. */
ATTR_MUST_CHECK int http_send(struct http_send *s, const struct http_policy *policy,
			      struct err *e);
