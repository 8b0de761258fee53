/* SPDX-License-Identifier: MIT */
#include "libnet/rtnl.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int rtnl_open(struct rtnl *n, struct err *e)
{
	*n = (struct rtnl){ .sock = NULL };
	/* Not bound: the first request binds it, and nobody else sends to us. */
	n->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!n->sock)
		return err_sys(e, "cannot open a netlink socket");
	return 0;
}

/* A socket stays in the namespace in which it was opened. */
int rtnl_open_in(struct rtnl *n, int netnsfd, struct err *e)
{
	cleanup_close int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	*n = (struct rtnl){ .sock = NULL };
	if (own < 0)
		return err_sys(e, "cannot open the own network namespace");
	if (setns(netnsfd, CLONE_NEWNET) < 0)
		return err_sys(e, "cannot enter the network namespace of the machine");
	r = rtnl_open(n, e);
	/* What we would do next, we would do to the machine's links and not to ours. */
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return r;
}

void rtnl_close(struct rtnl *n)
{
	if (n->sock)
		(void)mnl_socket_close(n->sock);
	n->sock = NULL;
}

struct nlmsghdr *rtnl_begin(struct rtnl *n, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(n->request);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	request->nlmsg_seq = ++n->seq;
	return request;
}

struct nlmsghdr *rtnl_begin_link(struct rtnl *n, uint16_t type, uint16_t flags, int index)
{
	struct nlmsghdr *request = rtnl_begin(n, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(request, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = index;
	return request;
}

int rtnl_ask(struct rtnl *n, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	char answer[RTNL_BUF] __attribute__((aligned(8)));
	bool one = !(request->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK));
	int r;

	if (mnl_socket_sendto(n->sock, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		ssize_t len = mnl_socket_recvfrom(n->sock, answer, sizeof(answer));

		if (len < 0 && errno == EINTR) {
			r = MNL_CB_OK;
			continue;
		}
		if (len < 0)
			return -errno;
		r = mnl_cb_run(answer, (size_t)len, request->nlmsg_seq, 0, cb, data);
		if (r < 0)
			return -errno;
		/* A question about one thing is answered by one message and no more. */
		if (one)
			break;
	} while (r > MNL_CB_STOP);
	return 0;
}
