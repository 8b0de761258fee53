/* SPDX-License-Identifier: MIT */
/*
 * guard.c - firewall_enabled: what may reach a port.
 *
 *	track  what the machine sends is remembered as a flow ─▶ PORT-flow4, -end4, ...
 *	guard  what is for the machine: answers of these, and ICMP; the rest of IP is dropped
 *
 * The kernel's own tracking of connections is not used: where it knows bridges at all
 * it is one table for all of them, in which equal addresses of two networks collide, and
 * which one machine can fill for everybody. Here each port has its own, of bounded size.
 *
 * A TCP flow begins with the machine's SYN. It moves from "flow" to "end" with the
 * machine's FIN or RST, so that flows which are over are forgotten soon and those that
 * are idle are not. An answer of TCP does not renew a flow: the machine acknowledges it.
 */
#include "libnet/filter_private.h"

#include <stdlib.h>

/* Longer than two hours, after which hosts ask whether the other end is still there. */
#define IDLE_S  7500
#define BEGIN_S 120
#define END_S   120
#define UDP_S   180

#define TCP l4(6)

struct family {
	unsigned int ethertype;
	enum nft_field sent, answer;
	enum part flow, end;
};

static const struct family families[] = {
	{ 0x0800, NFT_FLOW4_SENT, NFT_FLOW4_ANSWER, PART_FLOW4, PART_END4 },
	{ 0x86dd, NFT_FLOW6_SENT, NFT_FLOW6_ANSWER, PART_FLOW6, PART_END6 },
};

static struct nft_match flags(uint8_t mask, uint8_t value, enum nft_test test)
{
	struct nft_match m = { .field = NFT_TCP_FLAGS, .test = test, .masked = true };

	m.mask[0] = mask;
	m.value[0] = value;
	return m;
}

#define FIN          0x01
#define SYN          0x02
#define RST          0x04
#define ACK          0x10
#define IS_FIRST     flags(SYN | ACK, SYN, NFT_EQ)
#define IS_NOT_FIRST flags(SYN, 0, NFT_EQ)
#define IS_LAST      flags(FIN | RST, 0, NFT_NE)

static void change(struct sink *s, const struct nft_match *matches, enum nft_verdict verdict,
		   enum nft_field key, enum part set, uint32_t seconds)
{
	struct nft_rule r = { .verdict = verdict, .key = key, .target = s->names[set] };

	r.seconds = seconds;
	for (; matches->field != NFT_FIELD_MAX_; matches++)
		r.match[r.count++] = *matches;
	filter_emit(s, s->names[s->part], &r);
}

static void track_rules(struct sink *s, const struct family *f)
{
	const struct nft_match ip = protocol(f->ethertype);
	const struct nft_match known = is_in(f->sent, s->names[f->flow]);
	const struct nft_match ending = is_in(f->sent, s->names[f->end]);

	change(s, WHEN(ip, UDP), NFT_KEEP, f->sent, f->flow, UDP_S);
	change(s, WHEN(ip, TCP, IS_FIRST), NFT_KEEP, f->sent, f->flow, BEGIN_S);
	change(s, WHEN(ip, TCP, IS_LAST, known), NFT_KEEP, f->sent, f->end, END_S);
	change(s, WHEN(ip, TCP, IS_LAST), NFT_FORGET, f->sent, f->flow, 0);
	change(s, WHEN(ip, TCP, IS_NOT_FIRST, known), NFT_KEEP, f->sent, f->flow, IDLE_S);
	change(s, WHEN(ip, TCP, IS_NOT_FIRST, ending), NFT_KEEP, f->sent, f->end, END_S);
}

/* Behind a first fragment: without that one it is of no use to anybody. */
static struct nft_match later_fragment(const struct family *f)
{
	bool is_ip6 = f->ethertype == 0x86dd;
	struct nft_match m = { .field = is_ip6 ? NFT_IP6_FRAGMENT : NFT_IP_FRAGMENT,
			       .test = NFT_NE,
			       .masked = true };

	m.mask[0] = is_ip6 ? 0xff : 0x1f;
	m.mask[1] = is_ip6 ? 0xf8 : 0xff;
	return m;
}

static void answer_rules(struct sink *s, const struct family *f)
{
	const struct nft_match ip = protocol(f->ethertype);
	const struct nft_match known = is_in(f->answer, s->names[f->flow]);
	const struct nft_match ending = is_in(f->answer, s->names[f->end]);

	filter_rule(s, WHEN(ip, later_fragment(f)), ACCEPT);
	/* What is only heard, as a film, is renewed by that. */
	change(s, WHEN(ip, UDP, known), NFT_KEEP, f->answer, f->flow, UDP_S);
	filter_rule(s, WHEN(ip, known), ACCEPT);
	filter_rule(s, WHEN(ip, ending), ACCEPT);
}

static void may_hear_rules(struct sink *s)
{
	const struct filter *f = s->f;

	filter_rule(s, WHEN(IPV4, l4(1)), ACCEPT);
	filter_rule(s, WHEN(IPV6, l4(58)), ACCEPT);
	if (f->dhcp)
		filter_rule(s, WHEN(IPV4, UDP, port_is(NFT_SPORT, 67), port_is(NFT_DPORT, 68)),
			    ACCEPT);
	if (f->addrconf)
		filter_rule(s,
			    WHEN(IPV6, UDP, port_is(NFT_SPORT, 547), port_is(NFT_DPORT, 546)),
			    ACCEPT);
	/* Else two would think that the virtual router is theirs. */
	if (f->vrrp_primary.family)
		filter_rule(s, WHEN(IPV4, l4(112)), ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		answer_rules(s, &families[i]);
	filter_rule(s, WHEN(IPV4), DROP);
	filter_rule(s, WHEN(IPV6), DROP);
}

void guard_rules(struct sink *s)
{
	s->part = PART_TRACK;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		track_rules(s, &families[i]);
	s->part = PART_GUARD;
	may_hear_rules(s);
}

/* ---- the frame ----------------------------------------------------------------- */

static void emit_vmap(struct sink *s, const char *chain, enum nft_field key, const char *map)
{
	struct nft_rule r = { .verdict = NFT_VMAP, .key = key, .target = map };

	filter_emit(s, chain, &r);
}

/* Behind what a port may say, before the rules of others. */
static void add_guard_frame(struct sink *s)
{
	struct nft_batch *b = s->batch;

	nft_add_verdict_map(b, "tracks");
	nft_add_verdict_map(b, "guards");
	nft_add_base_chain(b, "track", NFT_HOOK_PREROUTING, NFT_PRIORITY_GUARD);
	nft_add_base_chain(b, "guard", NFT_HOOK_POSTROUTING, NFT_PRIORITY_GUARD);
	nft_flush_chain(b, "track");
	nft_flush_chain(b, "guard");
	emit_vmap(s, "track", NFT_IIFNAME, "tracks");
	emit_vmap(s, "guard", NFT_OIFNAME, "guards");
}

static void add_sets(struct sink *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];

		nft_add_flow_set(s->batch, s->names[f->flow], f->sent);
		nft_add_flow_set(s->batch, s->names[f->end], f->sent);
	}
}

void guard_add(struct sink *s)
{
	const char *port = s->names[PART_MAIN];

	add_guard_frame(s);
	add_sets(s);
	nft_add_chain(s->batch, s->names[PART_TRACK]);
	nft_add_chain(s->batch, s->names[PART_GUARD]);
	nft_flush_chain(s->batch, s->names[PART_TRACK]);
	nft_flush_chain(s->batch, s->names[PART_GUARD]);
	nft_add_element(s->batch, "tracks", port, s->names[PART_TRACK]);
	nft_add_element(s->batch, "guards", port, s->names[PART_GUARD]);
}

void guard_take(struct sink *s)
{
	const char *port = s->names[PART_MAIN];

	/* All of it is there for sure once it is added. */
	guard_add(s);
	nft_delete_element(s->batch, "tracks", port);
	nft_delete_element(s->batch, "guards", port);
	nft_delete_chain(s->batch, s->names[PART_TRACK]);
	nft_delete_chain(s->batch, s->names[PART_GUARD]);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		nft_delete_set(s->batch, s->names[families[i].flow]);
		nft_delete_set(s->batch, s->names[families[i].end]);
	}
}
