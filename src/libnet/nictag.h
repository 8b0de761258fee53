/* SPDX-License-Identifier: MIT */
/*
 * nictag.h - NIC tags: the names by which VMs ask for a network. Each tag is
 * one bridge on the host.
 *
 * ROOT/etc/dais/nictags.json:
 *
 *	{ "admin":  { "mac": "52:54:00:12:34:56", "link": "eth0", "mtu": 1500,
 *	              "address": "10.99.0.1/24" },
 *	  "stub0":  { } }
 *
 * "link" is the physical interface that is made a port; "mac" is that
 * interface's own address and finds it again when its name has changed. "bridge"
 * names the bridge where it is not the tag's own: one that somebody else made,
 * or the one of another tag with the same interface. With none of these the
 * tag is a switch inside the host (the original's etherstub). "address" is the
 * host's own on the bridge (absent: none). Without the file there are no tags.
 *
 * The tag's own bridge is "br-TAG", or, where that is over 15 characters, "br-"
 * and 12 hex digits of the tag's hash. Its MAC is its link's, or derived from the
 * tag's name, and stays whatever ports come and go. Where the tag has no address
 * the host has none there, not even a link-local one: the zones of that network
 * do not reach it.
 */
#pragma once

#include "base/err.h"
#include "libnet/address.h"
#include "libsys/host.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define NICTAG_MAX       31
#define NICTAG_FILE      "nictags.json" /* in HOST_ETC */
#define NICTAG_COUNT_MAX 1024
#define NICTAG_MTU_MIN   1500
#define NICTAG_MTU_MAX   9000

struct nictag {
	char name[NICTAG_MAX + 1];
	char bridge[IFNAMSIZ];  /* always there */
	char link[IFNAMSIZ];    /* "" for none */
	char address[ADDR_STR]; /* ADDRESS/PREFIX, "" for none */
	unsigned int mtu;       /* 1500 unless said */
	char mac[MAC_STR];      /* of the physical interface, "" for unknown */
};

/* [a-zA-Z0-9_], at most 31 characters. */
bool nictag_name_is_valid(const char *name);

/* A switch inside the host, with no way out of it by itself. */
bool nictag_is_etherstub(const struct nictag *tag);

/* Fills TAG for a valid NAME: its own bridge's name, MTU 1500, nothing else. */
void nictag_init(struct nictag *tag, const char *name);

/* Is the bridge another's? Such a one is never made without a link, and never removed. */
bool nictag_is_guest(const struct nictag *tag);

/* At most 15 characters, no '/', ':' or blank. */
bool nictag_link_name_is_valid(const char *name);

/* -ENOENT: "Invalid nic tag "NAME"". */
ATTR_MUST_CHECK int nictag_find(const struct host *h, const char *name, struct nictag *ret_tag,
				struct err *e);

/* All tags in the file's order; none when the file is absent. The caller frees *RET_TAGS. */
ATTR_MUST_CHECK int nictag_load(const struct host *h, struct nictag **ret_tags,
				size_t *ret_count, struct err *e);

/* The same from text, for those who have it elsewhere. SOURCE names it in errors. */
ATTR_MUST_CHECK int nictag_parse(const char *text, size_t len, const char *source,
				 struct nictag **ret_tags, size_t *ret_count, struct err *e);

/*
 * Replace the file atomically. Whoever changes tags holds nictag_lock() from
 * its load to its store; the lock ends when the descriptor is closed.
 */
ATTR_MUST_CHECK int nictag_store(const struct host *h, const struct nictag *tags, size_t count,
				 struct err *e);
ATTR_MUST_CHECK int nictag_lock(const struct host *h, struct err *e);

/*
 * Make sure that the tag's bridge exists, is up, and has the address and the
 * port that it should have. The MTU is set when the bridge is made; a later
 * change waits for the next boot. Cheap when all of that holds. Needs
 * CAP_NET_ADMIN in the network namespace of the caller. Two callers at once
 * both succeed.
 *
 * -ENODEV: the tag's interface, or its foreign bridge, is not there. -EBUSY: it is another
 * bridge's port, or has addresses of its own, which it would lose.
 */
ATTR_MUST_CHECK int nictag_bring_up(const struct nictag *tag, struct err *e);

/*
 * Remove the bridge if nictag_bring_up() made it and nothing but its link is a
 * port of it; -EBUSY when a VM is. A bridge that is not there is success, and so
 * is one that somebody else made: it stays.
 */
ATTR_MUST_CHECK int nictag_take_down(const struct nictag *tag, struct err *e);

/*
 * Take the tag's address from its bridge, or its link out of it, as when the tag
 * is about to have another. What is not there is success.
 */
ATTR_MUST_CHECK int nictag_drop_address(const struct nictag *tag, struct err *e);
ATTR_MUST_CHECK int nictag_drop_link(const struct nictag *tag, struct err *e);
