/* SPDX-License-Identifier: MIT */
#include "libnet/port.h"

#include "libnet/bridge.h"
#include "libnet/rtnl.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <string.h>

/* The VLAN of what is untagged on a bridge's wires, as the kernel sets it up. */
#define VLAN_UNTAGGED 1

static struct nlmsghdr *begin_bridge_link(struct rtnl *n, uint16_t type, uint16_t flags,
					  int index)
{
	struct nlmsghdr *request = rtnl_begin_link(n, type, flags | NLM_F_ACK, index);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(request);

	ifi->ifi_family = AF_BRIDGE;
	return request;
}

/* ---- VLANs ------------------------------------------------------------------- */

static int set_vlan_filtering(struct rtnl *n, int bridge)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, bridge);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	struct nlattr *data;

	mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u8(request, IFLA_BR_VLAN_FILTERING, 1);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return rtnl_ask(n, request, NULL, NULL);
}

static int change_vlan(struct rtnl *n, uint16_t type, int port, unsigned int vlan,
		       unsigned int flags)
{
	return rtnl_ask(n, bridge_vlan_request(n, type, port, vlan, flags), NULL, NULL);
}

struct nlmsghdr *bridge_vlan_request(struct rtnl *n, uint16_t type, int port, unsigned int vlan,
				     unsigned int flags)
{
	struct bridge_vlan_info info = { .flags = (uint16_t)flags, .vid = (uint16_t)vlan };
	struct nlmsghdr *request = begin_bridge_link(n, type, 0, port);
	struct nlattr *spec = mnl_attr_nest_start(request, IFLA_AF_SPEC);

	mnl_attr_put(request, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
	mnl_attr_nest_end(request, spec);
	return request;
}

static int no_vlan(const struct nictag *tag, int r, unsigned int vlan, struct err *e)
{
	if (r == -EOPNOTSUPP)
		return err_set(e, r,
			       "VLAN %u: the bridges of this kernel know no VLANs "
			       "(CONFIG_BRIDGE_VLAN_FILTERING)",
			       vlan);
	return err_set(e, r, "VLAN %u: cannot prepare '%s': %s", vlan, tag->bridge,
		       strerror(-r));
}

int port_prepare_vlan(const struct nictag *tag, unsigned int vlan, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info bridge, link;
	int r;

	if (vlan == VLAN_UNTAGGED || vlan > 4094)
		return err_set(e, -EINVAL,
			       "VLAN %u: it must be 2 to 4094; %u is what a bridge calls the "
			       "untagged frames, which 0 asks for",
			       vlan, VLAN_UNTAGGED);
	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, tag->bridge, &bridge);
	/* On somebody else's bridge this could cut off who is there. */
	if (r == 0 && nictag_is_guest(tag) && !bridge.vlan_filtering)
		return err_set(e, -EINVAL,
			       "VLAN %u: the bridge '%s' is not ours and filters no VLANs: 'ip "
			       "link set %s type bridge vlan_filtering 1' turns that on",
			       vlan, tag->bridge, tag->bridge);
	if (r == 0 && !bridge.vlan_filtering)
		r = set_vlan_filtering(&n, bridge.index);
	if (r == 0 && tag->link[0]) {
		r = rtnl_get_link(&n, tag->link, &link);
		if (r == 0)
			r = change_vlan(&n, RTM_SETLINK, link.index, vlan, 0);
	}
	return r < 0 ? no_vlan(tag, r, vlan, e) : 0;
}

static int set_port_vlan(struct rtnl *n, int port, unsigned int vlan)
{
	int r;

	/* Where no bridge knows VLANs, the one of what is untagged is not missing. */
	r = change_vlan(n, RTM_SETLINK, port, vlan ? vlan : VLAN_UNTAGGED,
			BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	if (r < 0)
		return vlan ? r : 0;
	if (!vlan)
		return 0;
	r = change_vlan(n, RTM_DELLINK, port, VLAN_UNTAGGED, 0);
	return r == -ENOENT ? 0 : r;
}

/* ---- the host's end ------------------------------------------------------------ */

static int set_port_flags(struct rtnl *n, int port, bool strict)
{
	struct nlmsghdr *request = begin_bridge_link(n, RTM_SETLINK, 0, port);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_PROTINFO);

	mnl_attr_put_u8(request, IFLA_BRPORT_LEARNING, !strict);
	mnl_attr_put_u8(request, IFLA_BRPORT_UNICAST_FLOOD, !strict);
	/* Holds the MAC even where somebody has flushed the rules; older kernels skip it. */
	mnl_attr_put_u8(request, IFLA_BRPORT_LOCKED, strict);
	/* What it has learned is as good as what it was told. */
	if (strict)
		mnl_attr_put(request, IFLA_BRPORT_FLUSH, 0, NULL);
	mnl_attr_nest_end(request, info);
	return rtnl_ask(n, request, NULL, NULL);
}

/* In each VLAN that the port is in. */
static int set_port_mac(struct rtnl *n, int port, const char *mac, bool there)
{
	struct nlmsghdr *request =
		rtnl_begin(n, there ? RTM_NEWNEIGH : RTM_DELNEIGH,
			   NLM_F_ACK | (there ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(request, sizeof(*ndm));
	unsigned char bytes[6];
	int r;

	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = port;
	ndm->ndm_state = NUD_NOARP;
	ndm->ndm_flags = NTF_MASTER;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)strtoul(mac + 3 * i, NULL, 16);
	mnl_attr_put(request, NDA_LLADDR, sizeof(bytes), bytes);
	r = rtnl_ask(n, request, NULL, NULL);
	return r == -ENOENT && !there ? 0 : r;
}

/* The MAC first: a port that is locked and has none says nothing. */
static int settle(struct rtnl *n, int port, const struct port *p)
{
	int r;

	if (p->strict) {
		r = set_port_mac(n, port, p->mac, true);
		return r < 0 ? r : set_port_flags(n, port, true);
	}
	r = set_port_flags(n, port, false);
	return r < 0 ? r : set_port_mac(n, port, p->mac, false);
}

static int fail(const struct port *p, int r, const char *what, struct err *e)
{
	return err_set(e, r, "cannot %s '%s' on '%s': %s", what, p->name, p->bridge,
		       strerror(-r));
}

int port_settle(const struct port *p, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info link;
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, p->name, &link);
	if (r == 0)
		r = settle(&n, link.index, p);
	return r < 0 ? fail(p, r, "set up the port", e) : 0;
}

int port_create(const struct port *p, const char *interface, unsigned int mtu, int netnsfd,
		struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct nlmsghdr *request;
	struct nlattr *info, *data, *peer;
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	request = rtnl_begin_link(&n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, p->name);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	(void)mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(request, IFLA_IFNAME, interface);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netnsfd);
	bridge_put_mac(request, p->mac);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	r = rtnl_ask(&n, request, NULL, NULL);
	if (r == -EEXIST && link_exists(p->name))
		return 0;
	if (r == -EEXIST)
		return err_set(e, r, "the machine has an interface '%s' already", interface);
	return r < 0 ? fail(p, r, "make the port", e) : 0;
}

/* Not up with it, as bridge_attach() does: its VLAN comes first. */
static int set_master(struct rtnl *n, int index, int bridge)
{
	struct nlmsghdr *request = rtnl_begin_link(n, RTM_NEWLINK, NLM_F_ACK, index);

	mnl_attr_put_u32(request, IFLA_MASTER, (uint32_t)bridge);
	return rtnl_ask(n, request, NULL, NULL);
}

int port_attach(const struct port *p, unsigned int mtu, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info link, bridge;
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, p->bridge, &bridge);
	if (r == 0)
		r = rtnl_get_link(&n, p->name, &link);
	if (r == 0 && link.mtu != mtu)
		r = rtnl_set_link(&n, link.index, mtu, false);
	if (r == 0 && link.master != bridge.index)
		r = set_master(&n, link.index, bridge.index);
	if (r == 0)
		r = set_port_vlan(&n, link.index, p->vlan);
	if (r == 0)
		r = settle(&n, link.index, p);
	if (r == 0)
		r = rtnl_set_link(&n, link.index, 0, true);
	return r < 0 ? fail(p, r, "attach the port", e) : 0;
}
