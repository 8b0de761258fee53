/* SPDX-License-Identifier: MIT */
#include "libmdata/channel.h"

#include <string.h>
#include <sys/socket.h>

/* The kernel counts what it keeps a message in as well. */
static const int socket_room = (int)CHANNEL_MESSAGE_MAX * 2;

/* Only root may have that much; it is root who calls. */
static int make_room(int fd, struct err *e)
{
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &socket_room, sizeof(int)) == 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &socket_room, sizeof(int)) == 0)
		return 0;
	return err_sys(e, "cannot make room in a socket");
}

int channel_make(int ret_ends[static 2], struct err *e)
{
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) < 0)
		return err_sys(e, "cannot make a pair of sockets");
	r = make_room(ret_ends[0], e);
	if (r == 0)
		r = make_room(ret_ends[1], e);
	if (r < 0) {
		close_p(&ret_ends[0]);
		close_p(&ret_ends[1]);
	}
	return r;
}

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int channel_send(int fd, const void *data, size_t len, int pass, struct err *e)
{
	struct iovec io = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	union control c = { .room = { 0 } };
	struct cmsghdr *h = &c.align;

	if (pass >= 0) {
		m.msg_control = c.room;
		m.msg_controllen = sizeof(c.room);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass, sizeof(int));
	}
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return err_sys(e, "cannot send a message");
	return 0;
}

static int take_passed(struct msghdr *m)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	int fd;

	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS ||
	    h->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(h), sizeof(int));
	return fd;
}

int channel_receive(int fd, char *buffer, size_t size, int *ret_passed, struct err *e)
{
	struct iovec io = { .iov_base = buffer, .iov_len = size - 1 };
	union control c = { .room = { 0 } };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	cleanup_close int passed = -1;
	ssize_t n;

	if (ret_passed) {
		m.msg_control = c.room;
		m.msg_controllen = sizeof(c.room);
	}
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "cannot receive a message");
	if (ret_passed)
		passed = take_passed(&m);
	if (n == 0)
		return err_set(e, -ECONNRESET, "the other side is gone");
	if (m.msg_flags & MSG_TRUNC)
		return err_set(e, -EMSGSIZE, "a message is too long");
	buffer[n] = '\0';
	if (ret_passed)
		*ret_passed = take_fd(passed);
	return (int)n;
}
