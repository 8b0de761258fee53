/* SPDX-License-Identifier: MIT */
/*
 * link.h - the links (network interfaces) of the caller's network namespace,
 * over rtnetlink.
 *
 * Each call opens a socket of its own and closes it; nothing is kept between
 * calls. Changing something needs CAP_NET_ADMIN.
 */
#pragma once

#include "base/err.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/* The device group of the bridges that we make: "ip link show group 55829". */
#define LINK_GROUP_DAIS 55829U

struct link_info {
	char name[IFNAMSIZ];
	char kind[16];     /* "bridge", "veth", "bond", ...; "" for hardware */
	char mac[18];      /* "" when it has none of six bytes */
	char perm_mac[18]; /* the one burnt in; "" when the driver tells none */
	int index;
	int master; /* index, 0 for none */
	int peer;   /* of a veth: the other end's index, in the namespace where that is */
	bool vlan_filtering; /* of a bridge */
	unsigned int group;  /* LINK_GROUP_DAIS for what we made and may remove */
	unsigned int mtu;
	unsigned int flags; /* IFF_UP, IFF_LOOPBACK, ... */
};

/* -ENODEV when there is no link of that name. */
ATTR_MUST_CHECK int link_get(const char *name, struct link_info *ret_info, struct err *e);
bool link_exists(const char *name); /* false also when it cannot be found out */

/* All links whose names start with PREFIX ("" for all), by index. The caller frees *RET_LINKS.
 */
ATTR_MUST_CHECK int link_list(const char *prefix, struct link_info **ret_links,
			      size_t *ret_count, struct err *e);

/*
 * A link that may lead out of the host: Ethernet, and no bridge, bond, tap or tunnel.
 * veth counts, for hosts that are containers themselves.
 */
bool link_is_physical(const struct link_info *info);

/* Deleting one end of a veth deletes both. A link that is not there is success. */
ATTR_MUST_CHECK int link_delete(const char *name, struct err *e);
ATTR_MUST_CHECK int link_set_up(const char *name, bool up, struct err *e);
/* Make NAME a port of the bridge MASTER, or of none (NULL). */
ATTR_MUST_CHECK int link_set_master(const char *name, const char *master, struct err *e);
