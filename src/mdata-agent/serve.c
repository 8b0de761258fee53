/* SPDX-License-Identifier: MIT */
/*
 * serve.c - the guest's connections, served one line at a time.
 *
 *	accept ──▶ client ──line──▶ answer ──▶ client
 *	                   │ tokens left? else nobody is read until there are some
 *
 * A guest can do with this process what it likes, and only slows itself: there are
 * few connections, each holds little, and all of them share two buckets of tokens.
 * Without a request nothing wakes us.
 */
#include "mdata-agent/agent.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "libmdata/channel.h"

#include <poll.h>
#include <sys/socket.h>

#define CLIENTS_MAX 16

/* Requests a second, and in one go. */
#define READS_PER_SECOND  200
#define READS_MOST        400
#define WRITES_PER_SECOND 5
#define WRITES_MOST       20

struct server {
	struct supervisor supervisor;
	struct mdata_source source;
	struct client clients[CLIENTS_MAX];
	struct bucket requests;
	struct bucket writes;
	int64_t turn;
};

/* The one that said nothing for the longest time makes room for a new one. */
static struct client *find_room(struct server *s)
{
	struct client *oldest = &s->clients[0];

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (s->clients[i].fd < 0)
			return &s->clients[i];
		if (s->clients[i].used < oldest->used)
			oldest = &s->clients[i];
	}
	client_close(oldest);
	return oldest;
}

static void on_connect(struct server *s)
{
	int fd = accept4(CHANNEL_LISTEN_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0)
		return;
	c = find_room(s);
	client_open(c, fd);
	c->used = s->turn;
}

static int wait_for_tokens(struct server *s)
{
	int64_t now = clock_now_ms();
	int requests = bucket_wait_ms(&s->requests, now);
	int writes = bucket_wait_ms(&s->writes, now);

	return requests > writes ? requests : writes;
}

/* An answer that is not taken holds up who does not take it. */
static bool has_work(const struct client *c)
{
	return c->fd >= 0 && c->line && c->out.len == 0;
}

static void answer(struct server *s, struct client *c)
{
	bool write = false;
	int64_t cost = client_answer(c, &s->source, &write);

	bucket_take(&s->requests, cost, clock_now_ms());
	if (write)
		bucket_take(&s->writes, 1, clock_now_ms());
}

/* One line of each; false: there is nothing more to answer now. */
static bool answer_all(struct server *s)
{
	bool more = false;

	for (size_t i = 0; i < CLIENTS_MAX && !s->supervisor.gone; i++) {
		struct client *c = &s->clients[i];

		if (has_work(c) && wait_for_tokens(s) == 0)
			answer(s, c);
		more |= has_work(c);
	}
	return more;
}

static short wanted(const struct client *c, bool may_read)
{
	if (c->out.len > 0)
		return POLLOUT;
	return may_read && !c->ended && !c->line ? POLLIN : 0;
}

static void on_client(struct server *s, struct client *c, short events)
{
	c->used = s->turn;
	if (events & POLLOUT)
		client_write(c);
	else if (events & POLLIN)
		client_read(c);
	else if (events & (POLLHUP | POLLERR | POLLNVAL))
		client_close(c);
}

/* WAIT: milliseconds until somebody may be answered again; 0: somebody can be now. */
static int turn(struct server *s, bool more, int wait, struct err *e)
{
	struct pollfd fds[CLIENTS_MAX + 2] = {
		{ .fd = CHANNEL_FD, .events = POLLIN },
		{ .fd = wait ? -1 : CHANNEL_LISTEN_FD, .events = POLLIN },
	};

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		fds[i + 2].events = s->clients[i].fd < 0 ? 0 : wanted(&s->clients[i], !wait);
		fds[i + 2].fd = fds[i + 2].events ? s->clients[i].fd : -1;
	}
	if (poll(fds, CLIENTS_MAX + 2, wait ? wait : more ? 0 : -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "cannot wait");
	s->turn++;
	if (fds[0].revents)
		s->supervisor.gone = true;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (fds[i + 2].fd >= 0 && fds[i + 2].revents)
			on_client(s, &s->clients[i], fds[i + 2].revents);
	if (fds[1].revents)
		on_connect(s);
	return 0;
}

static void setup(struct server *s)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	s->supervisor.message = xmalloc(CHANNEL_MESSAGE_MAX);
	s->source = supervisor_source;
	s->source.data = &s->supervisor;
	bucket_init(&s->requests, READS_PER_SECOND, READS_MOST, clock_now_ms());
	bucket_init(&s->writes, WRITES_PER_SECOND, WRITES_MOST, clock_now_ms());
}

static void done(struct server *s)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		client_close(&s->clients[i]);
	jv_unref(s->supervisor.vm);
	free(s->supervisor.message);
}

int serve(struct err *e)
{
	static struct server s;
	int r = 0;

	setup(&s);
	while (r == 0 && !s.supervisor.gone) {
		bool more = answer_all(&s);

		r = s.supervisor.gone ? 0 : turn(&s, more, wait_for_tokens(&s), e);
	}
	done(&s);
	return r;
}
