/* SPDX-License-Identifier: MIT */
/*
 * port.h - the port of a bridge that belongs to one NIC of a machine, and what
 * the NIC has at its other end, in the machine's network namespace.
 *
 *	bridge ◀── port (host) ══ veth ══ NIC (machine)
 *
 * Nothing here filters: see filter.h, which comes first. Each call may be made
 * again, and finishes what an earlier one that was killed has begun. Needs
 * CAP_NET_ADMIN in both namespaces.
 */
#pragma once

#include "base/err.h"
#include "libnet/address.h"
#include "libnet/nictag.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct port {
	char name[IFNAMSIZ]; /* the host's end */
	char bridge[IFNAMSIZ];
	char mac[MAC_STR]; /* the machine's */
	unsigned int vlan; /* 0: untagged */
	/*
	 * It has one MAC and no other: the bridge is told where that is, and neither
	 * learns from the port nor sends it what is for others. Else it is a port as any.
	 */
	bool strict;
};

/*
 * Make the bridge of TAG ready for ports in the VLAN. -EOPNOTSUPP: this kernel's
 * bridges know no VLANs. -EINVAL: a number that cannot be used, or somebody else's
 * bridge that does not filter them.
 */
ATTR_MUST_CHECK int port_prepare_vlan(const struct nictag *tag, unsigned int vlan,
				      struct err *e);

/* After the port is there, and again when it changes. The VLAN of a NIC that liblxc made is
 * set. */
ATTR_MUST_CHECK int port_settle(const struct port *p, struct err *e);

/*
 * The pair, its other end as INTERFACE in the namespace NETNSFD; both are down.
 * 0 too when there is a link of the port's name.
 */
ATTR_MUST_CHECK int port_create(const struct port *p, const char *interface, unsigned int mtu,
				int netnsfd, struct err *e);

/* A port of the bridge, in its VLAN, settled, up, with the MTU. */
ATTR_MUST_CHECK int port_attach(const struct port *p, unsigned int mtu, struct err *e);
