/* SPDX-License-Identifier: MIT */
/*
 * filter.h - what a machine may say, and hear, through one port of a bridge:
 * nf_tables in the bridge family. docs/network.md has the rules in words.
 *
 *	table bridge dais
 *	  in    (prerouting)   port ──map "ports"──▶ chain PORT ──▶ PORT-6, ...
 *	        └ a port that is named like ours and not in the map: drop
 *	  local (input)        frames to the host itself: ports in "no-host": drop
 *	  out   (postrouting)  answers of DHCP servers ──map "leases"──▶ PORT-lease
 *	  track (prerouting)   what "in" lets pass     ──map "tracks"──▶ PORT-track
 *	  guard (postrouting)  what is for a port      ──map "guards"──▶ PORT-guard
 *
 * The rules are keyed by the port's name: they stand before there is a port of
 * that name, and a port that has none passes nothing. All of one port is
 * replaced by one transaction; a port is never without. Needs CAP_NET_ADMIN in
 * the caller's network namespace.
 */
#pragma once

#include "base/err.h"
#include "libnet/address.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Links that are named like this are ports of VMs, and none of them goes unfiltered. */
#define FILTER_PORT_PREFIX "dz"

#define FILTER_ADDRESSES_MAX 64
#define FILTER_BLOCKED_MAX   64

struct filter {
	char port[IFNAMSIZ]; /* as zoneadmd_link_name() makes it */
	char mac[MAC_STR];
	/* What it may send from: so many bits as .prefix says must agree. */
	struct addr addresses[FILTER_ADDRESSES_MAX];
	size_t address_count;
	struct addr vrrp_primary; /* VRRP may come from it as well; family 0: none */
	uint16_t blocked[FILTER_BLOCKED_MAX]; /* TCP and UDP ports that it may not send to */
	size_t blocked_count;
	bool dhcp;     /* and from what a DHCP server gives it */
	bool addrconf; /* and from any prefix with the interface identifier of its MAC */
	bool no_host;  /* nothing of it reaches the host itself */
	bool allow_mac;
	bool allow_ip;
	bool allow_dhcp; /* to be a DHCP server */
	bool allow_restricted;
	bool guarded; /* firewall_enabled: nothing reaches it but answers and ICMP */
};

/* Put in force, instead of what there was for this port. */
ATTR_MUST_CHECK int filter_apply(const struct filter *f, struct err *e);

/* Remove what there is for these ports, at once; nothing is success. */
ATTR_MUST_CHECK int filter_remove(const char *const *ports, size_t count, struct err *e);

/*
 * EACH gets the name of every port that has rules, once; it may change them. A kernel
 * without nf_tables has none.
 */
ATTR_MUST_CHECK int filter_each(void (*each)(void *data, const char *port), void *data,
				struct err *e);

/* Is the port known to the filter: 1, or 0, as after 'nft flush ruleset'. */
ATTR_MUST_CHECK int filter_is_there(const char *port, bool guarded, struct err *e);

/* Its rules, "CHAIN: RULE" a line, values in hex. The caller frees. */
char *filter_text(const struct filter *f);
