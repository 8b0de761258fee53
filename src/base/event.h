/* SPDX-License-Identifier: MIT */
/*
 * event.h - the event loop of our daemons (sd-event stands behind it). A module
 * that uses it names the library "event" in its USES, besides "base".
 *
 * One loop a process, no threads. A callback that returns a negative number
 * ends the loop with it. Sources are freed by event_source_free() or with
 * their loop, never by themselves.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct event;
struct event_source;

typedef int event_cb(void *data, uint32_t events);

ATTR_MUST_CHECK int event_new(struct event **ret_loop, struct err *e);
void event_free(struct event *loop);

/* EVENTS and what the callback gets are EPOLLIN, EPOLLOUT, ... FD stays the caller's. */
ATTR_MUST_CHECK int event_add_io(struct event *loop, int fd, uint32_t events, event_cb *cb,
				 void *data, struct event_source **ret_source, struct err *e);
/* One shot, IN_MS from now, CLOCK_BOOTTIME. */
ATTR_MUST_CHECK int event_add_timer(struct event *loop, uint64_t in_ms, event_cb *cb,
				    void *data, struct event_source **ret_source,
				    struct err *e);
/* Blocks SIGNO for the process and delivers it here. */
ATTR_MUST_CHECK int event_add_signal(struct event *loop, int signo, event_cb *cb, void *data,
				     struct event_source **ret_source, struct err *e);
void event_source_free(struct event_source *source); /* NULL is fine */

/* Until event_exit() or a failing callback. Returns what they gave; E is filled when that is
 * negative. */
ATTR_MUST_CHECK int event_run(struct event *loop, struct err *e);
void event_exit(struct event *loop, int code);
