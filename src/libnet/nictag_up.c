/* SPDX-License-Identifier: MIT */
/*
 * nictag_up.c - from a tag to a bridge that works.
 *
 *	ask for the bridge ──absent──▶ make it ──▶ (its maker, or we, finish it)
 *	      │ present, up
 *	      ▼
 *	add the address ──▶ ask for the link ──not its port──▶ attach it
 *
 * Whoever comes second finds the step done, and every step is finished by the
 * next caller if its doer died. When all holds this is one socket and one
 * question for each of bridge, address and link.
 */
#include "libnet/bridge.h"
#include "libnet/nictag.h"

#include <string.h>

static int fail(const struct nictag *tag, int r, const char *what, struct err *e)
{
	return err_set(e, r, "nic tag '%s': cannot %s '%s': %s", tag->name, what, tag->bridge,
		       strerror(-r));
}

/* The physical interface, by its name, else by its MAC. */
static int find_link(struct rtnl *n, const struct nictag *tag, struct link_info *ret_link,
		     struct err *e)
{
	cleanup_free struct link_info *links = NULL;
	size_t count = 0;
	int r = -ENODEV;

	if (tag->link[0])
		r = rtnl_get_link(n, tag->link, ret_link);
	if (r == 0 && (tag->mac[0] == '\0' || strcmp(ret_link->mac, tag->mac) == 0 ||
		       strcmp(ret_link->perm_mac, tag->mac) == 0))
		return 0;
	if (tag->mac[0] == '\0')
		return err_set(e, r, "nic tag '%s': there is no interface '%s'", tag->name,
			       tag->link);
	r = rtnl_list_links(n, "", 0, &links, &count);
	if (r < 0)
		return err_set(e, r, "nic tag '%s': cannot list the interfaces: %s", tag->name,
			       strerror(-r));
	for (size_t i = 0; i < count; i++)
		if (link_is_physical(&links[i]) && (strcmp(links[i].perm_mac, tag->mac) == 0 ||
						    strcmp(links[i].mac, tag->mac) == 0)) {
			*ret_link = links[i];
			return 0;
		}
	return err_set(e, -ENODEV, "nic tag '%s': there is no interface with the MAC %s",
		       tag->name, tag->mac);
}

static int ensure_bridge(struct rtnl *n, const struct nictag *tag, const char *mac,
			 struct link_info *ret_bridge, struct err *e)
{
	bool link_local = strchr(tag->address, ':') != NULL;
	int r;

	r = rtnl_get_link(n, tag->bridge, ret_bridge);
	if (r == -ENODEV && nictag_is_guest(tag) && tag->link[0] == '\0' && tag->mac[0] == '\0')
		return err_set(e, r, "nic tag '%s': there is no bridge '%s'", tag->name,
			       tag->bridge);
	if (r == -ENODEV) {
		r = bridge_create(n, tag->bridge, mac);
		if (r == 0 || r == -EEXIST)
			r = rtnl_get_link(n, tag->bridge, ret_bridge);
	}
	if (r < 0)
		return fail(tag, r, "make the bridge", e);
	if (strcmp(ret_bridge->kind, "bridge") != 0)
		return err_set(e, -EEXIST, "nic tag '%s': the link '%s' is not a bridge",
			       tag->name, tag->bridge);
	if (ret_bridge->flags & IFF_UP)
		return 0;
	r = bridge_finish(n, ret_bridge->index, tag->mtu, link_local);
	return r < 0 ? fail(tag, r, "bring up the bridge", e) : 0;
}

static int ensure_address(struct rtnl *n, const struct nictag *tag,
			  const struct link_info *bridge, struct err *e)
{
	struct addr a;
	int r;

	r = addr_parse_prefix(tag->address, &a, e);
	if (r < 0)
		return r;
	r = bridge_add_address(n, bridge->index, &a);
	return r < 0 ? err_set(e, r, "nic tag '%s': cannot give '%s' the address %s: %s",
			       tag->name, tag->bridge, tag->address, strerror(-r))
		     : 0;
}

/* A link that has addresses carries somebody's traffic: a port's addresses are dead. */
static int check_free(struct rtnl *n, const struct nictag *tag, const struct link_info *link,
		      struct err *e)
{
	char address[ADDR_STR];
	int r;

	if (link->master)
		return err_set(e, -EBUSY, "nic tag '%s': '%s' is a port of something else",
			       tag->name, link->name);
	r = bridge_find_address(n, link->index, address);
	if (r < 0)
		return fail(tag, r, "look for addresses beside", e);
	if (r > 0)
		return err_set(
			e, -EBUSY,
			"nic tag '%s': '%s' has the address %s, which would stop working: "
			"give it to '%s' first",
			tag->name, link->name, address, tag->bridge);
	return 0;
}

static int ensure_port(struct rtnl *n, const struct nictag *tag, const struct link_info *bridge,
		       const struct link_info *link, struct err *e)
{
	bool ours = bridge->group == LINK_GROUP_DAIS;
	int r;

	if (link->master == bridge->index && (link->flags & IFF_UP))
		return 0;
	if (link->master != bridge->index) {
		r = check_free(n, tag, link, e);
		if (r < 0)
			return r;
	}
	/* The network knows this host by the MAC of its interface. */
	if (ours && link->mac[0] && strcmp(bridge->mac, link->mac) != 0) {
		r = bridge_set_mac(n, bridge->index, link->mac);
		if (r < 0)
			return fail(tag, r, "set the MAC of", e);
	}
	r = bridge_attach(n, bridge->index, link, tag->mtu);
	return r < 0 ? err_set(e, r, "nic tag '%s': cannot make '%s' a port of '%s': %s",
			       tag->name, link->name, tag->bridge, strerror(-r))
		     : 0;
}

int nictag_bring_up(const struct nictag *tag, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info bridge, link = { .index = 0 };
	char mac[MAC_STR];
	int r;

	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	/* The link first: without it, nothing is made that would have to be undone. */
	if (tag->link[0] || tag->mac[0]) {
		r = find_link(&n, tag, &link, e);
		if (r < 0)
			return r;
	}
	mac_derive(tag->bridge, mac);
	r = ensure_bridge(&n, tag, link.mac[0] ? link.mac : mac, &bridge, e);
	if (r < 0)
		return r;
	if (link.index) {
		r = ensure_port(&n, tag, &bridge, &link, e);
		if (r < 0)
			return r;
	}
	return tag->address[0] ? ensure_address(&n, tag, &bridge, e) : 0;
}

int nictag_take_down(const struct nictag *tag, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	cleanup_free struct link_info *ports = NULL;
	struct link_info bridge;
	size_t count = 0;
	int r;

	if (nictag_is_guest(tag))
		return 0;
	r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, tag->bridge, &bridge);
	if (r == -ENODEV || (r == 0 && bridge.group != LINK_GROUP_DAIS))
		return 0;
	if (r == 0)
		r = rtnl_list_links(&n, "", bridge.index, &ports, &count);
	if (r < 0)
		return fail(tag, r, "look at", e);
	for (size_t i = 0; i < count; i++)
		if (strcmp(ports[i].name, tag->link) != 0 &&
		    (tag->mac[0] == '\0' || strcmp(ports[i].mac, tag->mac) != 0))
			return err_set(e, -EBUSY, "nic tag '%s': '%s' still has the port '%s'",
				       tag->name, tag->bridge, ports[i].name);
	return link_delete(tag->bridge, e);
}

int nictag_drop_address(const struct nictag *tag, struct err *e)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct link_info bridge;
	struct addr a;
	int r;

	r = addr_parse_prefix(tag->address, &a, e);
	if (r == 0)
		r = rtnl_open(&n, e);
	if (r < 0)
		return r;
	r = rtnl_get_link(&n, tag->bridge, &bridge);
	if (r == 0)
		r = bridge_del_address(&n, bridge.index, &a);
	return r < 0 && r != -ENODEV ? fail(tag, r, "take the address from", e) : 0;
}

int nictag_drop_link(const struct nictag *tag, struct err *e)
{
	struct link_info bridge, link;

	if (link_get(tag->bridge, &bridge, NULL) < 0 || link_get(tag->link, &link, NULL) < 0 ||
	    link.master != bridge.index)
		return 0;
	return link_set_master(tag->link, NULL, e);
}
