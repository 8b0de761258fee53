/* SPDX-License-Identifier: MIT */
/*
 * bridge.h - the steps of nictag_bring_up(), each of which may have been done
 * already by somebody else. Inside libnet only.
 */
#pragma once

#include "libnet/address.h"
#include "libnet/rtnl.h"

#include <stdbool.h>

/*
 * Make the bridge NAME, down, without an address, marked as ours. STP is off and
 * ports forward at once. Multicast goes to all ports: snooping without a querier
 * in the network loses neighbours. -EEXIST when there is a link of that name.
 */
ATTR_MUST_CHECK int bridge_create(struct rtnl *n, const char *name, const char *mac);

/*
 * The rest of what bridge_create() began, again and again if need be: MTU, no
 * link-local address unless LINK_LOCAL, and up.
 */
ATTR_MUST_CHECK int bridge_finish(struct rtnl *n, int index, unsigned int mtu, bool link_local);

ATTR_MUST_CHECK int bridge_set_mac(struct rtnl *n, int index, const char *mac);

/* Make the link PORT one of the bridge, up, and with at least MTU. */
ATTR_MUST_CHECK int bridge_attach(struct rtnl *n, int index, const struct link_info *port,
				  unsigned int mtu);

/* Give the link an address that it may have; take one away that it may not have. */
ATTR_MUST_CHECK int bridge_add_address(struct rtnl *n, int index, const struct addr *a);
ATTR_MUST_CHECK int bridge_del_address(struct rtnl *n, int index, const struct addr *a);

/* An address of more than link scope that the link has. 1: there is one, in RET; 0: none. */
ATTR_MUST_CHECK int bridge_find_address(struct rtnl *n, int index, char ret[static ADDR_STR]);

/* IFLA_ADDRESS with a MAC that went through mac_normalise(). */
void bridge_put_mac(struct nlmsghdr *request, const char *mac);

/* The port comes into the VLAN (RTM_SETLINK) or leaves it (RTM_DELLINK). In port.c. */
struct nlmsghdr *bridge_vlan_request(struct rtnl *n, uint16_t type, int port, unsigned int vlan,
				     unsigned int flags);
