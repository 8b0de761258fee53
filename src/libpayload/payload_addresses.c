/* SPDX-License-Identifier: MIT */
/*
 * The addresses of a NIC. Two forms come in: ip, netmask and gateway, or ips and
 * gateways. The record holds the second, and the first beside it for clients
 * that know nothing else.
 */
#include "libpayload/payload_rules.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libnet/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define IPS_MAX         20
#define ALLOWED_IPS_MAX 13
#define ADDRESSES_MAX   32
#define CIDS_MAX        20
#define CIDS_LEN_MAX    1024

static bool is_word(const char *text)
{
	return strcmp(text, "dhcp") == 0 || strcmp(text, "addrconf") == 0;
}

/* ip and netmask to one member of ips. NULL: told, or nothing given. */
static struct jv *ips_from_old(const struct jv *nic, size_t index, struct problems *ps)
{
	const char *ip = jv_get_string(nic, "ip");
	const char *mask = jv_get_string(nic, "netmask");
	char where[64], text[ADDR_STR + 8];
	unsigned int prefix;
	struct addr a;
	struct jv *ips;

	if (!ip || !*ip)
		return NULL;
	if (strcmp(ip, "dhcp") == 0) {
		(void)snprintf(text, sizeof(text), "dhcp");
	} else if (addr_parse(ip, &a, NULL) < 0 || a.family != AF_INET) {
		problems_add(ps, PROBLEM_VALUE, "nics.*.ip",
			     payload_nic_pointer(where, index, "ip"),
			     "must be an IPv4 address or dhcp; give others in ips");
		return NULL;
	} else if (!mask) {
		cleanup_free char *json = jv_dump(nic, 0);

		problems_add(ps, PROBLEM_RULE, "netmask",
			     payload_nic_pointer(where, index, "ip"),
			     "Missing .netmask option for NIC: %s", json);
		return NULL;
	} else if (netmask_to_prefix(mask, &prefix, NULL) < 0) {
		problems_add(ps, PROBLEM_RULE, "netmask",
			     payload_nic_pointer(where, index, "netmask"),
			     "Specified netmask value is invalid: %s", mask);
		return NULL;
	} else {
		(void)snprintf(text, sizeof(text), "%s/%u", ip, prefix);
	}
	ips = jv_array();
	jv_push(ips, jv_string(text));
	return ips;
}

/* Each of ips in its canonical form; LIST is the new array. */
static void one_address(const char *text, const char *where, struct jv *list,
			struct problems *ps)
{
	char canonical[ADDR_STR];
	struct addr a;

	if (text && is_word(text)) {
		jv_push(list, jv_string(text));
		return;
	}
	if (!text || addr_parse_prefix(text, &a, NULL) < 0) {
		problems_add(ps, PROBLEM_VALUE, "nics.*.ips", where,
			     "must be ADDRESS/PREFIX, as 10.0.0.7/24, or dhcp or addrconf");
		return;
	}
	if (!addr_is_unicast(&a)) {
		problems_add(ps, PROBLEM_VALUE, "nics.*.ips", where,
			     "must be an address that a host can have");
		return;
	}
	if (a.family == AF_INET && a.prefix < 8) {
		problems_add(ps, PROBLEM_VALUE, "nics.*.ips", where,
			     "must have a prefix from 8 to 32");
		return;
	}
	addr_format_prefix(&a, canonical);
	jv_push(list, jv_string(canonical));
}

static void new_form(struct jv *nic, size_t index, struct problems *ps)
{
	const struct jv *ips = jv_get(nic, "ips");
	struct jv *list = jv_array();
	char where[64], member[40];

	if (jv_len(ips) > IPS_MAX) {
		problems_add(ps, PROBLEM_RULE, "ips", payload_nic_pointer(where, index, "ips"),
			     "nic.*.ips contains %zu addresses, but is limited to %d",
			     jv_len(ips), IPS_MAX);
		ips = NULL;
	}
	for (size_t i = 0; i < jv_len(ips); i++) {
		(void)snprintf(member, sizeof(member), "ips/%zu", i);
		one_address(jv_as_string(jv_at(ips, i)),
			    payload_nic_pointer(where, index, member), list, ps);
	}
	jv_set(nic, "ips", list);
}

static void check_gateways(struct jv *nic, size_t index, struct problems *ps)
{
	struct jv *gateways = jv_get(nic, "gateways");
	const char *old = jv_get_string(nic, "gateway");
	char where[64], member[40];
	struct addr a;

	if (!gateways && old && *old) {
		gateways = jv_array();
		jv_push(gateways, jv_string(old));
		jv_set(nic, "gateways", gateways);
	}
	for (size_t i = 0; i < jv_len(gateways); i++) {
		const char *text = jv_as_string(jv_at(gateways, i));

		if (text && addr_parse(text, &a, NULL) == 0 && a.family == AF_INET)
			continue;
		(void)snprintf(member, sizeof(member), "gateways/%zu", i);
		problems_add(ps, PROBLEM_RULE, "gateways",
			     payload_nic_pointer(where, index, member),
			     "Static gateways must be IPv4 addresses: %s", text ? text : "?");
	}
}

static void check_allowed(const struct jv *nic, size_t index, struct problems *ps)
{
	const struct jv *allowed = jv_get(nic, "allowed_ips");
	const struct jv *cids = jv_get(nic, "allowed_dhcp_cids");
	char where[64], member[40];
	size_t len = 0;
	struct addr a;

	if (jv_len(allowed) > ALLOWED_IPS_MAX)
		problems_add(ps, PROBLEM_RULE, "allowed_ips",
			     payload_nic_pointer(where, index, "allowed_ips"),
			     "Maximum of %d allowed_ips per nic", ALLOWED_IPS_MAX);
	else if (jv_len(allowed) + jv_len(jv_get(nic, "ips")) > ADDRESSES_MAX)
		problems_add(ps, PROBLEM_RULE, "allowed_ips",
			     payload_nic_pointer(where, index, "allowed_ips"),
			     "Maximum of %d ips and allowed_ips per nic", ADDRESSES_MAX);
	for (size_t i = 0; i < jv_len(allowed) && i <= ALLOWED_IPS_MAX; i++) {
		const char *text = jv_as_string(jv_at(allowed, i));

		if (text &&
		    (addr_parse(text, &a, NULL) == 0 || addr_parse_prefix(text, &a, NULL) == 0))
			continue;
		(void)snprintf(member, sizeof(member), "allowed_ips/%zu", i);
		problems_add(ps, PROBLEM_VALUE, "nics.*.allowed_ips",
			     payload_nic_pointer(where, index, member),
			     "must be an address or ADDRESS/PREFIX");
	}
	for (size_t i = 0; i < jv_len(cids); i++)
		len += strlen(jv_as_string(jv_at(cids, i))) + 1;
	if (jv_len(cids) > CIDS_MAX || len > CIDS_LEN_MAX)
		problems_add(ps, PROBLEM_VALUE, "nics.*.allowed_dhcp_cids",
			     payload_nic_pointer(where, index, "allowed_dhcp_cids"),
			     "must be at most %d, and under %d characters together", CIDS_MAX,
			     CIDS_LEN_MAX);
}

/* ip, netmask and gateway for those that read the old form: the first IPv4 address there is. */
static void old_form(struct jv *nic)
{
	const struct jv *ips = jv_get(nic, "ips");
	const char *gateway = jv_as_string(jv_at(jv_get(nic, "gateways"), 0));
	char text[ADDR_STR];
	struct addr a;

	(void)jv_del(nic, "ip");
	(void)jv_del(nic, "netmask");
	(void)jv_del(nic, "gateway");
	for (size_t i = 0; i < jv_len(ips); i++) {
		const char *ip = jv_as_string(jv_at(ips, i));

		if (strcmp(ip, "dhcp") == 0) {
			jv_set(nic, "ip", jv_string(ip));
			break;
		}
		if (addr_parse_prefix(ip, &a, NULL) < 0 || a.family != AF_INET)
			continue;
		addr_format(&a, text);
		jv_set(nic, "ip", jv_string(text));
		netmask_from_prefix(a.prefix, text);
		jv_set(nic, "netmask", jv_string(text));
		break;
	}
	if (gateway)
		jv_set(nic, "gateway", jv_string(gateway));
}

void payload_nic_addresses(struct jv *nic, size_t index, struct problems *ps)
{
	struct jv *ips;

	if (!jv_get(nic, "ips")) {
		ips = ips_from_old(nic, index, ps);
		if (ips)
			jv_set(nic, "ips", ips);
	}
	new_form(nic, index, ps);
	check_gateways(nic, index, ps);
	check_allowed(nic, index, ps);
	old_form(nic);
}
