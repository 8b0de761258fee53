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
#include "libnet/nft.h"

#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CHAIN_ROOM 32

/* The chains and the set of a port: its name and one of these. */
enum part {
	PART_MAIN,
	PART_IP6,
	PART_NA,     /* neighbour advertisements */
	PART_NOBODY, /* sent from :: */
	PART_SOURCE, /* whose source must be its own */
	PART_LEASE,
	PART_MAX_,
};

static const char *const suffixes[] = {
	[PART_MAIN] = "",       [PART_IP6] = "-6",         [PART_NA] = "-na",
	[PART_NOBODY] = "-any", [PART_SOURCE] = "-source", [PART_LEASE] = "-lease",
};

/* Where rules go: to the kernel or to a text. */
struct sink {
	const struct filter *f;
	struct nft_batch *batch;
	struct buf *text;
	char names[PART_MAX_][CHAIN_ROOM];
	enum part part;
};

static void name_parts(struct sink *s, const char *port)
{
	for (size_t i = 0; i < PART_MAX_; i++)
		(void)snprintf(s->names[i], CHAIN_ROOM, "%.15s%s", port, suffixes[i]);
}

static void emit(struct sink *s, const char *chain, const struct nft_rule *rule)
{
	if (s->batch) {
		nft_add_rule(s->batch, chain, rule);
	} else {
		cleanup_free char *text = nft_rule_text(rule);

		buf_addf(s->text, "%s: %s\n", chain, text);
	}
}

/* ---- the parts of rules -------------------------------------------------------- */

static struct nft_match is(enum nft_field field, const void *value)
{
	struct nft_match m = { .field = field, .test = NFT_EQ };

	memcpy(m.value, value, nft_field_len(field));
	return m;
}

static struct nft_match is_not(enum nft_field field, const void *value)
{
	struct nft_match m = is(field, value);

	m.test = NFT_NE;
	return m;
}

static struct nft_match is_in(enum nft_field field, const char *set)
{
	return (struct nft_match){ .field = field, .test = NFT_IN, .set = set };
}

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

static struct nft_match protocol(unsigned int ethertype)
{
	return is(NFT_PROTOCOL, (uint8_t[2]){ (uint8_t)(ethertype >> 8), (uint8_t)ethertype });
}

static struct nft_match port_is(enum nft_field field, unsigned int port)
{
	return is(field, (uint8_t[2]){ (uint8_t)(port >> 8), (uint8_t)port });
}

static struct nft_match l4(uint8_t number)
{
	return is(NFT_L4PROTO, &number);
}

static struct nft_match icmp6(uint8_t type)
{
	return is(NFT_ICMP6_TYPE, &type);
}

#define IPV4 protocol(0x0800)
#define ARP  protocol(0x0806)
#define IPV6 protocol(0x86dd)
#define UDP  l4(17)

#define DROP     NFT_DROP_IT, NULL
#define ACCEPT   NFT_ACCEPT_IT, NULL
#define GO(s, p) NFT_GOTO_CHAIN, (s)->names[p]
#define WHEN(...)                               \
	(struct nft_match[])                    \
	{                                       \
		__VA_ARGS__,                    \
		{                               \
			.field = NFT_FIELD_MAX_ \
		}                               \
	}
#define ALWAYS                                  \
	(struct nft_match[])                    \
	{                                       \
		{                               \
			.field = NFT_FIELD_MAX_ \
		}                               \
	}
#define NOBODY_IN_IP6 ((uint8_t[16]){ 0 })

static void rule(struct sink *s, const struct nft_match *matches, enum nft_verdict verdict,
		 const char *target)
{
	struct nft_rule r = { .verdict = verdict, .target = target };

	for (; matches->field != NFT_FIELD_MAX_; matches++)
		r.match[r.count++] = *matches;
	emit(s, s->names[s->part], &r);
}

/* ---- a port's own rules -------------------------------------------------------- */

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
		rule(s, WHEN(is_not(NFT_ETHER_SADDR, mac)), DROP);
	if (!f->allow_restricted) {
		rule(s, WHEN(port_is(NFT_ETHER_TYPE, 0x8100)), DROP);
		rule(s, WHEN(port_is(NFT_ETHER_TYPE, 0x88a8)), DROP);
	}
	for (size_t i = 0; i < f->blocked_count; i++) {
		rule(s, WHEN(l4(6), port_is(NFT_DPORT, f->blocked[i])), DROP);
		rule(s, WHEN(UDP, port_is(NFT_DPORT, f->blocked[i])), DROP);
	}
}

static void dhcp_rules(struct sink *s)
{
	const struct filter *f = s->f;
	uint8_t mac[6];

	if (f->allow_dhcp)
		return;
	rule(s, WHEN(IPV4, UDP, port_is(NFT_SPORT, 67)), DROP);
	rule(s, WHEN(IPV6, UDP, port_is(NFT_SPORT, 547)), DROP);
	mac_bytes(f->mac, mac);
	/* Asking in another's name takes what is that one's. */
	if (!f->allow_mac)
		rule(s, WHEN(IPV4, UDP, port_is(NFT_DPORT, 67), is_not(NFT_DHCP_CHADDR, mac)),
		     DROP);
}

static void ip4_rules(struct sink *s)
{
	const struct filter *f = s->f;

	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].family == AF_INET)
			rule(s, WHEN(IPV4, is_within(NFT_IP_SADDR, &f->addresses[i])), ACCEPT);
	if (f->vrrp_primary.family == AF_INET)
		rule(s, WHEN(IPV4, is_within(NFT_IP_SADDR, &f->vrrp_primary), l4(112)), ACCEPT);
	if (!f->dhcp)
		return;
	rule(s, WHEN(IPV4, is_in(NFT_IP_SADDR, s->names[PART_LEASE])), ACCEPT);
	/* From any address: it renews one that we may not know any more. */
	rule(s, WHEN(IPV4, UDP, port_is(NFT_SPORT, 68), port_is(NFT_DPORT, 67)), ACCEPT);
}

/* A probe (from 0.0.0.0) for another's address would keep that one from using it. */
static void arp_rules(struct sink *s)
{
	static const uint8_t form[6] = { 0, 1, 8, 0, 6, 4 }, nobody[4];
	const struct filter *f = s->f;
	uint8_t mac[6];

	if (f->allow_ip && f->allow_mac)
		return;
	rule(s, WHEN(ARP, is_not(NFT_ARP_FORM, form)), DROP);
	mac_bytes(f->mac, mac);
	if (!f->allow_mac)
		rule(s, WHEN(ARP, is_not(NFT_ARP_SHA, mac)), DROP);
	if (f->allow_ip)
		return;
	for (size_t i = 0; i < f->address_count; i++) {
		const struct addr *a = &f->addresses[i];

		if (a->family != AF_INET)
			continue;
		rule(s, WHEN(ARP, is_within(NFT_ARP_SPA, a)), ACCEPT);
		rule(s, WHEN(ARP, is(NFT_ARP_SPA, nobody), is_within(NFT_ARP_TPA, a)), ACCEPT);
	}
	if (!f->dhcp)
		return;
	rule(s, WHEN(ARP, is_in(NFT_ARP_SPA, s->names[PART_LEASE])), ACCEPT);
	rule(s, WHEN(ARP, is(NFT_ARP_SPA, nobody), is_in(NFT_ARP_TPA, s->names[PART_LEASE])),
	     ACCEPT);
}

static void main_rules(struct sink *s)
{
	const struct filter *f = s->f;

	s->part = PART_MAIN;
	frame_rules(s);
	dhcp_rules(s);
	if (f->allow_ip) {
		rule(s, WHEN(IPV4), ACCEPT);
		rule(s, WHEN(IPV6), ACCEPT);
	} else {
		ip4_rules(s);
		rule(s, WHEN(IPV6), GO(s, PART_IP6));
	}
	arp_rules(s);
	if (f->allow_ip)
		rule(s, WHEN(ARP), ACCEPT);
	if (f->allow_restricted) {
		rule(s, WHEN(IPV4), DROP);
		rule(s, WHEN(ARP), DROP);
		rule(s, ALWAYS, ACCEPT);
	}
	rule(s, ALWAYS, DROP);
}

/* For each address: MATCHES and that FIELD is it. */
static void for_each_ip6(struct sink *s, enum nft_field field, const struct nft_match *also,
			 enum nft_verdict verdict, const char *target)
{
	const struct filter *f = s->f;
	struct addr own = link_local(f->mac);

	rule(s, WHEN(is_within(field, &own), *also), verdict, target);
	if (f->addrconf)
		rule(s, WHEN(has_identifier(field, f->mac), *also), verdict, target);
	for (size_t i = 0; i < f->address_count; i++)
		if (f->addresses[i].family == AF_INET6)
			rule(s, WHEN(is_within(field, &f->addresses[i]), *also), verdict,
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
	rule(s, WHEN(l4(58), icmp6(134)), DROP);
	rule(s, WHEN(l4(58), icmp6(137)), DROP);
	rule(s, WHEN(l4(58), icmp6(136)), GO(s, PART_NA));
	rule(s, WHEN(is(NFT_IP6_SADDR, NOBODY_IN_IP6)), GO(s, PART_NOBODY));
	/*
	 * What a first fragment keeps back could be any of these, put together again at
	 * the other end; so what comes first shows where it begins.
	 */
	rule(s, WHEN({ .field = NFT_ICMP6_TYPE, .test = NFT_KNOWN }), GO(s, PART_SOURCE));
	rule(s, WHEN(later_fragment()), GO(s, PART_SOURCE));
	rule(s, ALWAYS, DROP);

	s->part = PART_NA;
	for_each_ip6(s, NFT_ND_TARGET, &told, GO(s, PART_SOURCE));
	rule(s, ALWAYS, DROP);

	/* Is my address free, which routers are there, which groups do I listen to. */
	s->part = PART_NOBODY;
	rule(s, WHEN(l4(58), icmp6(143)), ACCEPT);
	rule(s, WHEN(l4(58), icmp6(133)), ACCEPT);
	rule(s, WHEN(l4(58), is_not(NFT_ICMP6_TYPE, asked.value)), DROP);
	for_each_ip6(s, NFT_ND_TARGET,
		     &(struct nft_match){ .field = NFT_L4PROTO, .value = { 58 } }, ACCEPT);
	rule(s, ALWAYS, DROP);

	s->part = PART_SOURCE;
	for_each_ip6(s, NFT_IP6_SADDR, &known, ACCEPT);
	rule(s, ALWAYS, DROP);
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
	emit(s, s->names[PART_LEASE], &r);
}

static void port_rules(struct sink *s)
{
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
	emit(s, chain, &r);
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
	emit(s, "in", &drop);

	drop.match[0] = is_in(NFT_IIFNAME, "no-host");
	emit(s, "local", &drop);
	r = (struct nft_rule){ .count = 1, .match = { to_the_link() } };
	emit_vmap(s, "local", r, NFT_IIFNAME, "ports");
	drop.count = 2;
	drop.match[0] = to_the_link();
	drop.match[1] = named_like_ours();
	emit(s, "local", &drop);

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
	nft_add_base_chain(b, "in", NFT_HOOK_PREROUTING);
	nft_add_base_chain(b, "local", NFT_HOOK_INPUT);
	nft_add_base_chain(b, "out", NFT_HOOK_POSTROUTING);
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
	for (size_t i = 0; i < PART_MAX_; i++) {
		nft_add_chain(s->batch, s->names[i]);
		if (!fresh)
			nft_flush_chain(s->batch, s->names[i]);
	}
	add_elements(s, fresh);
}

int filter_apply(const struct filter *f, struct err *e)
{
	cleanup_nft struct nft_batch *batch = nft_begin();
	struct sink s = { .f = f, .batch = batch };
	int frame = nft_has_chain(FRAME_MARK);
	int there = frame < 0 ? frame : nft_has_chain(f->port);
	int r = there;

	name_parts(&s, f->port);
	if (r >= 0) {
		if (frame == 0 || there)
			add_frame(&s);
		add_port(&s, !there);
		port_rules(&s);
		r = nft_commit(batch);
	}
	return r < 0 ? err_set(e, r, "cannot set the filter of '%s': %s", f->port, strerror(-r))
		     : 0;
}

/* All of it is there for sure once it is added. */
static void take_port(struct sink *s)
{
	add_port(s, false);
	nft_delete_element(s->batch, "ports", s->names[PART_MAIN]);
	for (size_t i = 0; i < PART_MAX_; i++)
		nft_delete_chain(s->batch, s->names[i]);
	nft_delete_set(s->batch, s->names[PART_LEASE]);
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
		name_parts(&s, ports[i]);
		take_port(&s);
	}
	if (r >= 0 && batch)
		r = nft_commit(batch);
	return r < 0 ? err_set(e, r, "cannot remove the filter of '%s' and what follows: %s",
			       ports[0], strerror(-r))
		     : 0;
}

int filter_is_there(const char *port, struct err *e)
{
	const char *const chains[] = { "in", "local", port };
	int r = nft_has_element("ports", port);

	for (size_t i = 0; i < ARRAY_SIZE(chains) && r > 0; i++)
		r = nft_has_rules(chains[i]);
	return r < 0 ? err_set(e, r, "cannot read the filter of '%s': %s", port, strerror(-r))
		     : r;
}

char *filter_text(const struct filter *f)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct sink s = { .f = f, .text = &text };

	name_parts(&s, f->port);
	port_rules(&s);
	return buf_take(&text);
}
