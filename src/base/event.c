/* SPDX-License-Identifier: MIT */
#include "base/event.h"

#include "base/alloc.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

struct event {
	sd_event *sd;
	struct event_source *sources;
	int failed; /* what the callback that ended the loop returned */
};

struct event_source {
	struct event *loop;
	struct event_source *next;
	struct event_source **link; /* what points here */
	sd_event_source *sd;
	event_cb *cb;
	void *data;
};

int event_new(struct event **ret_loop, struct err *e)
{
	struct event *loop;
	sd_event *sd;
	int r = sd_event_new(&sd);

	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot make an event loop");
	}
	loop = xcalloc(1, sizeof(*loop));
	loop->sd = sd;
	*ret_loop = loop;
	return 0;
}

void event_source_free(struct event_source *source)
{
	if (!source)
		return;
	/* Disabled first: sd-event keeps a source that is being dispatched. */
	if (source->sd)
		(void)sd_event_source_set_enabled(source->sd, SD_EVENT_OFF);
	sd_event_source_unref(source->sd);

	if (source->link) {
		*source->link = source->next;
		if (source->next)
			source->next->link = source->link;
	}
	free(source);
}

void event_free(struct event *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		event_source_free(loop->sources);
	sd_event_unref(loop->sd);
	free(loop);
}

/* SOURCE may be freed by its callback: nothing of it is touched afterwards. */
static int dispatch(struct event_source *source, uint32_t events)
{
	struct event *loop = source->loop;
	int r = source->cb(source->data, events);

	if (r < 0) {
		loop->failed = r;
		(void)sd_event_exit(loop->sd, r);
	}
	return 0;
}

static int on_io(sd_event_source *sd ATTR_UNUSED, int fd ATTR_UNUSED, uint32_t events,
		 void *data)
{
	return dispatch(data, events);
}

static int on_timer(sd_event_source *sd ATTR_UNUSED, uint64_t usec ATTR_UNUSED, void *data)
{
	return dispatch(data, 0);
}

static int on_signal(sd_event_source *sd ATTR_UNUSED,
		     const struct signalfd_siginfo *info ATTR_UNUSED, void *data)
{
	return dispatch(data, 0);
}

static struct event_source *source_new(event_cb *cb, void *data)
{
	struct event_source *source = xcalloc(1, sizeof(*source));

	source->cb = cb;
	source->data = data;
	return source;
}

/* R is what sd-event said to the attempt of adding SOURCE. */
static int finish_add(struct event *loop, struct event_source *source, int r, const char *what,
		      struct event_source **ret_source, struct err *e)
{
	if (r < 0) {
		event_source_free(source);
		errno = -r;
		return err_sys(e, "cannot watch %s", what);
	}
	source->loop = loop;
	source->next = loop->sources;
	source->link = &loop->sources;
	if (source->next)
		source->next->link = &source->next;
	loop->sources = source;
	if (ret_source)
		*ret_source = source;
	return 0;
}

int event_add_io(struct event *loop, int fd, uint32_t events, event_cb *cb, void *data,
		 struct event_source **ret_source, struct err *e)
{
	struct event_source *source = source_new(cb, data);
	int r = sd_event_add_io(loop->sd, &source->sd, fd, events, on_io, source);

	return finish_add(loop, source, r, "a descriptor", ret_source, e);
}

int event_add_timer(struct event *loop, uint64_t in_ms, event_cb *cb, void *data,
		    struct event_source **ret_source, struct err *e)
{
	struct event_source *source = source_new(cb, data);
	/* Accuracy of a millisecond; 0 would let sd-event round to a quarter of a second. */
	int r = sd_event_add_time_relative(loop->sd, &source->sd, CLOCK_BOOTTIME, in_ms * 1000,
					   1000, on_timer, source);

	return finish_add(loop, source, r, "a timer", ret_source, e);
}

int event_add_signal(struct event *loop, int signo, event_cb *cb, void *data,
		     struct event_source **ret_source, struct err *e)
{
	struct event_source *source = source_new(cb, data);
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, signo);
	r = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
	if (r == 0)
		r = sd_event_add_signal(loop->sd, &source->sd, signo, on_signal, source);
	return finish_add(loop, source, r, "a signal", ret_source, e);
}

int event_run(struct event *loop, struct err *e)
{
	int r = sd_event_loop(loop->sd);

	if (r >= 0)
		return r;
	if (loop->failed)
		return err_set(e, loop->failed, "a callback ended the event loop");
	errno = -r;
	return err_sys(e, "cannot wait for events");
}

void event_exit(struct event *loop, int code)
{
	(void)sd_event_exit(loop->sd, code);
}
