/* SPDX-License-Identifier: MIT */
/*
 * nictag.h - NIC tags: the names by which VMs ask for a network. Each tag is
 * one bridge on the host.
 *
 * ROOT/etc/dais/nictags.json:
 *
 *	{ "admin":  { "address": "10.99.0.1/24", "mtu": 1500, "link": "eth0" },
 *	  "stub0":  { } }
 *
 * "address" is the host's own on that bridge (absent: none), "link" the
 * physical interface that is made a port (absent: a host-only switch, the
 * original's etherstub). The bridge is "br-TAG", or, where that is over 15
 * characters, "br-" and 12 hex digits of the tag's hash.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <net/if.h>
#include <stdbool.h>

#define NICTAG_MAX 31

struct nictag {
	char name[NICTAG_MAX + 1];
	char bridge[IFNAMSIZ];
	char link[IFNAMSIZ];  /* "" for none */
	char address[64];     /* ADDRESS/PREFIX, "" for none */
	unsigned int mtu;     /* 1500 unless said */
};

/* [a-zA-Z0-9_], at most 31 characters. */
bool nictag_name_is_valid(const char *name);

/* -ENOENT: "Invalid nic tag "NAME"". */
ATTR_MUST_CHECK int nictag_find(const struct host *h, const char *name, struct nictag *ret_tag,
				struct err *e);

/*
 * Make sure that the tag's bridge exists, is up, and has the address, MTU and
 * port that it should have. Cheap when all of that holds. Needs CAP_NET_ADMIN
 * in the network namespace of the caller. Two callers at once both succeed.
 */
ATTR_MUST_CHECK int nictag_bring_up(const struct nictag *tag, struct err *e);
