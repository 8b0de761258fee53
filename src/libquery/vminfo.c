/* SPDX-License-Identifier: MIT */
/*
 * The requests are HTTP/1.0: then the answer is a head, a body and the end of the
 * connection, which is all that is understood here. The daemon is ours, and root's.
 */
#include "libquery/vminfo.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"
#include "libipc/ipc.h"
#include "libquery/vm_query.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reading all files takes about as long: then it is better to do that. */
#define FIRST_MS 100
#define WHOLE_MS 5000

#define HEAD_MAX  4096
#define CHUNK     65536
#define EVENT_MAX ((size_t)192 << 20) /* the first one holds all VMs */

static int connect_to(const struct host *h, int timeout_ms, struct err *e)
{
	cleanup_close int dirfd = host_dir_existing(h, HOST_RUN, e);
	cleanup_close int fd = -1;
	struct ipc_peer peer;
	int r;

	if (dirfd < 0)
		return dirfd;
	fd = ipc_connect(dirfd, VMINFO_SOCKET, timeout_ms, e);
	if (fd < 0)
		return fd;
	r = ipc_peer(fd, &peer, e);
	if (r < 0)
		return r;
	if (peer.uid != 0 && peer.uid != geteuid())
		return err_set(e, -EPERM, "'" VMINFO_SOCKET "' is not root's");
	return take_fd(fd);
}

static int ask(const struct host *h, const char *path, int timeout_ms, struct err *e)
{
	cleanup_free char *text = xasprintf("GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
	cleanup_close int fd = connect_to(h, timeout_ms, e);
	size_t len = strlen(text);

	if (fd < 0)
		return fd;
	/* An empty socket takes what is as short as this. */
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return err_set(e, -EIO, "vminfod does not take a request");
	return take_fd(fd);
}

/* Append what is there to IN, waiting for it. 0: the other side has closed. */
static int take_more(int fd, struct buf *in, int64_t deadline, struct err *e)
{
	static char chunk[CHUNK];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		int r;

		if (n > 0 && (size_t)n > buf_room(in))
			return err_set(e, -EFBIG, "vminfod sends too much");
		if (n > 0)
			buf_add(in, chunk, (size_t)n);
		if (n >= 0)
			return n > 0;
		if (errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "cannot receive from vminfod");
		r = poll(&p, 1, clock_left_ms(deadline));
		if (r == 0)
			return err_set(e, -ETIMEDOUT, "vminfod does not answer");
		if (r < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for vminfod");
	}
}

/* "HTTP/1.1 200 OK" ... "Content-Length: N" ...; the bytes of all that are *RET_HEAD. */
static int read_head(int fd, struct buf *in, int64_t deadline, size_t *ret_head, struct err *e)
{
	const char *end;
	int r;

	while (!(end = strstr(buf_str(in), "\r\n\r\n"))) {
		if (in->len > HEAD_MAX)
			return err_set(e, -EBADMSG, "vminfod does not speak HTTP");
		r = take_more(fd, in, deadline, e);
		if (r == 0)
			r = err_set(e, -ECONNRESET, "vminfod has closed the connection");
		if (r < 0)
			return r;
	}
	*ret_head = (size_t)(end - buf_str(in)) + 4;
	if (strncmp(buf_str(in), "HTTP/1.", 7) != 0 || in->data[8] != ' ')
		return err_set(e, -EBADMSG, "vminfod does not speak HTTP");
	r = (int)strtol(in->data + 9, NULL, 10);
	if (r == 404)
		return err_set(e, -ENOENT, "vminfod does not know that");
	if (r != 200)
		return err_set(e, -EPROTO, "vminfod answers with status %d", r);
	return 0;
}

/* What the head says that there is to come; -1: it does not. */
static int64_t content_length(const char *head, size_t len)
{
	static const char name[] = "\r\nContent-Length:";
	const char *p = strcasestr(head, name);

	if (!p || (size_t)(p - head) >= len)
		return -1;
	return strtoll(p + sizeof(name) - 1, NULL, 10);
}

/* The answer to PATH; its body begins at *RET_HEAD. */
static int get(const struct host *h, const char *path, struct buf *ret_in, size_t *ret_head,
	       struct err *e)
{
	cleanup_close int fd = ask(h, path, FIRST_MS, e);
	cleanup_buf struct buf in = BUF_INIT;
	int64_t deadline = clock_deadline(FIRST_MS), length;
	size_t head;
	int r;

	if (fd < 0)
		return fd;
	r = read_head(fd, &in, deadline, &head, e);
	if (r < 0)
		return r;
	length = content_length(in.data, head);
	if (length < 0 || (size_t)length > BUF_MAX)
		return err_set(e, -EBADMSG, "vminfod does not say how much it answers");
	deadline = clock_deadline(WHOLE_MS);
	while (in.len < head + (size_t)length) {
		r = take_more(fd, &in, deadline, e);
		if (r == 0)
			r = err_set(e, -ECONNRESET, "vminfod has closed the connection");
		if (r < 0)
			return r;
	}
	in.len = head + (size_t)length;
	in.data[in.len] = '\0';
	*ret_head = head;
	*ret_in = in;
	in = (struct buf)BUF_INIT;
	return 0;
}

static int get_json(const struct host *h, const char *path, struct jv **ret, struct err *e)
{
	cleanup_buf struct buf in = BUF_INIT;
	size_t head;
	int r = get(h, path, &in, &head, e);

	return r < 0 ? r : jv_parse(in.data + head, in.len - head, "vminfod", ret, e);
}

int vminfo_rows(const struct host *h, struct buf *out, struct err *e)
{
	cleanup_buf struct buf in = BUF_INIT;
	size_t head;
	int r = get(h, "/list", &in, &head, e);

	if (r == 0)
		buf_add(out, in.data + head, in.len - head);
	return r;
}

int vminfo_vms(const struct host *h, const struct vm_needs *needs, struct jv **ret_vms,
	       struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	cleanup_jv struct jv *vms = NULL;
	int r;

	buf_adds(&path, "/vms");
	if (needs && !needs->all) {
		buf_adds(&path, "?members=uuid");
		for (size_t i = 0; i < needs->count; i++)
			if (strcmp(needs->names[i], "uuid") != 0)
				buf_addf(&path, ",%s", needs->names[i]);
	}
	r = get_json(h, buf_str(&path), &vms, e);
	if (r < 0)
		return r;
	if (jv_type(vms) != JV_ARRAY)
		return err_set(e, -EBADMSG, "vminfod does not answer with an array");
	*ret_vms = take_ptr(vms);
	return 0;
}

int vminfo_vm(const struct host *h, const char *uuid, struct jv **ret_vm, struct err *e)
{
	cleanup_free char *path = xasprintf("/vms/%s", uuid);

	return get_json(h, path, ret_vm, e);
}

/* ---- events ------------------------------------------------------------------ */

int vminfo_listen(const struct host *h, int timeout_ms, struct vminfo_stream *ret_stream,
		  struct err *e)
{
	cleanup_close int fd = ask(h, "/events", timeout_ms, e);
	cleanup_buf struct buf in = BUF_INIT;
	size_t head;
	int r;

	if (fd < 0)
		return fd;
	r = read_head(fd, &in, clock_deadline(timeout_ms), &head, e);
	if (r < 0)
		return r;
	*ret_stream = (struct vminfo_stream){ .fd = take_fd(fd), .in = in, .taken = head };
	in = (struct buf)BUF_INIT;
	return 0;
}

/* What was returned makes room. */
static void compact(struct vminfo_stream *s)
{
	if (s->taken == 0)
		return;
	memmove(s->in.data, s->in.data + s->taken, s->in.len - s->taken);
	s->in.len -= s->taken;
	s->in.data[s->in.len] = '\0';
	s->taken = 0;
}

int vminfo_next(struct vminfo_stream *s, const char **ret_line, size_t *ret_len, struct err *e)
{
	size_t seen = s->taken;

	for (;;) {
		const char *end =
			s->in.data ? memchr(s->in.data + seen, '\n', s->in.len - seen) : NULL;
		int r;

		if (end) {
			*ret_line = s->in.data + s->taken;
			*ret_len = (size_t)(end - *ret_line);
			s->taken += *ret_len + 1;
			return 0;
		}
		compact(s);
		seen = s->in.len;
		if (seen > EVENT_MAX)
			return err_set(e, -EMSGSIZE, "vminfod sends an event without end");
		r = take_more(s->fd, &s->in, -1, e);
		if (r == 0)
			r = err_set(e, -ECONNRESET, "vminfod has ended the stream");
		if (r < 0)
			return r;
	}
}

void vminfo_stream_done(struct vminfo_stream *s)
{
	close_p(&s->fd);
	buf_done(&s->in);
}
