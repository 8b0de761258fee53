/* SPDX-License-Identifier: MIT */
/*
 * console.c - the machine's console for those who look at it.
 *
 *	machine ◀──▶ monitor ◀──▶ line ◀──▶ this process ◀──▶ vmadm console, several
 *
 * The line is taken from the monitor when the first viewer comes and given back when
 * the last one leaves; in between it is always read, because the monitor waits for
 * us. Nobody waits for a viewer: what one does not take is lost to that one.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "libipc/ipc.h"
#include "libvm/console.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MS 2000

struct viewer {
	int fd;
	size_t len; /* of what was received and not passed on yet */
	unsigned char buf[CONSOLE_FRAME_HEAD + CONSOLE_FRAME_MAX];
};

struct zone_console {
	int connection; /* holds the line; -1: we have not got it */
	int line;
	int64_t tried_ms; /* .started_ms of the machine whose line was asked for last */
	struct viewer viewers[CONSOLE_VIEWERS_MAX];
	size_t count;
};

static void close_line(struct zone_console *c)
{
	close_p(&c->line);
	close_p(&c->connection);
}

void console_let_go(struct zone *z)
{
	if (z->console)
		close_line(z->console);
}

void console_free(struct zone *z)
{
	struct zone_console *c = z->console;

	if (!c)
		return;
	close_line(c);
	for (size_t i = 0; i < c->count; i++)
		(void)close(c->viewers[i].fd);
	free(c);
	z->console = NULL;
}

size_t console_viewers(const struct zone *z)
{
	return z->console ? z->console->count : 0;
}

/* The machine that runs now; another one after a reboot. */
static int open_line(struct zone *z, struct err *e)
{
	struct zone_console *c = z->console;

	if (c->line >= 0)
		return 0;
	c->tried_ms = z->started_ms;
	c->connection = run_console(z->run, &c->line, e);
	return c->connection < 0 ? c->connection : 0;
}

static void resize(struct zone *z, int64_t rows, int64_t columns)
{
	struct err e;

	if (z->console->line < 0 || rows <= 0 || columns <= 0 || rows > UINT16_MAX ||
	    columns > UINT16_MAX)
		return;
	if (run_console_resize(z->run, z->console->line, (unsigned short)rows,
			       (unsigned short)columns, &e) < 0)
		log_warning("console: %s", e.msg);
}

static struct zone_console *console_new(void)
{
	struct zone_console *c = xcalloc(1, sizeof(*c));

	c->line = c->connection = -1;
	return c;
}

int console_join(struct zone *z, const struct jv *request, int *fd, struct err *e)
{
	int r;

	if (!z->run)
		return err_set(e, -EAGAIN, "the machine is between two starts");
	if (!z->console)
		z->console = console_new();
	if (z->console->count == CONSOLE_VIEWERS_MAX)
		return err_set(e, -EBUSY, "%d look at this console already",
			       CONSOLE_VIEWERS_MAX);
	r = open_line(z, e);
	if (r == 0)
		r = ipc_answer_ok(*fd, NULL, ANSWER_MS, e);
	if (r == 0 && fcntl(*fd, F_SETFL, O_NONBLOCK) < 0)
		r = err_sys(e, "cannot use the connection");
	if (r < 0)
		return r;
	z->console->viewers[z->console->count++] = (struct viewer){ .fd = *fd };
	*fd = -1;
	resize(z, jv_get_int(request, "rows", 0), jv_get_int(request, "columns", 0));
	return 0;
}

static void drop(struct zone_console *c, size_t i)
{
	(void)close(c->viewers[i].fd);
	c->viewers[i] = c->viewers[--c->count];
	if (c->count == 0)
		close_line(c);
}

/* ---- to the machine ------------------------------------------------------------ */

static size_t frame_len(const struct viewer *v)
{
	return v->len < CONSOLE_FRAME_HEAD ? 0 : (size_t)v->buf[1] << 8 | v->buf[2];
}

static bool has_frame(const struct viewer *v)
{
	return v->len >= CONSOLE_FRAME_HEAD && v->len >= CONSOLE_FRAME_HEAD + frame_len(v);
}

static void take_off(struct viewer *v, size_t len)
{
	v->len -= len;
	memmove(v->buf, v->buf + len, v->len);
}

/* False when the line takes no more just now; what is left stays a frame. */
static bool type_in(struct zone_console *c, struct viewer *v)
{
	size_t len = frame_len(v);
	ssize_t n = (ssize_t)len;

	/* Between two machines nobody hears it. */
	if (c->line >= 0)
		n = write(c->line, v->buf + CONSOLE_FRAME_HEAD, len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0 || (size_t)n == len) {
		take_off(v, CONSOLE_FRAME_HEAD + len);
		return true;
	}
	v->len -= (size_t)n;
	memmove(v->buf + CONSOLE_FRAME_HEAD, v->buf + CONSOLE_FRAME_HEAD + n,
		v->len - CONSOLE_FRAME_HEAD);
	len -= (size_t)n;
	v->buf[1] = (unsigned char)(len >> 8);
	v->buf[2] = (unsigned char)(len & 0xff);
	return false;
}

/* False: what came is no frame. */
static bool take_frames(struct zone *z, struct viewer *v)
{
	while (has_frame(v)) {
		const unsigned char *body = v->buf + CONSOLE_FRAME_HEAD;

		if (v->buf[0] == CONSOLE_FRAME_DATA) {
			if (!type_in(z->console, v))
				return true;
		} else if (v->buf[0] == CONSOLE_FRAME_SIZE && frame_len(v) == 4) {
			resize(z, body[0] << 8 | body[1], body[2] << 8 | body[3]);
			take_off(v, CONSOLE_FRAME_HEAD + 4);
		} else {
			return false;
		}
	}
	return frame_len(v) <= CONSOLE_FRAME_MAX;
}

static void hear(struct zone *z, size_t i)
{
	struct viewer *v = &z->console->viewers[i];
	ssize_t n = 0;

	if (!has_frame(v)) {
		n = read(v->fd, v->buf + v->len, sizeof(v->buf) - v->len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			drop(z->console, i);
			return;
		}
		v->len += (size_t)n;
	}
	if (!take_frames(z, v))
		drop(z->console, i);
}

/* ---- from the machine ---------------------------------------------------------- */

static void pass_on(struct zone_console *c)
{
	char buf[4096];
	ssize_t n = read(c->line, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_line(c);
		return;
	}
	for (size_t i = 0; i < c->count; i++)
		(void)!send(c->viewers[i].fd, buf, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- the loop ------------------------------------------------------------------ */

/* After a reboot: those who look go on looking. */
static void follow_machine(struct zone *z)
{
	struct err e;

	if (!z->run || z->console->line >= 0 || z->console->tried_ms == z->started_ms)
		return;
	if (open_line(z, &e) < 0)
		log_warning("console: %s", e.msg);
}

size_t console_poll(struct zone *z, struct pollfd fds[static CONSOLE_FDS_MAX])
{
	struct zone_console *c = z->console;
	bool waits = false;

	if (!c || c->count == 0)
		return 0;
	follow_machine(z);
	for (size_t i = 0; i < c->count; i++) {
		bool full = has_frame(&c->viewers[i]);

		fds[i + 1] =
			(struct pollfd){ .fd = c->viewers[i].fd, .events = full ? 0 : POLLIN };
		waits |= full;
	}
	fds[0] = (struct pollfd){ .fd = c->line, .events = waits ? POLLIN | POLLOUT : POLLIN };
	return c->count + 1;
}

void console_turn(struct zone *z, const struct pollfd *fds, size_t count)
{
	struct zone_console *c = z->console;

	if (count == 0)
		return;
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		pass_on(c);
	/* From the last one down: one that leaves is replaced by the last. */
	for (size_t i = count - 1; i > 0; i--) {
		bool can_go_on = has_frame(&c->viewers[i - 1]) &&
				 (c->line < 0 || fds[0].revents & POLLOUT);

		if (fds[i].revents & (POLLHUP | POLLERR | POLLNVAL) &&
		    !(fds[i].revents & POLLIN))
			drop(c, i - 1);
		else if (fds[i].revents & POLLIN || can_go_on)
			hear(z, i - 1);
	}
}
