/* SPDX-License-Identifier: MIT */
/*
 * filter.c - a port's rules, and the frame of rules that all ports share.
 *
 * Rules say what may pass; what no rule knows is dropped at the end. A packet
 * that is too short or damaged for a rule's fields does not match it, so it ends
 * there as well.
 */
#include "libnet/filter.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "libnet/filter_private.h"

#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- a port's own rules -------------------------------------------------------- */

/* The bits of an address that its prefix covers. */
static struct nft_match is_within(enum nft_field field, const struct addr *a)
{
	struct nft_match m = is(field, a->bytes);
	size_t bits = nft_field_len(field) * 8;

	if (a->prefix >= bits)
		return m;
	m.masked = true;
	for (size_t bit = 0; bit < a->prefix; bit++)
		m.mask[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	for (size_t i = 0; i < sizeof(m.value); i++)
		m.value[i] &= m.mask[i];
	return m;
}

static void mac_bytes(const char *mac, uint8_t ret[static 6])
{
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)strtoul(mac + 3 * i, NULL, 16);
}

/* The identifier that a MAC gives the addresses of its interface (EUI-64). */
static struct addr interface_id(const char *mac)
{
	struct addr a = { .family = AF_INET6, .prefix = 128 };
	uint8_t m[6];

	mac_bytes(mac, m);
	memcpy(a.bytes + 8, (uint8_t[8]){ m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5] },
	       8);
	return a;
}

static struct addr link_local(const char *mac)
{
	struct addr a = interface_id(mac);

	a.bytes[0] = 0xfe;
	a.bytes[1] = 0x80;
	return a;
}

static struct nft_match has_identifier(enum nft_field field, const char *mac)
{
	struct addr a = interface_id(mac);
	struct nft_match m = is(field, a.bytes);

	m.masked = true;
	memset(m.mask + 8, 0xff, 8);
	return m;
}

static void frame_rules(struct sink *s)
{
	const struct filter *f = s->f;
	uint8_t mac[6];

	mac_bytes(f->mac, mac);
	if (!f->allow_mac)
		filter_rule(s, WHEN(is_not(NFT_ETHER_SADDR, mac)), DROP);
	if (!f->allow_restricted) {
		filter_rule(s, WHEN(port_is(NFT_ETHER_TYPE, 0x8100)), DROP);
		filter_rule(s, WHEN(port_is(NFT_ETHER_TYPE, 0x88a8)), DROP);
	}
	for (size_t i = 0; i < f->blocked_count; i++) {
		filter_rule(s, WHEN(l4(6), port_is(NFT_DPORT, f->blocked[i])), DROP);
		filter_rule(s, WHEN(UDP, port_is(NFT_DPORT, f->blocked[i])), DROP);
	}
}

static void dhcp_rules(struct sink *s)
{
	const struct filter *f = s->f;
	uint8_t mac[6];

	if (f->allow_dhcp)
		return;
	filter_rule(s, WHEN(IPV4, UDP, port_is(NFT_SPORT, 67)), DROP);
	filter_rule(s, WHEN(IPV6, UDP, port_is(NFT_SPORT, 547)), DROP);
	mac_bytes(f->mac, mac);
	/* Asking in another's name takes what is that one's. */
	if (!f->allow_mac)
		filter_rule(
			s,
			WHEN(IPV4, UDP, port_is(NFT_DPORT, 67), is_not(NFT_DHCP_CHADDR, mac)),
			DROP);
}

static void ip4_rules(struct sink *s)
{
	const struct filter *f = s->f;

	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].family == AF_INET)
			filter_rule(s, WHEN(IPV4, is_within(NFT_IP_SADDR, &f->addresses[i])),
				    ACCEPT);
	if (f->vrrp_primary.family == AF_INET)
		filter_rule(s, WHEN(IPV4, is_within(NFT_IP_SADDR, &f->vrrp_primary), l4(112)),
			    ACCEPT);
	if (!f->dhcp)
		return;
	filter_rule(s, WHEN(IPV4, is_in(NFT_IP_SADDR, s->names[PART_LEASE])), ACCEPT);
	/* From any address: it renews one that we may not know any more. */
	filter_rule(s, WHEN(IPV4, UDP, port_is(NFT_SPORT, 68), port_is(NFT_DPORT, 67)), ACCEPT);
}

/* A probe (from 0.0.0.0) for another's address would keep that one from using it. */
static void arp_rules(struct sink *s)
{
	static const uint8_t form[6] = { 0, 1, 8, 0, 6, 4 }, nobody[4];
	const struct filter *f = s->f;
	uint8_t mac[6];

	if (f->allow_ip && f->allow_mac)
		return;
	filter_rule(s, WHEN(ARP, is_not(NFT_ARP_FORM, form)), DROP);
	mac_bytes(f->mac, mac);
	if (!f->allow_mac)
		filter_rule(s, WHEN(ARP, is_not(NFT_ARP_SHA, mac)), DROP);
	if (f->allow_ip)
		return;
	for (size_t i = 0; i < f->address_count; i++) {
		const struct addr *a = &f->addresses[i];

		if (a->family != AF_INET)
			continue;
		filter_rule(s, WHEN(ARP, is_within(NFT_ARP_SPA, a)), ACCEPT);
		filter_rule(s, WHEN(ARP, is(NFT_ARP_SPA, nobody), is_within(NFT_ARP_TPA, a)),
			    ACCEPT);
	}
	if (!f->dhcp)
		return;
	filter_rule(s, WHEN(ARP, is_in(NFT_ARP_SPA, s->names[PART_LEASE])), ACCEPT);
	filter_rule(
		s, WHEN(ARP, is(NFT_ARP_SPA, nobody), is_in(NFT_ARP_TPA, s->names[PART_LEASE])),
		ACCEPT);
}

static void main_rules(struct sink *s)
{
	const struct filter *f = s->f;

	s->part = PART_MAIN;
	frame_rules(s);
	dhcp_rules(s);
	if (f->allow_ip) {
		filter_rule(s, WHEN(IPV4), ACCEPT);
		filter_rule(s, WHEN(IPV6), ACCEPT);
	} else {
		ip4_rules(s);
		filter_rule(s, WHEN(IPV6), GO(s, PART_IP6));
	}
	arp_rules(s);
	if (f->allow_ip)
		filter_rule(s, WHEN(ARP), ACCEPT);
	if (f->allow_restricted) {
		filter_rule(s, WHEN(IPV4), DROP);
		filter_rule(s, WHEN(ARP), DROP);
		filter_rule(s, ALWAYS, ACCEPT);
	}
	filter_rule(s, ALWAYS, DROP);
}

/* For each address: MATCHES and that FIELD is it. */
static void for_each_ip6(struct sink *s, enum nft_field field, const struct nft_match *also,
			 enum nft_verdict verdict, const char *target)
{
	const struct filter *f = s->f;
	struct addr own = link_local(f->mac);

	filter_rule(s, WHEN(is_within(field, &own), *also), verdict, target);
	if (f->addrconf)
		filter_rule(s, WHEN(has_identifier(field, f->mac), *also), verdict, target);
	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].family == AF_INET6)
			filter_rule(s, WHEN(is_within(field, &f->addresses[i]), *also), verdict,
				    target);
}

static struct nft_match later_fragment(void)
{
	struct nft_match m = { .field = NFT_IP6_FRAGMENT, .test = NFT_NE, .masked = true };

	m.mask[0] = 0xff;
	m.mask[1] = 0xf8;
	return m;
}

static void ip6_rules(struct sink *s)
{
	const struct nft_match known = { .field = NFT_L4PROTO, .test = NFT_KNOWN };
	const struct nft_match asked = icmp6(135), told = icmp6(136);

	s->part = PART_IP6;
	/* To be a router, or to name one, is for who may send from any address. */
	filter_rule(s, WHEN(l4(58), icmp6(134)), DROP);
	filter_rule(s, WHEN(l4(58), icmp6(137)), DROP);
	filter_rule(s, WHEN(l4(58), icmp6(136)), GO(s, PART_NA));
	filter_rule(s, WHEN(is(NFT_IP6_SADDR, NOBODY_IN_IP6)), GO(s, PART_NOBODY));
	/*
	 * What a first fragment keeps back could be any of these, put together again at
	 * the other end; so what comes first shows where it begins.
	 */
	filter_rule(s, WHEN({ .field = NFT_ICMP6_TYPE, .test = NFT_KNOWN }),
		    GO(s, PART_SOURCE));
	filter_rule(s, WHEN(later_fragment()), GO(s, PART_SOURCE));
	filter_rule(s, ALWAYS, DROP);

	s->part = PART_NA;
	for_each_ip6(s, NFT_ND_TARGET, &told, GO(s, PART_SOURCE));
	filter_rule(s, ALWAYS, DROP);

	/* Is my address free, which routers are there, which groups do I listen to. */
	s->part = PART_NOBODY;
	filter_rule(s, WHEN(l4(58), icmp6(143)), ACCEPT);
	filter_rule(s, WHEN(l4(58), icmp6(133)), ACCEPT);
	filter_rule(s, WHEN(l4(58), is_not(NFT_ICMP6_TYPE, asked.value)), DROP);
	for_each_ip6(s, NFT_ND_TARGET,
		     &(struct nft_match){ .field = NFT_L4PROTO, .value = { 58 } }, ACCEPT);
	filter_rule(s, ALWAYS, DROP);

	s->part = PART_SOURCE;
	for_each_ip6(s, NFT_IP6_SADDR, &known, ACCEPT);
	filter_rule(s, ALWAYS, DROP);
}

/* What a server gives to the MAC of the port may be sent from. */
static void lease_rules(struct sink *s)
{
	static const uint8_t none[4];
	struct nft_rule r = { .verdict = NFT_LEARN,
			      .key = NFT_DHCP_YIADDR,
			      .target = s->names[PART_LEASE],
			      .count = 2 };
	uint8_t mac[6];

	mac_bytes(s->f->mac, mac);
	r.match[0] = is(NFT_DHCP_CHADDR, mac);
	r.match[1] = is_not(NFT_DHCP_YIADDR, none);
	filter_emit(s, s->names[PART_LEASE], &r);
}

static void port_rules(struct sink *s)
{
	if (s->f->guarded)
		guard_rules(s);
	main_rules(s);
	if (!s->f->allow_ip)
		ip6_rules(s);
	if (s->f->dhcp)
		lease_rules(s);
}

/* ---- what all ports share ------------------------------------------------------ */

static void emit_vmap(struct sink *s, const char *chain, struct nft_rule r, enum nft_field key,
		      const char *map)
{
	r.verdict = NFT_VMAP;
	r.key = key;
	r.target = map;
	filter_emit(s, chain, &r);
}

/* Such a port is in the map, or somebody has emptied it. */
static struct nft_match named_like_ours(void)
{
	struct nft_match m = { .field = NFT_IIFNAME, .prefix = sizeof(FILTER_PORT_PREFIX) - 1 };

	memcpy(m.value, FILTER_PORT_PREFIX, m.prefix);
	return m;
}

/*
 * Frames to the addresses that no bridge passes on (spanning tree, LLDP) do not
 * come by "in": a bridge hands them to the host, and learns from them.
 */
static struct nft_match to_the_link(void)
{
	struct nft_match m =
		is(NFT_ETHER_DADDR, (uint8_t[6]){ 0x01, 0x80, 0xc2, 0x00, 0x00, 0x00 });

	m.masked = true;
	memcpy(m.mask, (uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0 }, 6);
	return m;
}

static void shared_rules(struct sink *s)
{
	struct nft_rule none = { .count = 0 };
	struct nft_rule drop = { .verdict = NFT_DROP_IT, .count = 1 };
	struct nft_rule r;

	emit_vmap(s, "in", none, NFT_IIFNAME, "ports");
	drop.match[0] = named_like_ours();
	filter_emit(s, "in", &drop);

	drop.match[0] = is_in(NFT_IIFNAME, "no-host");
	filter_emit(s, "local", &drop);
	r = (struct nft_rule){ .count = 1, .match = { to_the_link() } };
	emit_vmap(s, "local", r, NFT_IIFNAME, "ports");
	drop.count = 2;
	drop.match[0] = to_the_link();
	drop.match[1] = named_like_ours();
	filter_emit(s, "local", &drop);

	r = (struct nft_rule){ .count = 3, .match = { IPV4, UDP, port_is(NFT_SPORT, 67) } };
	emit_vmap(s, "out", r, NFT_OIFNAME, "leases");
}

/* Made last, by whoever has made all of the frame: this one is the mark of it. */
#define FRAME_MARK "frame-1"

/* Again does no harm, and mends it. */
static void add_frame(struct sink *s)
{
	struct nft_batch *b = s->batch;

	nft_add_verdict_map(b, "ports");
	nft_add_verdict_map(b, "leases");
	nft_add_name_set(b, "no-host");
	nft_add_base_chain(b, "in", NFT_HOOK_PREROUTING, NFT_PRIORITY_FIRST);
	nft_add_base_chain(b, "local", NFT_HOOK_INPUT, NFT_PRIORITY_FIRST);
	nft_add_base_chain(b, "out", NFT_HOOK_POSTROUTING, NFT_PRIORITY_FIRST);
	nft_flush_chain(b, "in");
	nft_flush_chain(b, "local");
	nft_flush_chain(b, "out");
	shared_rules(s);
	nft_add_chain(b, FRAME_MARK);
}

/*
 * Taking anything away costs 10 milliseconds and more (the kernel waits until
 * nobody looks at it any more), and a zone's start waits for us. So what is not
 * there is not taken away: FRESH is a port that has nothing yet.
 */
static void add_elements(struct sink *s, bool fresh)
{
	const struct {
		const char *set;
		const char *chain;
		bool wanted;
	} elements[] = {
		{ "ports", s->names[PART_MAIN], true },
		{ "leases", s->names[PART_LEASE], s->f && s->f->dhcp },
		{ "no-host", NULL, s->f && s->f->no_host },
	};
	const char *port = s->names[PART_MAIN];

	for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
		if (elements[i].wanted || !fresh)
			nft_add_element(s->batch, elements[i].set, port, elements[i].chain);
		if (!elements[i].wanted && !fresh)
			nft_delete_element(s->batch, elements[i].set, port);
	}
}

static void add_port(struct sink *s, bool fresh)
{
	/* The set keeps what it has learned. */
	nft_add_address_set(s->batch, s->names[PART_LEASE]);
	for (size_t i = 0; i < PART_ALWAYS_; i++) {
		nft_add_chain(s->batch, s->names[i]);
		if (!fresh)
			nft_flush_chain(s->batch, s->names[i]);
	}
	add_elements(s, fresh);
}

/* Is there something of its guard: asked before it is taken away, as that takes time. */
static int has_guard(const struct sink *s)
{
	return nft_has_chain(s->names[PART_GUARD]);
}

int filter_apply(const struct filter *f, struct err *e)
{
	cleanup_nft struct nft_batch *batch = nft_begin();
	struct sink s = { .f = f, .batch = batch };
	int frame = nft_has_chain(FRAME_MARK);
	int there = frame < 0 ? frame : nft_has_chain(f->port);
	int guard, r;

	filter_name_parts(&s, f->port);
	guard = there > 0 ? has_guard(&s) : 0;
	r = there < 0 ? there : guard;
	if (r >= 0) {
		if (frame == 0 || there)
			add_frame(&s);
		add_port(&s, !there);
		if (f->guarded)
			guard_add(&s);
		else if (guard)
			guard_take(&s);
		port_rules(&s);
		r = nft_commit(batch);
	}
	return r < 0 ? err_set(e, r, "cannot set the filter of '%s': %s", f->port, strerror(-r))
		     : 0;
}

/* All of it is there for sure once it is added. */
static int take_port(struct sink *s)
{
	int guard = has_guard(s);

	if (guard < 0)
		return guard;
	add_port(s, false);
	nft_delete_element(s->batch, "ports", s->names[PART_MAIN]);
	for (size_t i = 0; i < PART_ALWAYS_; i++)
		nft_delete_chain(s->batch, s->names[i]);
	nft_delete_set(s->batch, s->names[PART_LEASE]);
	if (guard)
		guard_take(s);
	return 0;
}

int filter_remove(const char *const *ports, size_t count, struct err *e)
{
	cleanup_nft struct nft_batch *batch = NULL;
	struct sink s = { .f = NULL };
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		r = nft_has_chain(ports[i]);
		if (nft_is_missing(r))
			return 0;
		if (r <= 0)
			continue;
		if (!batch) {
			s.batch = batch = nft_begin();
			add_frame(&s);
		}
		filter_name_parts(&s, ports[i]);
		r = take_port(&s);
	}
	if (r >= 0 && batch)
		r = nft_commit(batch);
	return r < 0 ? err_set(e, r, "cannot remove the filter of '%s' and what follows: %s",
			       ports[0], strerror(-r))
		     : 0;
}

int filter_is_there(const char *port, bool guarded, struct err *e)
{
	struct sink s = { .f = NULL };
	const char *const chains[] = { "in", "local", port, "guard", s.names[PART_GUARD] };
	size_t count = ARRAY_SIZE(chains) - (guarded ? 0 : 2);
	int r = nft_has_element("ports", port);

	filter_name_parts(&s, port);
	if (r > 0 && guarded)
		r = nft_has_element("guards", port);

	for (size_t i = 0; i < count && r > 0; i++)
		r = nft_has_rules(chains[i]);
	return r < 0 ? err_set(e, r, "cannot read the filter of '%s': %s", port, strerror(-r))
		     : r;
}

char *filter_text(const struct filter *f)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct sink s = { .f = f, .text = &text };

	filter_name_parts(&s, f->port);
	port_rules(&s);
	return buf_take(&text);
}
