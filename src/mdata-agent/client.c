/* SPDX-License-Identifier: MIT */
#include "mdata-agent/agent.h"

#include <string.h>
#include <sys/socket.h>

#define READ_SIZE ((size_t)16 << 10)

/* A request is worth a token, and another one for each such piece that it moves. */
#define TOKEN_BYTES 4096

void client_open(struct client *c, int fd)
{
	*c = (struct client){ .fd = fd };
}

void client_close(struct client *c)
{
	close_p(&c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	*c = (struct client){ .fd = -1 };
}

static void look_for_line(struct client *c)
{
	c->line = c->in.len > 0 && memchr(c->in.data, '\n', c->in.len);
	/* Nothing can come of it any more. */
	if (!c->line && ((c->ended && c->out.len == 0) || c->in.len >= MDATA_LINE_MAX))
		client_close(c);
}

void client_read(struct client *c)
{
	char data[READ_SIZE];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client_close(c);
		return;
	}
	if (n == 0)
		c->ended = true;
	else
		buf_add(&c->in, data, (size_t)n);
	look_for_line(c);
}

void client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			client_close(c);
		return;
	}
	c->sent += (size_t)n;
	if (c->sent < c->out.len)
		return;
	/* The memory of a large answer is given back. */
	buf_done(&c->out);
	c->sent = 0;
	look_for_line(c);
}

int64_t client_answer(struct client *c, const struct mdata_source *source, bool *ret_write)
{
	const char *end = memchr(c->in.data, '\n', c->in.len);
	size_t len = (size_t)(end - c->in.data), before = c->out.len;
	int64_t moved;

	*ret_write = mdata_answer(source, c->in.data, len, &c->out) == MDATA_WRITE;
	moved = (int64_t)(len + c->out.len - before);
	c->in.len -= len + 1;
	memmove(c->in.data, end + 1, c->in.len);
	if (c->in.len == 0)
		buf_done(&c->in);
	if (c->out.len > 0)
		client_write(c);
	else
		look_for_line(c);
	if (c->fd >= 0 && c->out.len > 0)
		c->line = c->in.len > 0 && memchr(c->in.data, '\n', c->in.len);
	return 1 + moved / TOKEN_BYTES;
}
