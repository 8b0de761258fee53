/* SPDX-License-Identifier: MIT */
/*
 * rtnl.h - one conversation with the kernel's rtnetlink. Inside libnet only.
 *
 *	rtnl_begin()  a request in the conversation's own buffer
 *	mnl_attr_*()  its attributes
 *	rtnl_ask()    sends it and reads the answer to its end
 *
 * Failures come back as plain -errno: only the caller knows what it wanted.
 */
#pragma once

#include "base/err.h"
#include "libnet/link.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

/* The kernel writes at most this much of a dump at once. */
#define RTNL_BUF 32768

struct rtnl {
	struct mnl_socket *sock;
	unsigned int seq;
	char request[1024] __attribute__((aligned(8)));
};

ATTR_MUST_CHECK int rtnl_open(struct rtnl *n, struct err *e);
/* In the network namespace NETNSFD. The caller has one thread, and is in its own afterwards. */
ATTR_MUST_CHECK int rtnl_open_in(struct rtnl *n, int netnsfd, struct err *e);
void rtnl_close(struct rtnl *n);
#define cleanup_rtnl cleanup_with(rtnl_close)

/* FLAGS beyond NLM_F_REQUEST. */
struct nlmsghdr *rtnl_begin(struct rtnl *n, uint16_t type, uint16_t flags);

/* A request about one link: its ifinfomsg, with INDEX (0: by the name that follows). */
struct nlmsghdr *rtnl_begin_link(struct rtnl *n, uint16_t type, uint16_t flags, int index);

/* Sends REQUEST; CB (may be NULL) sees each message of the answer. */
ATTR_MUST_CHECK int rtnl_ask(struct rtnl *n, struct nlmsghdr *request, mnl_cb_t cb, void *data);

/* link_get() and link_list() within a conversation. MASTER 0: any. -ENODEV: no such link. */
ATTR_MUST_CHECK int rtnl_get_link(struct rtnl *n, const char *name, struct link_info *ret_info);
ATTR_MUST_CHECK int rtnl_list_links(struct rtnl *n, const char *prefix, int master,
				    struct link_info **ret_links, size_t *ret_count);
/* What is 0, NULL or false stays as it is. */
ATTR_MUST_CHECK int rtnl_set_link(struct rtnl *n, int index, unsigned int mtu, bool up);
