/* SPDX-License-Identifier: MIT */
#include "libnet/link.h"

#include "base/alloc.h"
#include "libnet/rtnl.h"

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

/* A host has a few links a VM; whoever makes more of them than this is not us. */
#define LINKS_MAX 65536

/* A dump that the host changed under our eyes is asked for again. */
#define DUMP_TRIES 20

static void copy_text(const struct nlattr *attr, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
		       (const char *)mnl_attr_get_payload(attr));
}

static void copy_mac(const struct nlattr *attr, char ret[static 18])
{
	const unsigned char *b = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) == 6)
		(void)snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
			       b[4], b[5]);
}

static int on_kind_data(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	if (mnl_attr_get_type(attr) == IFLA_BR_VLAN_FILTERING)
		info->vlan_filtering = mnl_attr_get_u8(attr) != 0;
	return MNL_CB_OK;
}

/* The kernel tells the kind before what only that kind has. */
static int on_link_kind(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		copy_text(attr, info->kind, sizeof(info->kind));
	else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA && strcmp(info->kind, "bridge") == 0)
		return mnl_attr_parse_nested(attr, on_kind_data, data);
	return MNL_CB_OK;
}

static int on_link_attr(const struct nlattr *attr, void *data)
{
	struct link_info *info = data;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		copy_text(attr, info->name, sizeof(info->name));
		break;
	case IFLA_ADDRESS:
		copy_mac(attr, info->mac);
		break;
	case IFLA_PERM_ADDRESS:
		copy_mac(attr, info->perm_mac);
		break;
	case IFLA_MASTER:
		info->master = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		info->peer = (int)mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		info->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_GROUP:
		info->group = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, on_link_kind, data);
	default:
		break;
	}
	return MNL_CB_OK;
}

static int parse_link(const struct nlmsghdr *msg, struct link_info *ret_info)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);

	*ret_info = (struct link_info){ .index = ifi->ifi_index, .flags = ifi->ifi_flags };
	return mnl_attr_parse(msg, sizeof(*ifi), on_link_attr, ret_info);
}

static int on_one_link(const struct nlmsghdr *msg, void *data)
{
	return parse_link(msg, data);
}

int rtnl_get_link(struct rtnl *n, const char *name, struct link_info *ret_info)
{
	struct nlmsghdr *request;

	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	request = rtnl_begin_link(n, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return rtnl_ask(n, request, on_one_link, ret_info);
}

struct link_list {
	const char *prefix;
	int master;
	struct link_info *links;
	size_t count;
	size_t room;
};

static int on_listed_link(const struct nlmsghdr *msg, void *data)
{
	struct link_list *list = data;
	struct link_info info;

	if (msg->nlmsg_type != RTM_NEWLINK || parse_link(msg, &info) < 0)
		return MNL_CB_OK;
	if (strncmp(info.name, list->prefix, strlen(list->prefix)) != 0 ||
	    (list->master && info.master != list->master) || list->count == LINKS_MAX)
		return MNL_CB_OK;
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 16;
		list->links = xrealloc_array(list->links, list->room, sizeof(*list->links));
	}
	list->links[list->count++] = info;
	return MNL_CB_OK;
}

int rtnl_list_links(struct rtnl *n, const char *prefix, int master,
		    struct link_info **ret_links, size_t *ret_count)
{
	struct link_list list = { .prefix = prefix, .master = master };
	int r = -EINTR;

	/* -EINTR: links came or went meanwhile, and some may be missing from the answer. */
	for (int tries = 0; r == -EINTR && tries < DUMP_TRIES; tries++) {
		list.count = 0;
		r = rtnl_ask(n, rtnl_begin_link(n, RTM_GETLINK, NLM_F_DUMP, 0), on_listed_link,
			     &list);
	}
	if (r < 0) {
		free(list.links);
		return r;
	}
	*ret_links = list.links;
	*ret_count = list.count;
	return 0;
}

bool link_is_physical(const struct link_info *info)
{
	static const char *const real_enough[] = { "", "veth", "dummy", "macvlan" };

	if ((info->flags & IFF_LOOPBACK) || info->mac[0] == '\0')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(real_enough); i++)
		if (strcmp(info->kind, real_enough[i]) == 0)
			return true;
	return false;
}

int link_get(const char *name, struct link_info *ret_info, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, name, ret_info);
	return r < 0 ? err_set(e, r, "cannot find the link '%.80s': %s", name, strerror(-r))
		     : 0;
}

bool link_exists(const char *name)
{
	struct link_info info;

	return link_get(name, &info, NULL) == 0;
}

int link_list(const char *prefix, struct link_info **ret_links, size_t *ret_count,
	      struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_list_links(&n, prefix, 0, ret_links, ret_count);
	return r < 0 ? err_set(e, r, "cannot list the links: %s", strerror(-r)) : 0;
}

/* Sends REQUEST about NAME and reads the acknowledgement. */
static int ask_about(struct rtnl *n, struct nlmsghdr *request, const char *name)
{
	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return rtnl_ask(n, request, NULL, NULL);
}

int link_delete(const char *name, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = ask_about(&n, rtnl_begin_link(&n, RTM_DELLINK, NLM_F_ACK, 0), name);
	if (r < 0 && r != -ENODEV)
		return err_set(e, r, "cannot delete the link '%s': %s", name, strerror(-r));
	return 0;
}

int link_set_up(const char *name, bool up, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct nlmsghdr *request;
	struct ifinfomsg *ifi;
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	request = rtnl_begin_link(&n, RTM_NEWLINK, NLM_F_ACK, 0);
	ifi = mnl_nlmsg_get_payload(request);
	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	r = ask_about(&n, request, name);
	if (r < 0)
		return err_set(e, r, "cannot set the link '%.80s' %s: %s", name,
			       up ? "up" : "down", strerror(-r));
	return 0;
}

int link_set_master(const char *name, const char *master, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info info = { .index = 0 };
	struct nlmsghdr *request;
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = master ? rtnl_get_link(&n, master, &info) : 0;
	if (r < 0)
		return err_set(e, r, "cannot find the bridge '%.80s': %s", master,
			       strerror(-r));
	request = rtnl_begin_link(&n, RTM_NEWLINK, NLM_F_ACK, 0);
	mnl_attr_put_u32(request, IFLA_MASTER, (uint32_t)info.index);
	r = ask_about(&n, request, name);
	if (r < 0)
		return err_set(e, r, "cannot make '%.80s' a port of '%s': %s", name,
			       master ? master : "nothing", strerror(-r));
	return 0;
}
