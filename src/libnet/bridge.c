/* SPDX-License-Identifier: MIT */
#include "libnet/bridge.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

/* Any but the final MTU: only one that is changed later counts as set on purpose. */
#define MTU_AT_FIRST 1280

void bridge_put_mac(struct nlmsghdr *request, const char *mac)
{
	unsigned char bytes[6];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)strtoul(mac + 3 * i, NULL, 16);
	mnl_attr_put(request, IFLA_ADDRESS, sizeof(bytes), bytes);
}

int bridge_create(struct rtnl *n, const char *name, const char *mac)
{
	struct nlmsghdr *request =
		rtnl_begin_link(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
	struct nlattr *info, *data;

	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	mnl_attr_put_u32(request, IFLA_MTU, MTU_AT_FIRST);
	mnl_attr_put_u32(request, IFLA_GROUP, LINK_GROUP_DAIS);
	bridge_put_mac(request, mac);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u32(request, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(request, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(request, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return rtnl_ask(n, request, NULL, NULL);
}

int rtnl_set_link(struct rtnl *n, int index, unsigned int mtu, bool up)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, index);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(request);

	ifi->ifi_change = up ? IFF_UP : 0;
	ifi->ifi_flags = up ? IFF_UP : 0;
	if (mtu)
		mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return rtnl_ask(n, request, NULL, NULL);
}

static struct nlmsghdr *begin_up(struct rtnl *n, int index)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, index);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(request);

	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = IFF_UP;
	return request;
}

static int set_addr_gen_mode(struct rtnl *n, int index, uint8_t mode)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, index);
	struct nlattr *spec = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(request, AF_INET6);

	mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, mode);
	mnl_attr_nest_end(request, inet6);
	mnl_attr_nest_end(request, spec);
	return rtnl_ask(n, request, NULL, NULL);
}

int bridge_finish(struct rtnl *n, int index, unsigned int mtu, bool link_local)
{
	struct nlmsghdr *request;
	int r;

	r = set_addr_gen_mode(n, index,
			      link_local ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE);
	/* A kernel that has no IPv6 gives no such address either. */
	if (r < 0 && r != -EAFNOSUPPORT && r != -EOPNOTSUPP && r != -EINVAL)
		return r;
	request = begin_up(n, index);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return rtnl_ask(n, request, NULL, NULL);
}

int bridge_set_mac(struct rtnl *n, int index, const char *mac)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, index);

	bridge_put_mac(request, mac);
	return rtnl_ask(n, request, NULL, NULL);
}

int bridge_attach(struct rtnl *n, int index, const struct link_info *port, unsigned int mtu)
{
	struct nlmsghdr *request = begin_up(n, port->index);

	mnl_attr_put_u32(request, IFLA_MASTER, (uint32_t)index);
	if (port->mtu < mtu)
		mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return rtnl_ask(n, request, NULL, NULL);
}

static struct nlmsghdr *begin_address(struct rtnl *n, uint16_t type, uint16_t flags, int index,
				      const struct addr *a)
{
	struct nlmsghdr *request = rtnl_begin(n, type, flags | NLM_F_ACK);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(request, sizeof(*ifa));

	ifa->ifa_family = (unsigned char)a->family;
	ifa->ifa_prefixlen = (unsigned char)a->prefix;
	/* Nobody else on that bridge has it: who has the tag's address is the tag's to say. */
	ifa->ifa_flags = a->family == AF_INET6 ? IFA_F_NODAD : 0;
	ifa->ifa_index = (unsigned int)index;
	mnl_attr_put(request, IFA_LOCAL, a->family == AF_INET ? 4 : 16, a->bytes);
	return request;
}

/* The kernel does not work it out by itself. */
static void put_broadcast(struct nlmsghdr *request, const struct addr *a)
{
	uint8_t bytes[4];

	memcpy(bytes, a->bytes, sizeof(bytes));
	for (unsigned int bit = a->prefix; bit < 32; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	mnl_attr_put(request, IFA_BROADCAST, sizeof(bytes), bytes);
}

int bridge_add_address(struct rtnl *n, int index, const struct addr *a)
{
	struct nlmsghdr *request =
		begin_address(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, a);
	int r;

	if (a->family == AF_INET && a->prefix < 31)
		put_broadcast(request, a);
	r = rtnl_ask(n, request, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

int bridge_del_address(struct rtnl *n, int index, const struct addr *a)
{
	int r = rtnl_ask(n, begin_address(n, RTM_DELADDR, 0, index, a), NULL, NULL);

	return r == -EADDRNOTAVAIL ? 0 : r;
}

struct address_search {
	int index;
	bool found;
	struct addr addr;
};

static int on_address_attr(const struct nlattr *attr, void *data)
{
	struct addr *a = data;

	if (mnl_attr_get_type(attr) == IFA_ADDRESS &&
	    mnl_attr_get_payload_len(attr) <= sizeof(a->bytes))
		memcpy(a->bytes, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

static int on_address(const struct nlmsghdr *msg, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(msg);
	struct address_search *search = data;

	if (search->found || (int)ifa->ifa_index != search->index ||
	    ifa->ifa_scope >= RT_SCOPE_LINK)
		return MNL_CB_OK;
	search->found = true;
	search->addr = (struct addr){ .family = ifa->ifa_family, .prefix = ifa->ifa_prefixlen };
	return mnl_attr_parse(msg, sizeof(*ifa), on_address_attr, &search->addr);
}

int bridge_find_address(struct rtnl *n, int index, char ret[static ADDR_STR])
{
	struct nlmsghdr *request = rtnl_begin(n, RTM_GETADDR, NLM_F_DUMP);
	struct address_search search = { .index = index };
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(request, sizeof(*ifa));
	int r;

	ifa->ifa_family = AF_UNSPEC;
	r = rtnl_ask(n, request, on_address, &search);
	if (r < 0 && r != -EINTR)
		return r;
	if (search.found)
		addr_format_prefix(&search.addr, ret);
	return search.found;
}
