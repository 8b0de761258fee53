/* SPDX-License-Identifier: MIT */
/*
 * NICs under an update: found by MAC, one of them primary.
 */
#include "libpayload/payload_merge.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libnet/address.h"
#include "libpayload/payload_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define POINTER_STR 96
#define NUMBER_LAST 1000 /* of an interface without one */

static ssize_t find_nic(const struct payload_merge *m, const char *mac)
{
	const struct jv *nics = jv_get(m->record, "nics");
	char want[MAC_STR], have[MAC_STR];

	if (!mac || mac_normalise(mac, want, NULL) < 0)
		return -1;
	for (size_t i = 0; i < jv_len(nics); i++) {
		const char *other = jv_get_string(jv_at(nics, i), "mac");

		if (other && mac_normalise(other, have, NULL) == 0 && strcmp(want, have) == 0)
			return (ssize_t)i;
	}
	return -1;
}

static void remove_nics(struct payload_merge *m)
{
	const struct jv *gone = jv_get(m->checked, "remove_nics");

	for (size_t i = 0; i < jv_len(gone); i++) {
		const char *mac = jv_as_string(jv_at(gone, i));
		ssize_t at = find_nic(m, mac);
		cleanup_free char *text = NULL;

		if (at >= 0) {
			payload_merge_remove(m, "nics", (size_t)at);
			continue;
		}
		text = xasprintf("There is no NIC with the MAC address %s", mac ? mac : "?");
		payload_merge_missing(m, "remove_nics", i, NULL, text);
	}
}

/* The address that ip and netmask stand for: the first IPv4 one, or dhcp. */
static bool is_representative(const struct jv *v)
{
	const char *text = jv_as_string(v);
	struct addr a;

	return text && (strcmp(text, "dhcp") == 0 ||
			(addr_parse_prefix(text, &a, NULL) == 0 && a.family == AF_INET));
}

/* IPS without that one. New. */
static struct jv *other_addresses(const struct jv *ips)
{
	struct jv *rest = jv_array();
	bool found = false;

	for (size_t i = 0; i < jv_len(ips); i++) {
		bool it = !found && is_representative(jv_at(ips, i));

		found |= it;
		if (!it)
			jv_push(rest, jv_ref(jv_at(ips, i)));
	}
	return rest;
}

/*
 * A change in the old form, of ip or netmask alone as well, replaces the address
 * that these stand for, and no other one.
 */
static struct jv *to_old_form(struct jv *nic, const struct jv *raw, const struct jv *was)
{
	static const char *const old[] = { "ip", "netmask" };
	struct jv *rest = NULL;

	if (jv_get(raw, "ips")) {
		(void)jv_del(nic, "ip");
		(void)jv_del(nic, "netmask");
		return NULL;
	}
	if (!jv_get(raw, "ip") && !jv_get(raw, "netmask"))
		return NULL;
	rest = other_addresses(jv_get(was, "ips"));
	for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
		const struct jv *v = jv_get(raw, old[i]);

		/* "" takes ip away; as a mask it is wrong, which is told. */
		if (v && jv_as_string(v))
			jv_set(nic, old[i], jv_copy(v));
	}
	(void)jv_del(nic, "ips");
	return rest;
}

static void add_addresses(struct jv *nic, const struct jv *rest)
{
	struct jv *ips = jv_get(nic, "ips");

	for (size_t i = 0; i < jv_len(rest); i++)
		jv_push(ips, jv_ref(jv_at(rest, i)));
}

static void set_mac_of_vrid(struct jv *nic, const struct jv *change)
{
	char mac[MAC_STR];

	if (!jv_get(change, "vrrp_vrid"))
		return;
	(void)snprintf(mac, sizeof(mac), "00:00:5e:00:01:%02x",
		       (unsigned int)jv_get_int(change, "vrrp_vrid", 0) & 0xff);
	jv_set(nic, "mac", jv_string(mac));
}

static int merge_nic(struct payload_merge *m, const struct jv *payload, size_t index, size_t at,
		     struct err *e)
{
	struct payload_list list = { jv_get(m->record, "nics"), m->brand, NULL, m->env, m->ps };
	const struct jv *raw = jv_at(jv_get(payload, "update_nics"), index);
	const struct jv *change = jv_at(jv_get(m->checked, "update_nics"), index);
	struct jv *nic = jv_at(list.items, at);
	cleanup_jv struct jv *was = jv_copy(nic), *rest = NULL;
	char from[POINTER_STR], to[POINTER_STR];
	size_t before = m->ps->count;
	int r;

	payload_merge_item(m, payload, "update_nics", index, "mac", nic);
	jv_set(nic, "interface", jv_ref(jv_get(was, "interface")));
	if (jv_get(raw, "gateway") && !jv_get(raw, "gateways"))
		(void)jv_del(nic, "gateways");
	rest = to_old_form(nic, raw, was);
	set_mac_of_vrid(nic, change);
	r = payload_nic_changed(&list, at, change, e);
	if (rest)
		add_addresses(nic, rest);
	(void)snprintf(from, sizeof(from), "/nics/%zu/", at);
	(void)snprintf(to, sizeof(to), "/update_nics/%zu/", index);
	problems_move(m->ps, before, from, to);
	return r;
}

static int update_nics(struct payload_merge *m, const struct jv *payload, struct err *e)
{
	const struct jv *changes = jv_get(m->checked, "update_nics");

	for (size_t i = 0; i < jv_len(changes); i++) {
		const char *mac = jv_get_string(jv_at(changes, i), "mac");
		ssize_t at = find_nic(m, mac);
		int r;

		if (at < 0) {
			payload_merge_missing(
				m, "update_nics", i, "mac",
				mac ? "There is no existing NIC with that mac address"
				    : "NIC object needs a .mac property to update");
			continue;
		}
		r = merge_nic(m, payload, i, (size_t)at, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_nics(struct payload_merge *m, struct err *e)
{
	const struct jv *added = jv_get(m->checked, "add_nics");
	struct payload_list list = { .brand = m->brand, .env = m->env, .ps = m->ps };
	char from[POINTER_STR], to[POINTER_STR];

	if (!added)
		return 0;
	list.items = payload_merge_list(m, "nics");
	list.driver = jv_get_string(m->record, "nic_driver");
	if (!list.driver)
		list.driver = jv_get_string(jv_at(jv_get(m->vm->record, "nics"), 0), "model");
	for (size_t i = 0; i < jv_len(added); i++) {
		size_t at = jv_len(list.items), before = m->ps->count;
		struct jv *nic = jv_copy(jv_at(added, i));
		int r;

		(void)jv_del(nic, "interface");
		(void)jv_del(nic, "primary");
		jv_push(list.items, nic);
		r = payload_nic_new(&list, at, e);
		(void)snprintf(from, sizeof(from), "/nics/%zu/", at);
		(void)snprintf(to, sizeof(to), "/add_nics/%zu/", i);
		problems_move(m->ps, before, from, to);
		if (r < 0)
			return r;
	}
	if (jv_len(list.items) > PAYLOAD_NICS_MAX)
		problems_add(m->ps, PROBLEM_RULE, "add_nics", "/add_nics",
			     "a VM has at most %d NICs", PAYLOAD_NICS_MAX);
	return 0;
}

/* The NIC that the flag moves to: at most one of the payload may ask for it. */
static const struct jv *find_flag(struct payload_merge *m)
{
	static const char *const ops[] = { "add_nics", "update_nics" };
	const struct jv *wants = NULL;
	char pointer[POINTER_STR];

	for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
		const struct jv *items = jv_get(m->checked, ops[k]);

		for (size_t i = 0; i < jv_len(items); i++) {
			const struct jv *flag = jv_get(jv_at(items, i), "primary");

			(void)snprintf(pointer, sizeof(pointer), "/%s/%zu/primary", ops[k], i);
			if (flag && !jv_as_bool(flag, false) && k == 1)
				problems_add(m->ps, PROBLEM_RULE, "primary", pointer,
					     "invalid value for NIC's primary flag: false "
					     "(must be true)");
			if (!jv_as_bool(flag, false))
				continue;
			if (wants)
				problems_add(m->ps, PROBLEM_RULE, "primary", pointer,
					     "payload specifies more than 1 primary NIC");
			wants = jv_at(items, i);
		}
	}
	return wants;
}

static bool is_public(const struct jv *nic)
{
	const char *ip = jv_get_string(nic, "ip");
	struct addr a;

	return ip && addr_parse(ip, &a, NULL) == 0 && !addr_is_private(&a);
}

/* The number in "net7". */
static int number_of(const struct jv *nic)
{
	const char *name = jv_get_string(nic, "interface");

	name = name ? name + strcspn(name, "0123456789") : "";
	return *name ? (int)strtol(name, NULL, 10) : NUMBER_LAST;
}

/* Whose turn it is when the primary one is gone: the lowest with a public address, else the
 * lowest. */
static struct jv *find_successor(const struct jv *nics)
{
	struct jv *best = NULL;

	for (size_t i = 0; i < jv_len(nics); i++) {
		struct jv *nic = jv_at(nics, i);

		if (!best || is_public(nic) > is_public(best) ||
		    (is_public(nic) == is_public(best) && number_of(nic) < number_of(best)))
			best = nic;
	}
	return best;
}

/* WANTS is an item of the payload; without a MAC it is the one that got a made-up one. */
static struct jv *find_wanted(struct payload_merge *m, const struct jv *wants)
{
	struct jv *nics = jv_get(m->record, "nics");
	const struct jv *added = jv_get(m->checked, "add_nics");
	ssize_t at = find_nic(m, jv_get_string(wants, "mac"));

	if (at >= 0)
		return jv_at(nics, (size_t)at);
	for (size_t i = 0; i < jv_len(added); i++)
		if (jv_at(added, i) == wants)
			return jv_at(nics, jv_len(nics) - jv_len(added) + i);
	return NULL;
}

static void move_primary(struct payload_merge *m)
{
	const struct jv *wants = find_flag(m);
	struct jv *nics = jv_get(m->record, "nics"), *primary = NULL;

	if (wants)
		primary = find_wanted(m, wants);
	for (size_t i = 0; i < jv_len(nics) && !primary; i++)
		if (jv_get_bool(jv_at(nics, i), "primary", false))
			primary = jv_at(nics, i);
	if (!primary)
		primary = find_successor(nics);
	for (size_t i = 0; i < jv_len(nics); i++)
		(void)jv_del(jv_at(nics, i), "primary");
	if (primary)
		jv_set(primary, "primary", jv_bool(true));
}

int payload_merge_nics(struct payload_merge *m, const struct jv *payload, struct err *e)
{
	struct payload_list list = { .brand = m->brand, .env = m->env, .ps = m->ps };
	int r;

	if (!jv_get(m->checked, "add_nics") && !jv_get(m->checked, "update_nics") &&
	    !jv_get(m->checked, "remove_nics"))
		return 0;
	remove_nics(m);
	r = update_nics(m, payload, e);
	if (r == 0)
		r = add_nics(m, e);
	if (r < 0)
		return r;
	move_primary(m);
	list.items = jv_get(m->record, "nics");
	payload_nics_together(&list);
	return 0;
}
