/* SPDX-License-Identifier: MIT */
/*
 * filter_spec.c - from a NIC of a record to what it may say on the wire.
 *
 * What cannot be understood here opens nothing: an address that is none is an
 * error, not an address less.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/jv.h"
#include "libnet/filter.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static int add(struct filter *f, const struct addr *a, struct err *e)
{
	if (f->address_count == FILTER_ADDRESSES_MAX)
		return err_set(e, -E2BIG, "more than %d addresses", FILTER_ADDRESSES_MAX);
	f->addresses[f->address_count++] = *a;
	return 0;
}

/* The prefix of an own address is its network's: only the address itself may be sent from. */
static int take_ip(struct filter *f, const char *text, struct err *e)
{
	struct addr a;
	int r;

	if (strcmp(text, "dhcp") == 0) {
		f->dhcp = true;
		return 0;
	}
	if (strcmp(text, "addrconf") == 0) {
		f->addrconf = true;
		return 0;
	}
	r = addr_parse_prefix(text, &a, e);
	if (r < 0)
		return r;
	a.prefix = a.family == AF_INET ? 32 : 128;
	return add(f, &a, e);
}

static int take_allowed(struct filter *f, const char *text, struct err *e)
{
	struct addr a;
	int r;

	r = strchr(text, '/') ? addr_parse_prefix(text, &a, e) : addr_parse(text, &a, e);
	return r < 0 ? r : add(f, &a, e);
}

static int take_list(struct filter *f, const struct jv *nic, const char *member,
		     int (*take)(struct filter *f, const char *text, struct err *e),
		     struct err *e)
{
	const struct jv *list = jv_get(nic, member);

	for (size_t i = 0; i < jv_len(list); i++) {
		const char *text = jv_as_string(jv_at(list, i));
		int r = text ? take(f, text, e) : err_set(e, -EINVAL, "not a string");

		if (r < 0)
			return err_wrap(e, r, "%s[%zu]", member, i);
	}
	return 0;
}

static int take_blocked(struct filter *f, const struct jv *nic, struct err *e)
{
	const struct jv *list = jv_get(nic, "blocked_outgoing_ports");

	if (jv_len(list) > FILTER_BLOCKED_MAX)
		return err_set(e, -E2BIG, "blocked_outgoing_ports: %zu are more than %d",
			       jv_len(list), FILTER_BLOCKED_MAX);
	for (size_t i = 0; i < jv_len(list); i++) {
		int64_t port = jv_as_int(jv_at(list, i), 0);

		if (port < 1 || port > 65535)
			return err_set(e, -EINVAL,
				       "blocked_outgoing_ports[%zu]: must be 1 to 65535", i);
		f->blocked[f->blocked_count++] = (uint16_t)port;
	}
	return 0;
}

static int take_vrrp(struct filter *f, const struct jv *nic, struct err *e)
{
	const char *primary = jv_get_string(nic, "vrrp_primary_ip");
	int r;

	if (!jv_get(nic, "vrrp_vrid") || !primary)
		return 0;
	r = addr_parse(primary, &f->vrrp_primary, e);
	return r < 0 ? err_wrap(e, r, "vrrp_primary_ip") : 0;
}

int zone_filter_from_nic(const struct jv *nic, struct filter *ret_filter, struct err *e)
{
	struct filter *f = ret_filter;
	int r;

	*f = (struct filter){ .port = "" };
	f->allow_mac = jv_get_bool(nic, "allow_mac_spoofing", false);
	f->allow_dhcp = jv_get_bool(nic, "allow_dhcp_spoofing", false) ||
			jv_get_bool(nic, "dhcp_server", false);
	/* A server answers who has no address, for others, and often routes. */
	f->allow_ip = f->allow_dhcp || jv_get_bool(nic, "allow_ip_spoofing", false);
	f->allow_restricted = jv_get_bool(nic, "allow_restricted_traffic", false);
	r = mac_normalise(jv_get_string(nic, "mac"), f->mac, e);
	if (r < 0)
		return err_wrap(e, r, "mac");
	r = take_list(f, nic, "ips", take_ip, e);
	if (r == 0)
		r = take_list(f, nic, "allowed_ips", take_allowed, e);
	if (r == 0)
		r = take_blocked(f, nic, e);
	return r < 0 ? r : take_vrrp(f, nic, e);
}
