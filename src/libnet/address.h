/* SPDX-License-Identifier: MIT */
/*
 * address.h - IPv4, IPv6 and Ethernet addresses as text and as bytes.
 *
 * Pure: no I/O but the random numbers of mac_generate(), no memory to free.
 * Text that comes in is strict (no leading zeros in IPv4, no "%eth0", no
 * blanks); text that goes out is canonical, so that equal addresses are equal
 * strings.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define ADDR_STR 64 /* "A/PREFIX" and '\0', either family */
#define MAC_STR  18 /* "02:00:00:00:00:01" and '\0' */

struct addr {
	int family;          /* AF_INET or AF_INET6 */
	unsigned int prefix; /* 0 to 32 or 128; the full length when none was given */
	uint8_t bytes[16];   /* network order; the first 4 for AF_INET, the rest 0 */
};

/* "A" alone. The error says what is wrong with TEXT, quoted. */
ATTR_MUST_CHECK int addr_parse(const char *text, struct addr *ret_addr, struct err *e);
/* "A/PREFIX"; the prefix must be there, host bits may be set. */
ATTR_MUST_CHECK int addr_parse_prefix(const char *text, struct addr *ret_addr, struct err *e);

/* "A" and "A/PREFIX". */
void addr_format(const struct addr *a, char ret[static ADDR_STR]);
void addr_format_prefix(const struct addr *a, char ret[static ADDR_STR]);

bool addr_equal(const struct addr *a,
		const struct addr *b); /* family and bytes, not the prefix */
bool addr_contains(const struct addr *network, const struct addr *a); /* by NETWORK's prefix */
/* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16, 127/8; fc00::/7, fe80::/10, ::1. */
bool addr_is_private(const struct addr *a);
/* Can a host have it: not 0.0.0.0, ::, multicast, or 255.255.255.255. */
bool addr_is_unicast(const struct addr *a);

/* "255.255.255.0" to 24. -EINVAL when it is no netmask (holes, not IPv4). */
ATTR_MUST_CHECK int netmask_to_prefix(const char *netmask, unsigned int *ret_prefix,
				      struct err *e);
/* 24 to "255.255.255.0"; PREFIX is at most 32. */
void netmask_from_prefix(unsigned int prefix, char ret[static ADDR_STR]);

/*
 * Six groups of one or two hex digits, either case, to lower case with two digits
 * each. Any MAC passes here, multicast ones as well; see mac_is_unicast().
 */
ATTR_MUST_CHECK int mac_normalise(const char *text, char ret[static MAC_STR], struct err *e);
bool mac_is_unicast(const char *mac); /* MAC is normalised; false for 00:00:00:00:00:00 too */

/* A fresh, random, locally administered unicast MAC. */
void mac_generate(char ret[static MAC_STR]);
/* The same MAC for the same KEY, always: locally administered, unicast. */
void mac_derive(const char *key, char ret[static MAC_STR]);
