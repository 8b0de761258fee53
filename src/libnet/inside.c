/* SPDX-License-Identifier: MIT */
#include "libnet/inside.h"

#include "base/alloc.h"
#include "libnet/bridge.h"
#include "libnet/rtnl.h"

#include <string.h>

/* "ip route show proto 216": the routes that come from a record. */
#define ROUTE_MARK 216

struct inside {
	struct rtnl n;
};

int inside_open(int netnsfd, struct inside **ret_inside, struct err *e)
{
	struct inside *in = xcalloc(1, sizeof(*in));
	int r = rtnl_open_in(&in->n, netnsfd, e);

	if (r < 0) {
		inside_close(in);
		return r;
	}
	*ret_inside = in;
	return 0;
}

void inside_close(struct inside *in)
{
	if (in)
		rtnl_close(&in->n);
	free(in);
}

void inside_close_p(struct inside **in)
{
	inside_close(*in);
}

static int on_index(const struct nlmsghdr *msg, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);

	*(int *)data = ifi->ifi_index;
	return MNL_CB_OK;
}

int inside_find(struct inside *in, const char *port, int *ret_index, struct err *e)
{
	struct link_info link;
	int index = 0;
	int r;

	r = link_get(port, &link, e);
	if (r < 0)
		return r;
	/* The number is one of the namespace where the other end was put; it may have left. */
	r = rtnl_ask(&in->n, rtnl_begin_link(&in->n, RTM_GETLINK, 0, link.peer), on_index,
		     &index);
	if (r < 0 || index != link.peer)
		return err_set(e, -ENODEV, "the machine has moved or removed its end of '%s'",
			       port);
	*ret_index = index;
	return 0;
}

int inside_set_link(struct inside *in, int index, unsigned int mtu, bool up, struct err *e)
{
	int r = rtnl_set_link(&in->n, index, mtu, up);

	return r < 0 ? err_set(e, r, "cannot set the MTU %u: %s", mtu, strerror(-r)) : 0;
}

static int change_address(struct inside *in, int index, const char *text, bool there,
			  struct err *e)
{
	struct addr a;
	int r = addr_parse_prefix(text, &a, e);

	if (r < 0)
		return r;
	if (there)
		r = bridge_add_address(&in->n, index, &a);
	else
		r = bridge_del_address(&in->n, index, &a);
	return r < 0 ? err_set(e, r, "'%s': %s", text, strerror(-r)) : 0;
}

int inside_add_address(struct inside *in, int index, const char *address, struct err *e)
{
	return change_address(in, index, address, true, e);
}

int inside_del_address(struct inside *in, int index, const char *address, struct err *e)
{
	return change_address(in, index, address, false, e);
}

/* ---- routes -------------------------------------------------------------------- */

static size_t width(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

static int change_route(struct rtnl *n, uint16_t type, uint16_t flags, uint8_t mark,
			const struct inside_route *route)
{
	struct nlmsghdr *request = rtnl_begin(n, type, flags | NLM_F_ACK);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(request, sizeof(*rtm));

	rtm->rtm_family = (unsigned char)route->to.family;
	rtm->rtm_dst_len = (unsigned char)route->to.prefix;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = mark;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = route->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (type == RTM_DELROUTE)
		rtm->rtm_scope = RT_SCOPE_NOWHERE;
	if (route->to.prefix)
		mnl_attr_put(request, RTA_DST, width(&route->to), route->to.bytes);
	if (route->via.family)
		mnl_attr_put(request, RTA_GATEWAY, width(&route->via), route->via.bytes);
	if (route->index)
		mnl_attr_put_u32(request, RTA_OIF, (uint32_t)route->index);
	return rtnl_ask(n, request, NULL, NULL);
}

static int default_route(const char *gateway, struct inside_route *ret_route, struct err *e)
{
	int r;

	*ret_route = (struct inside_route){ .index = 0 };
	r = addr_parse(gateway, &ret_route->via, e);
	ret_route->to.family = ret_route->via.family;
	return r;
}

int inside_set_gateway(struct inside *in, const char *gateway, struct err *e)
{
	struct inside_route route;
	int r = default_route(gateway, &route, e);

	if (r < 0)
		return r;
	r = change_route(&in->n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, RTPROT_BOOT,
			 &route);
	return r < 0 ? err_set(e, r, "'%s': %s", gateway, strerror(-r)) : 0;
}

int inside_del_gateway(struct inside *in, const char *gateway, struct err *e)
{
	struct inside_route route;
	int r = default_route(gateway, &route, e);

	if (r < 0)
		return r;
	r = change_route(&in->n, RTM_DELROUTE, 0, 0, &route);
	return r < 0 && r != -ESRCH ? err_set(e, r, "'%s': %s", gateway, strerror(-r)) : 0;
}

struct route_list {
	struct inside_route *routes;
	size_t count;
};

static int on_route_attr(const struct nlattr *attr, void *data)
{
	struct inside_route *route = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == RTA_DST && len <= sizeof(route->to.bytes))
		memcpy(route->to.bytes, mnl_attr_get_payload(attr), len);
	if (mnl_attr_get_type(attr) == RTA_GATEWAY && len <= sizeof(route->via.bytes)) {
		memcpy(route->via.bytes, mnl_attr_get_payload(attr), len);
		route->via.family = route->to.family;
		route->via.prefix = (unsigned int)len * 8;
	}
	if (mnl_attr_get_type(attr) == RTA_OIF)
		route->index = (int)mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *msg, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(msg);
	struct route_list *list = data;
	struct inside_route route = { .index = 0 };

	if (rtm->rtm_protocol != ROUTE_MARK || list->count == INSIDE_ROUTES_MAX)
		return MNL_CB_OK;
	route.to = (struct addr){ .family = rtm->rtm_family, .prefix = rtm->rtm_dst_len };
	if (mnl_attr_parse(msg, sizeof(*rtm), on_route_attr, &route) < 0)
		return MNL_CB_OK;
	list->routes[list->count++] = route;
	return MNL_CB_OK;
}

static bool same_route(const struct inside_route *want, const struct inside_route *have)
{
	if (!addr_equal(&want->to, &have->to) || want->to.prefix != have->to.prefix ||
	    want->via.family != have->via.family)
		return false;
	return want->via.family ? addr_equal(&want->via, &have->via)
				: want->index == have->index;
}

static int del_others(struct inside *in, const struct inside_route *routes, size_t count)
{
	cleanup_free struct inside_route *have = xcalloc(INSIDE_ROUTES_MAX, sizeof(*have));
	struct route_list list = { .routes = have };
	struct nlmsghdr *request = rtnl_begin(&in->n, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(request, sizeof(*rtm));
	int r;

	rtm->rtm_family = AF_INET;
	r = rtnl_ask(&in->n, request, on_route, &list);
	if (r < 0 && r != -EINTR)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		bool wanted = false;

		for (size_t w = 0; w < count; w++)
			wanted |= same_route(&routes[w], &have[i]);
		if (wanted)
			continue;
		r = change_route(&in->n, RTM_DELROUTE, 0, ROUTE_MARK, &have[i]);
		if (r < 0 && r != -ESRCH)
			return r;
	}
	return 0;
}

int inside_set_routes(struct inside *in, struct inside_route *routes, size_t count,
		      struct err *e)
{
	int r = del_others(in, routes, count);

	if (r < 0)
		return err_set(e, r, "cannot take away old routes: %s", strerror(-r));
	for (size_t i = 0; i < count; i++)
		routes[i].failed =
			change_route(&in->n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
				     ROUTE_MARK, &routes[i]);
	return 0;
}
