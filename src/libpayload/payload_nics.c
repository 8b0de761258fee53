/* SPDX-License-Identifier: MIT */
#include "libpayload/payload_rules.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libnet/address.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The texts of the original hold the NIC itself as it came, SHOWN, and the MAC that it got. */
static void about_nic(struct payload_list *n, size_t index, const char *member,
		      const struct jv *shown, const char *text)
{
	cleanup_free char *json = jv_dump(shown, 0);
	char where[64];

	problems_add(n->ps, PROBLEM_RULE, member, payload_nic_pointer(where, index, member),
		     "%s: %s", text, json);
}

static void set_mac(struct payload_list *n, size_t index, struct jv *nic)
{
	const char *given = jv_get_string(nic, "mac");
	int64_t vrid = jv_get_int(nic, "vrrp_vrid", -1);
	char mac[MAC_STR], where[64];

	if (vrid >= 0 && given) {
		problems_add(n->ps, PROBLEM_RULE, "vrrp_vrid",
			     payload_nic_pointer(where, index, "vrrp_vrid"),
			     "Cannot set both mac and vrrp_vrid");
		return;
	}
	if (vrid >= 0)
		(void)snprintf(mac, sizeof(mac), "00:00:5e:00:01:%02x",
			       (unsigned int)vrid & 0xff);
	else if (!given)
		mac_generate(mac);
	else if (mac_normalise(given, mac, NULL) < 0 || !mac_is_unicast(mac)) {
		problems_add(
			n->ps, PROBLEM_VALUE, "nics.*.mac",
			payload_nic_pointer(where, index, "mac"),
			"must be the address of one card; its first digits must make an even "
			"number");
		return;
	}
	jv_set(nic, "mac", jv_string(mac));
}

/* With a '/' it is an overlay, which can be joined and not changed. */
static bool tag_name_is_valid(const char *tag, bool overlays)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_/";

	return tag && *tag && strspn(tag, allowed) == strlen(tag) &&
	       (overlays || !strchr(tag, '/'));
}

static void check_mtu(struct payload_list *n, size_t index, const struct jv *nic,
		      const struct payload_tag *tag)
{
	int64_t mtu = jv_get_int(nic, "mtu", 0);
	const char *mac = jv_get_string(nic, "mac");
	const char *name = jv_get_string(nic, "nic_tag");
	char where[64];

	if (!mtu)
		return;
	(void)payload_nic_pointer(where, index, "mtu");
	if (tag->physical && mtu < 1500)
		problems_add(n->ps, PROBLEM_RULE, "mtu", where,
			     "nic %zu (%s): MTU is below the supported MTU (1500) of nic tag "
			     "\"%s\"",
			     index, mac ? mac : "?", name);
	else if (mtu > tag->mtu)
		problems_add(
			n->ps, PROBLEM_RULE, "mtu", where,
			"nic %zu (%s): MTU is above the supported MTU (%u) of nic tag \"%s\"",
			index, mac ? mac : "?", tag->mtu, name);
}

/* CHANGE is NULL for a new one. */
static int check_tag(struct payload_list *n, size_t index, const struct jv *shown,
		     const struct jv *change, struct err *e)
{
	const struct jv *nic = jv_at(n->items, index);
	const char *name = jv_get_string(nic, "nic_tag");
	struct payload_tag tag = { 0 };
	char where[64];
	int r;

	if (!tag_name_is_valid(name, !change || !jv_get(change, "nic_tag"))) {
		about_nic(n, index, "nic_tag", shown,
			  change ? "invalid .nic_tag option for NIC"
				 : "invalid or missing .nic_tag option for NIC");
		return 0;
	}
	r = n->env->nic_tag(n->env->data, name, &tag, e);
	if (r == -ENOENT) {
		problems_add(n->ps, PROBLEM_RULE, "nic_tag",
			     payload_nic_pointer(where, index, "nic_tag"),
			     "Invalid nic tag \"%s\"", name);
		return 0;
	}
	if (r < 0)
		return r;
	check_mtu(n, index, nic, &tag);
	return 0;
}

static void set_model(struct payload_list *n, size_t index, struct jv *nic,
		      const struct jv *shown)
{
	if (!(n->brand & BRANDS_HARDWARE) || jv_get(nic, "model"))
		return;
	if (n->driver)
		jv_set(nic, "model", jv_string(n->driver));
	else
		about_nic(n, index, "model", shown, "missing .model option for NIC");
}

static bool interface_is_taken(const struct jv *nics, const char *name)
{
	for (size_t i = 0; i < jv_len(nics); i++) {
		const char *other = jv_get_string(jv_at(nics, i), "interface");

		if (other && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* The lowest name that is free. */
static void set_interface(const struct payload_list *n, struct jv *nic)
{
	char name[24];
	size_t number = 0;

	(void)jv_del(nic, "interface");
	do
		(void)snprintf(name, sizeof(name), "%s%zu",
			       n->brand == BRAND_LX ? "eth" : "net", number++);
	while (interface_is_taken(n->items, name));
	jv_set(nic, "interface", jv_string(name));
}

/* The one primary NIC: the one that says so, else the first. "false" says nothing. */
static void set_primary(struct payload_list *n)
{
	size_t primary = 0, count = 0;
	char where[64];

	for (size_t i = 0; i < jv_len(n->items); i++) {
		if (!jv_get_bool(jv_at(n->items, i), "primary", false))
			continue;
		if (count++ == 0)
			primary = i;
		else
			problems_add(n->ps, PROBLEM_RULE, "primary",
				     payload_nic_pointer(where, i, "primary"),
				     "payload specifies more than 1 primary NIC");
	}
	for (size_t i = 0; i < jv_len(n->items); i++)
		(void)jv_del(jv_at(n->items, i), "primary");
	if (jv_len(n->items))
		jv_set(jv_at(n->items, primary), "primary", jv_bool(true));
}

static bool has_address(const struct jv *nic, const char *ip)
{
	const struct jv *ips = jv_get(nic, "ips");
	struct addr want, have;

	if (addr_parse(ip, &want, NULL) < 0 && addr_parse_prefix(ip, &want, NULL) < 0)
		return false;
	for (size_t i = 0; i < jv_len(ips); i++)
		if (addr_parse_prefix(jv_as_string(jv_at(ips, i)), &have, NULL) == 0 &&
		    addr_equal(&have, &want))
			return true;
	return false;
}

static void check_vrrp(struct payload_list *n, size_t index, const struct jv *nic)
{
	const char *primary = jv_get_string(nic, "vrrp_primary_ip");
	char where[64];

	if (!jv_get(nic, "vrrp_vrid"))
		return;
	(void)payload_nic_pointer(where, index, "vrrp_vrid");
	if (!primary) {
		problems_add(n->ps, PROBLEM_RULE, "vrrp_vrid", where,
			     "vrrp_vrid set but not vrrp_primary_ip");
		return;
	}
	for (size_t i = 0; i < jv_len(n->items); i++)
		if (i != index && !jv_get(jv_at(n->items, i), "vrrp_vrid") &&
		    has_address(jv_at(n->items, i), primary))
			return;
	problems_add(n->ps, PROBLEM_RULE, "vrrp_vrid", where,
		     "vrrp_primary_ip must belong to the same VM: %s", primary);
}

/* Two NICs of one VM with the same MAC or address. */
static void check_twice(struct payload_list *n, size_t index)
{
	const struct jv *nic = jv_at(n->items, index);
	const char *mac = jv_get_string(nic, "mac");
	const struct jv *ips = jv_get(nic, "ips");
	char where[64];

	for (size_t other = 0; other < index; other++) {
		const struct jv *o = jv_at(n->items, other);
		const char *omac = jv_get_string(o, "mac");

		if (mac && omac && strcmp(mac, omac) == 0 && !jv_get(nic, "vrrp_vrid"))
			problems_add(n->ps, PROBLEM_RULE, "mac",
				     payload_nic_pointer(where, index, "mac"),
				     "Cannot add multiple NICs with the same MAC: %s", mac);
		for (size_t i = 0; i < jv_len(ips); i++)
			if (has_address(o, jv_as_string(jv_at(ips, i))))
				problems_add(n->ps, PROBLEM_RULE, "ips",
					     payload_nic_pointer(where, index, "ips"),
					     "Cannot add multiple NICs with the same IP: %s",
					     jv_as_string(jv_at(ips, i)));
	}
}

static void rename_dhcp_server(struct jv *nic)
{
	if (jv_get_bool(nic, "dhcp_server", false))
		jv_set(nic, "allow_dhcp_spoofing", jv_bool(true));
	(void)jv_del(nic, "dhcp_server");
}

int payload_nic_new(struct payload_list *n, size_t index, struct err *e)
{
	struct jv *nic = jv_at(n->items, index);
	cleanup_jv struct jv *shown = NULL;

	set_mac(n, index, nic);
	shown = jv_copy(nic);
	rename_dhcp_server(nic);
	payload_nic_addresses(nic, index, n->ps);
	set_model(n, index, nic, shown);
	set_interface(n, nic);
	return check_tag(n, index, shown, NULL, e);
}

int payload_nic_changed(struct payload_list *n, size_t index, const struct jv *change,
			struct err *e)
{
	struct jv *nic = jv_at(n->items, index);

	rename_dhcp_server(nic);
	payload_nic_addresses(nic, index, n->ps);
	if (!jv_get(change, "nic_tag") && !jv_get(change, "mtu"))
		return 0;
	return check_tag(n, index, change, change, e);
}

void payload_nics_together(struct payload_list *n)
{
	for (size_t i = 0; i < jv_len(n->items); i++) {
		check_vrrp(n, i, jv_at(n->items, i));
		check_twice(n, i);
	}
}

int payload_nics(struct payload_list *n, struct err *e)
{
	for (size_t i = 0; i < jv_len(n->items); i++)
		(void)jv_del(jv_at(n->items, i), "interface");
	for (size_t i = 0; i < jv_len(n->items); i++) {
		int r = payload_nic_new(n, i, e);

		if (r < 0)
			return r;
	}
	set_primary(n);
	payload_nics_together(n);
	return 0;
}

/* "nics[N]" or "macs[MAC]": does it name a NIC with a static address? */
static bool route_nic_is_there(const char *gateway, const struct jv *nics)
{
	for (size_t i = 0; i < jv_len(nics); i++) {
		const struct jv *nic = jv_at(nics, i);
		const char *mac = jv_get_string(nic, "mac");
		const char *ip = jv_get_string(nic, "ip");
		cleanup_free char *by_index = xasprintf("nics[%zu]", i);
		cleanup_free char *by_mac = xasprintf("macs[%s]", mac ? mac : "");

		if (strcmp(gateway, by_index) == 0 || strcmp(gateway, by_mac) == 0)
			return ip && strcmp(ip, "dhcp") != 0;
	}
	return false;
}

static bool is_ipv4(const char *text, bool prefix_too)
{
	struct addr a;

	if (addr_parse(text, &a, NULL) == 0)
		return a.family == AF_INET;
	return prefix_too && addr_parse_prefix(text, &a, NULL) == 0 && a.family == AF_INET;
}

void payload_routes(const struct jv *routes, const struct jv *nics, struct problems *ps)
{
	for (void *it = jv_iter(routes); it; it = jv_iter_next(routes, it)) {
		const char *to = jv_iter_key(it);
		const char *via = jv_as_string(jv_iter_value(it));

		if (!is_ipv4(to, true))
			problems_add(ps, PROBLEM_RULE, "routes", "/routes",
				     "Invalid route destination: \"%s\" (must be IP address or "
				     "CIDR)",
				     to);
		else if (via &&
			 (strncmp(via, "nics[", 5) == 0 || strncmp(via, "macs[", 5) == 0)) {
			if (!route_nic_is_there(via, nics))
				problems_add(ps, PROBLEM_RULE, "routes", "/routes",
					     "Route gateway: \"%s\" refers to non-existent or "
					     "DHCP nic",
					     via);
		} else if (!via || !is_ipv4(via, false)) {
			problems_add(ps, PROBLEM_RULE, "routes", "/routes",
				     "Invalid route gateway: \"%s\" (must be IP address, MAC "
				     "address, or nic)",
				     via ? via : "?");
		}
	}
}
