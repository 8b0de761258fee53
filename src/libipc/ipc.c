/* SPDX-License-Identifier: MIT */
#include "libipc/ipc.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define CONNECT_RETRY_MS 10

/*
 * A socket's address holds 107 bytes, a path may hold more: go through the
 * descriptor of its folder, which also keeps us in that very folder.
 */
static int make_address(int dirfd, const char *name, struct sockaddr_un *ret_addr,
			struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int n;

	if (strchr(name, '/'))
		return err_set(e, -EINVAL, "socket name '%s' holds a '/'", name);
	n = snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "socket name '%s' is too long", name);
	*ret_addr = addr;
	return 0;
}

static int new_socket(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_sys(e, "cannot make a socket") : fd;
}

/* Out of the way with a socket that nobody listens on; -EADDRINUSE when somebody does. */
static int remove_stale(int dirfd, const char *name, struct err *e)
{
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot stat '%s'", name);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST, "'%s' exists and is not a socket", name);

	fd = ipc_connect(dirfd, name, 0, NULL);
	if (fd >= 0 || fd == -ETIMEDOUT) {
		close_p(&fd);
		return err_set(e, -EADDRINUSE, "another process listens on '%s'", name);
	}
	if (fd != -ECONNREFUSED && fd != -ENOENT)
		return err_set(e, fd, "cannot tell whether anybody listens on '%s'", name);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the old socket '%s'", name);
	return 0;
}

int ipc_listen(int dirfd, const char *name, struct err *e)
{
	cleanup_close int fd = -1;
	struct sockaddr_un addr;
	int r = make_address(dirfd, name, &addr, e);

	if (r < 0)
		return r;
	r = remove_stale(dirfd, name, e);
	if (r < 0)
		return r;
	fd = new_socket(e);
	if (fd < 0)
		return fd;

	/* The new file takes its mode from the socket: it never is more open than 0600. */
	if (fchmod(fd, 0600) < 0)
		return err_sys(e, "cannot set the mode of '%s'", name);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "cannot bind '%s'", name);
	if (listen(fd, SOMAXCONN) < 0) {
		r = err_sys(e, "cannot listen on '%s'", name);
		goto undo_bind;
	}
	return take_fd(fd);

undo_bind:
	(void)unlinkat(dirfd, name, 0);
	return r;
}

int ipc_accept(int listenfd, struct ipc_peer *ret_peer, struct err *e)
{
	cleanup_close int fd = -1;
	int r;

	fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	/* A client that left before it was served is no news. */
	if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
		return -EAGAIN;
	if (fd < 0)
		return err_sys(e, "cannot accept a connection");
	r = ipc_peer(fd, ret_peer, e);
	if (r < 0)
		return r;
	return take_fd(fd);
}

int ipc_connect(int dirfd, const char *name, int timeout_ms, struct err *e)
{
	int64_t end = clock_deadline(timeout_ms);
	cleanup_close int fd = -1;
	struct sockaddr_un addr;
	int r = make_address(dirfd, name, &addr, e);

	if (r < 0)
		return r;
	fd = new_socket(e);
	if (fd < 0)
		return fd;

	/* -EAGAIN is a full queue, for which unix sockets have nothing to poll. */
	while (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return err_sys(e, "cannot connect to '%s'", name);
		if (clock_left_ms(end) == 0)
			return err_set(e, -ETIMEDOUT, "'%s' does not take connections", name);
		clock_sleep_ms(CONNECT_RETRY_MS);
	}
	return take_fd(fd);
}

int ipc_peer(int fd, struct ipc_peer *ret_peer, struct err *e)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return err_sys(e, "cannot tell who connected");
	*ret_peer = (struct ipc_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}

static int wait_until(int fd, short events, int64_t end, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int n = poll(&p, 1, clock_left_ms(end));

		if (n > 0)
			return 0;
		if (n == 0)
			return err_set(e, -ETIMEDOUT, "the other side did not %s in time",
				       events == POLLIN ? "answer" : "read");
		if (errno != EINTR)
			return err_sys(e, "cannot wait for the other side");
	}
}

static int send_by(int fd, const struct jv *message, int64_t end, struct err *e)
{
	cleanup_free char *text = jv_dump(message, 0);
	size_t len = strlen(text);
	size_t sent = 0;

	if (len > IPC_MESSAGE_MAX)
		return err_set(e, -EMSGSIZE, "message of %zu bytes, %zu are allowed", len,
			       IPC_MESSAGE_MAX);
	text[len++] = '\n'; /* in the place of the '\0' */

	while (sent < len) {
		ssize_t n = send(fd, text + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		int r = 0;

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			r = wait_until(fd, POLLOUT, end, e);
		else if (errno == ECONNRESET)
			r = err_set(e, -EPIPE, "the other side has closed the connection");
		else if (errno != EINTR)
			r = err_sys(e, "cannot send");
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Reads up to the newline and no byte further. Where it is to be ALONE it is the last byte
 * that there is.
 */
static int receive_line(int fd, char *line, size_t size, bool alone, int64_t end,
			size_t *ret_len, struct err *e)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = recv(fd, line + len, size - len, MSG_DONTWAIT | MSG_PEEK);
		const char *newline;
		int r = 0;

		if (n < 0 && errno == EAGAIN)
			r = wait_until(fd, POLLIN, end, e);
		else if (n == 0 || (n < 0 && errno == ECONNRESET))
			r = err_set(e, -ECONNRESET, "the other side has closed the connection");
		else if (n < 0 && errno != EINTR)
			r = err_sys(e, "cannot receive");
		if (r < 0)
			return r;
		if (n <= 0)
			continue;

		newline = memchr(line + len, '\n', (size_t)n);
		if (newline && alone && newline != line + len + n - 1)
			return err_set(e, -EBADMSG, "a message is followed by more bytes");
		if (newline)
			n = newline + 1 - (line + len);
		if (recv(fd, line + len, (size_t)n, MSG_DONTWAIT) != n)
			return err_sys(e, "cannot receive");
		len += (size_t)n;
		if (newline) {
			*ret_len = len - 1;
			return 0;
		}
	}
	return err_set(e, -EMSGSIZE, "a message is longer than %zu bytes", IPC_MESSAGE_MAX);
}

static int receive_by(int fd, bool alone, int64_t end, struct jv **ret_message, struct err *e)
{
	cleanup_free char *line = xmalloc(IPC_MESSAGE_MAX + 1);
	cleanup_jv struct jv *message = NULL;
	size_t len = 0;
	int r = receive_line(fd, line, IPC_MESSAGE_MAX + 1, alone, end, &len, e);

	if (r < 0)
		return r;
	r = jv_parse(line, len, "message", &message, e);
	if (r < 0)
		return err_wrap(e, -EBADMSG, "the other side sent no JSON");
	if (jv_type(message) != JV_OBJECT)
		return err_set(e, -EBADMSG, "the other side sent no JSON object");
	*ret_message = take_ptr(message);
	return 0;
}

int ipc_send(int fd, const struct jv *message, int timeout_ms, struct err *e)
{
	return send_by(fd, message, clock_deadline(timeout_ms), e);
}

int ipc_receive(int fd, int timeout_ms, struct jv **ret_message, struct err *e)
{
	return receive_by(fd, true, clock_deadline(timeout_ms), ret_message, e);
}

/* 0 when ANSWER says that all went well, else what it says went wrong. */
static int judge(const struct jv *answer, struct err *e)
{
	const char *text = jv_get_string(answer, "error");
	int64_t code = jv_get_int(answer, "code", 0);

	if (jv_get_bool(answer, "ok", false))
		return 0;
	if (code >= 0 || code < -4095)
		code = -EPROTO;
	return err_set(e, (int)code, "%s",
		       text ? text : "the other side refused and did not say why");
}

int ipc_call(int fd, const struct jv *request, int timeout_ms, struct jv **ret_answer,
	     struct err *e)
{
	cleanup_jv struct jv *answer = NULL;
	int64_t end = clock_deadline(timeout_ms);
	int r = send_by(fd, request, end, e);

	if (r < 0)
		return r;
	/* What follows an answer is for the caller to read: a console. */
	r = receive_by(fd, false, end, &answer, e);
	if (r < 0)
		return r;
	r = judge(answer, e);
	if (r < 0)
		return r;
	if (ret_answer)
		*ret_answer = take_ptr(answer);
	return 0;
}

int ipc_answer_ok(int fd, const struct jv *more, int timeout_ms, struct err *e)
{
	cleanup_jv struct jv *answer = jv_object();

	jv_set(answer, "ok", jv_bool(true));
	for (void *it = jv_iter(more); it; it = jv_iter_next(more, it))
		jv_set(answer, jv_iter_key(it), jv_copy(jv_iter_value(it)));
	return ipc_send(fd, answer, timeout_ms, e);
}

int ipc_answer_error(int fd, const struct err *failure, int timeout_ms, struct err *e)
{
	cleanup_jv struct jv *answer = jv_object();

	jv_set(answer, "ok", jv_bool(false));
	jv_set(answer, "code", jv_int(failure->code));
	jv_set(answer, "error", jv_string(failure->msg));
	return ipc_send(fd, answer, timeout_ms, e);
}
