/* SPDX-License-Identifier: MIT */
/*
 * vminfod.h - the parts of vminfod among themselves.
 *
 *	inotify, pidfds ──watch.c──▶ vm_index.h ──▶ listeners.c ──▶ those who listen
 *	                                 ▲               ▲
 *	sockets ──libmicrohttpd──▶ http.c┴───────────────┘
 */
#pragma once

#include "base/err.h"
#include "base/event.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct MHD_Connection;
struct MHD_Response;
struct jv;
struct vm_index;

/* ---- watch.c: what changes on the host, told to the index ---------------------- */

struct watch;
struct http_service;

ATTR_MUST_CHECK int watch_new(struct event *loop, const struct host *h,
			      struct http_service *service, struct err *e);
void watch_free(struct watch *w);

/*
 * Take in whatever has changed up to now. Called before every answer: who has seen
 * a change happen, because the command that made it has returned, finds it there.
 */
ATTR_MUST_CHECK int watch_sync(struct watch *w, struct err *e);

/* The moment of the last time that everything was read. */
const struct timespec *watch_last_scan(const struct watch *w);

/* ---- listeners.c: streams of events -------------------------------------------- */

#define LISTENERS_MAX 64

struct listeners;

struct listeners *listeners_new(struct event *loop, struct http_service *service);
void listeners_free(struct listeners *ls); /* when their connections are gone */
size_t listeners_count(const struct listeners *ls);

/* Has any of them something to read since the last call? Then http_turn() is due. */
bool listeners_woken(struct listeners *ls);

/* EVENT to all of them; the vm_index_cb of the index. */
void listeners_tell(void *listeners, const struct jv *event);

/* A response that is a stream for CONNECTION. NULL: there are too many. */
struct MHD_Response *listeners_add(struct listeners *ls, struct MHD_Connection *connection);

/* Nobody is told anything any more: needed before the connections are closed. */
void listeners_end(struct listeners *ls);

/* ---- http.c ------------------------------------------------------------------- */

struct http;

struct http_service {
	struct vm_index *index;
	struct watch *watch;
	struct listeners *listeners;
	struct http *servers;
	struct timespec started;
};

/* Let the library go on with what was waiting for us. Not from within its calls. */
void http_turn(struct http_service *service);

/* Serve on FD, which is taken: a unix socket, or (LOOPBACK) one of TCP. */
ATTR_MUST_CHECK int http_new(struct event *loop, int fd, bool loopback,
			     struct http_service *service, struct err *e);
void http_free_all(struct http_service *service);
