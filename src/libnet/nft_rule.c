/* SPDX-License-Identifier: MIT */
/*
 * nft_rule.c - a rule as the kernel's expressions, and as text.
 *
 * A match loads its field to register 1 and compares it there. Where the field
 * is not in the packet the load ends the rule: it does not match.
 */
#include "libnet/nft.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define IN_META   (-1)
#define IN_EXTHDR (-2) /* of IPv6 */
#define IN_FLOW   (-3) /* in several places: flow_parts[] */

#define FRAGMENT_HEADER 44

static const struct {
	const char *name;
	int base;    /* of the payload, or one of the above */
	uint32_t at; /* offset, key, or index */
	uint32_t len;
} fields[] = {
	[NFT_IIFNAME] = { "iifname", IN_META, NFT_META_IIFNAME, 16 },
	[NFT_OIFNAME] = { "oifname", IN_META, NFT_META_OIFNAME, 16 },
	[NFT_PROTOCOL] = { "protocol", IN_META, NFT_META_PROTOCOL, 2 },
	[NFT_L4PROTO] = { "l4proto", IN_META, NFT_META_L4PROTO, 1 },
	[NFT_ETHER_DADDR] = { "ether daddr", NFT_PAYLOAD_LL_HEADER, 0, 6 },
	[NFT_ETHER_SADDR] = { "ether saddr", NFT_PAYLOAD_LL_HEADER, 6, 6 },
	[NFT_ETHER_TYPE] = { "ether type", NFT_PAYLOAD_LL_HEADER, 12, 2 },
	[NFT_IP_SADDR] = { "ip saddr", NFT_PAYLOAD_NETWORK_HEADER, 12, 4 },
	[NFT_IP_FRAGMENT] = { "ip fragment", NFT_PAYLOAD_NETWORK_HEADER, 6, 2 },
	[NFT_ARP_FORM] = { "arp form", NFT_PAYLOAD_NETWORK_HEADER, 0, 6 },
	[NFT_ARP_SHA] = { "arp saddr ether", NFT_PAYLOAD_NETWORK_HEADER, 8, 6 },
	[NFT_ARP_SPA] = { "arp saddr ip", NFT_PAYLOAD_NETWORK_HEADER, 14, 4 },
	[NFT_ARP_TPA] = { "arp daddr ip", NFT_PAYLOAD_NETWORK_HEADER, 24, 4 },
	[NFT_IP6_SADDR] = { "ip6 saddr", NFT_PAYLOAD_NETWORK_HEADER, 8, 16 },
	[NFT_IP6_FRAGMENT] = { "ip6 fragment", IN_EXTHDR, 2, 2 },
	[NFT_ICMP6_TYPE] = { "icmpv6 type", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1 },
	[NFT_ND_TARGET] = { "nd target", NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16 },
	[NFT_SPORT] = { "sport", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 },
	[NFT_DPORT] = { "dport", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 },
	[NFT_DHCP_CHADDR] = { "dhcp chaddr", NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 28, 6 },
	[NFT_DHCP_YIADDR] = { "dhcp yiaddr", NFT_PAYLOAD_TRANSPORT_HEADER, 8 + 16, 4 },
	[NFT_TCP_FLAGS] = { "tcp flags", NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1 },
	[NFT_FLOW4_SENT] = { "flow sent", IN_FLOW, 0, 20 },
	[NFT_FLOW4_ANSWER] = { "flow answered", IN_FLOW, 1, 20 },
	[NFT_FLOW6_SENT] = { "flow6 sent", IN_FLOW, 2, 44 },
	[NFT_FLOW6_ANSWER] = { "flow6 answered", IN_FLOW, 3, 44 },
};
static_assert(ARRAY_SIZE(fields) == NFT_FIELD_MAX_, "a row for each field");

size_t nft_field_len(enum nft_field field)
{
	return fields[field].len;
}

static void put_u32(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(m, type, htonl(value));
}

struct expr {
	struct nlattr *elem;
	struct nlattr *data;
};

static struct expr expr_start(struct nlmsghdr *m, const char *name)
{
	struct expr x;

	x.elem = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, name);
	x.data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	return x;
}

static void expr_end(struct nlmsghdr *m, struct expr x)
{
	mnl_attr_nest_end(m, x.data);
	mnl_attr_nest_end(m, x.elem);
}

static void put_value(struct nlmsghdr *m, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(m, nest);
}

/* ---- flows ------------------------------------------------------------------- */

struct part {
	uint32_t base, at, len;
};

/* Own address, other address, own port, other port, by .at of the field. */
static const struct part flow_parts[][4] = {
	{ { NFT_PAYLOAD_NETWORK_HEADER, 12, 4 },
	  { NFT_PAYLOAD_NETWORK_HEADER, 16, 4 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 } },
	{ { NFT_PAYLOAD_NETWORK_HEADER, 16, 4 },
	  { NFT_PAYLOAD_NETWORK_HEADER, 12, 4 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 } },
	{ { NFT_PAYLOAD_NETWORK_HEADER, 8, 16 },
	  { NFT_PAYLOAD_NETWORK_HEADER, 24, 16 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 } },
	{ { NFT_PAYLOAD_NETWORK_HEADER, 24, 16 },
	  { NFT_PAYLOAD_NETWORK_HEADER, 8, 16 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2 },
	  { NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2 } },
};

/* To the registers from REG on, which is moved behind it. */
static void put_part(struct nlmsghdr *m, const struct part *part, uint32_t *reg)
{
	struct expr x = expr_start(m, "payload");

	put_u32(m, NFTA_PAYLOAD_DREG, *reg);
	put_u32(m, NFTA_PAYLOAD_BASE, part->base);
	put_u32(m, NFTA_PAYLOAD_OFFSET, part->at);
	put_u32(m, NFTA_PAYLOAD_LEN, part->len);
	expr_end(m, x);
	*reg += (part->len + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE;
}

/* Registers of four bytes each, the first of which is where NFT_REG_1 is. */
static void put_flow(struct nlmsghdr *m, const struct part parts[static 4])
{
	uint32_t reg = NFT_REG32_00;
	struct expr x;

	put_part(m, &parts[0], &reg);
	put_part(m, &parts[1], &reg);
	x = expr_start(m, "meta");
	put_u32(m, NFTA_META_KEY, NFT_META_L4PROTO);
	put_u32(m, NFTA_META_DREG, reg++);
	expr_end(m, x);
	put_part(m, &parts[2], &reg);
	put_part(m, &parts[3], &reg);
}

/* ---- rules ------------------------------------------------------------------- */

static void put_load(struct nlmsghdr *m, enum nft_field field)
{
	struct expr x;

	if (fields[field].base == IN_FLOW) {
		put_flow(m, flow_parts[fields[field].at]);
		return;
	}
	if (fields[field].base == IN_META) {
		x = expr_start(m, "meta");
		put_u32(m, NFTA_META_KEY, fields[field].at);
		put_u32(m, NFTA_META_DREG, NFT_REG_1);
	} else if (fields[field].base == IN_EXTHDR) {
		x = expr_start(m, "exthdr");
		put_u32(m, NFTA_EXTHDR_DREG, NFT_REG_1);
		mnl_attr_put_u8(m, NFTA_EXTHDR_TYPE, FRAGMENT_HEADER);
		put_u32(m, NFTA_EXTHDR_OFFSET, fields[field].at);
		put_u32(m, NFTA_EXTHDR_LEN, fields[field].len);
	} else {
		x = expr_start(m, "payload");
		put_u32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
		put_u32(m, NFTA_PAYLOAD_BASE, (uint32_t)fields[field].base);
		put_u32(m, NFTA_PAYLOAD_OFFSET, fields[field].at);
		put_u32(m, NFTA_PAYLOAD_LEN, fields[field].len);
	}
	expr_end(m, x);
}

static void put_mask(struct nlmsghdr *m, const uint8_t *mask, size_t len)
{
	static const uint8_t zero[NFT_VALUE_MAX];
	struct expr x = expr_start(m, "bitwise");

	put_u32(m, NFTA_BITWISE_SREG, NFT_REG_1);
	put_u32(m, NFTA_BITWISE_DREG, NFT_REG_1);
	put_u32(m, NFTA_BITWISE_LEN, (uint32_t)len);
	put_value(m, NFTA_BITWISE_MASK, mask, len);
	put_value(m, NFTA_BITWISE_XOR, zero, len);
	expr_end(m, x);
}

static void put_compare(struct nlmsghdr *m, uint32_t op, const uint8_t *value, size_t len)
{
	struct expr x = expr_start(m, "cmp");

	put_u32(m, NFTA_CMP_SREG, NFT_REG_1);
	put_u32(m, NFTA_CMP_OP, op);
	put_value(m, NFTA_CMP_DATA, value, len);
	expr_end(m, x);
}

static void put_lookup(struct nlmsghdr *m, const char *set, bool verdicts)
{
	struct expr x = expr_start(m, "lookup");

	mnl_attr_put_strz(m, NFTA_LOOKUP_SET, set);
	put_u32(m, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (verdicts)
		put_u32(m, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	expr_end(m, x);
}

static void put_match(struct nlmsghdr *m, const struct nft_match *match)
{
	static const uint8_t zero[NFT_VALUE_MAX];
	size_t len = match->prefix ? match->prefix : nft_field_len(match->field);

	put_load(m, match->field);
	if (match->masked)
		put_mask(m, match->mask, len);
	if (match->test == NFT_IN)
		put_lookup(m, match->set, false);
	else if (match->test == NFT_KNOWN)
		put_compare(m, NFT_CMP_GTE, zero, len);
	else
		put_compare(m, match->test == NFT_EQ ? NFT_CMP_EQ : NFT_CMP_NEQ, match->value,
			    len);
}

static bool changes_a_set(enum nft_verdict verdict)
{
	return verdict == NFT_LEARN || verdict == NFT_KEEP || verdict == NFT_FORGET;
}

static void put_change(struct nlmsghdr *m, const struct nft_rule *rule)
{
	static const uint32_t operations[] = {
		[NFT_LEARN] = NFT_DYNSET_OP_ADD,
		[NFT_KEEP] = NFT_DYNSET_OP_UPDATE,
		[NFT_FORGET] = NFT_DYNSET_OP_DELETE,
	};
	struct expr x;

	put_load(m, rule->key);
	x = expr_start(m, "dynset");
	mnl_attr_put_strz(m, NFTA_DYNSET_SET_NAME, rule->target);
	put_u32(m, NFTA_DYNSET_OP, operations[rule->verdict]);
	put_u32(m, NFTA_DYNSET_SREG_KEY, NFT_REG_1);
	if (rule->seconds)
		mnl_attr_put_u64(m, NFTA_DYNSET_TIMEOUT,
				 htobe64((uint64_t)rule->seconds * 1000));
	expr_end(m, x);
}

static void put_verdict(struct nlmsghdr *m, const struct nft_rule *rule)
{
	static const int codes[] = {
		[NFT_DROP_IT] = NF_DROP,
		[NFT_ACCEPT_IT] = NF_ACCEPT,
		[NFT_GOTO_CHAIN] = NFT_GOTO,
	};
	struct expr x = expr_start(m, "immediate");
	struct nlattr *data, *verdict;

	put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(m, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
	put_u32(m, NFTA_VERDICT_CODE, (uint32_t)codes[rule->verdict]);
	if (rule->verdict == NFT_GOTO_CHAIN)
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, rule->target);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
	expr_end(m, x);
}

void nft_put_rule(struct nlmsghdr *m, const struct nft_rule *rule)
{
	struct nlattr *list = mnl_attr_nest_start(m, NFTA_RULE_EXPRESSIONS);

	for (size_t i = 0; i < rule->count; i++)
		put_match(m, &rule->match[i]);
	if (rule->verdict == NFT_VMAP) {
		put_load(m, rule->key);
		put_lookup(m, rule->target, true);
	} else if (changes_a_set(rule->verdict)) {
		put_change(m, rule);
	} else {
		put_verdict(m, rule);
	}
	mnl_attr_nest_end(m, list);
}

/* ---- text -------------------------------------------------------------------- */

static void add_bytes(struct buf *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addf(out, "%02x", bytes[i]);
}

static void add_match(struct buf *out, const struct nft_match *match)
{
	size_t len = match->prefix ? match->prefix : nft_field_len(match->field);

	buf_addf(out, "%s ", fields[match->field].name);
	if (match->masked) {
		buf_adds(out, "& ");
		add_bytes(out, match->mask, len);
		buf_adds(out, " ");
	}
	if (match->test == NFT_KNOWN) {
		buf_adds(out, "known ");
	} else if (match->test == NFT_IN) {
		buf_addf(out, "@%s ", match->set);
	} else {
		buf_adds(out, match->test == NFT_NE ? "!= " : "");
		add_bytes(out, match->value, len);
		buf_adds(out, match->prefix ? "* " : " ");
	}
}

char *nft_rule_text(const struct nft_rule *rule)
{
	cleanup_buf struct buf out = BUF_INIT;

	for (size_t i = 0; i < rule->count; i++)
		add_match(&out, &rule->match[i]);
	switch (rule->verdict) {
	case NFT_DROP_IT:
		buf_adds(&out, "drop");
		break;
	case NFT_ACCEPT_IT:
		buf_adds(&out, "accept");
		break;
	case NFT_GOTO_CHAIN:
		buf_addf(&out, "goto %s", rule->target);
		break;
	case NFT_VMAP:
		buf_addf(&out, "%s vmap @%s", fields[rule->key].name, rule->target);
		break;
	case NFT_LEARN:
		buf_addf(&out, "add @%s { %s }", rule->target, fields[rule->key].name);
		break;
	case NFT_KEEP:
		buf_addf(&out, "update @%s { %s timeout %us }", rule->target,
			 fields[rule->key].name, rule->seconds);
		break;
	case NFT_FORGET:
		buf_addf(&out, "delete @%s { %s }", rule->target, fields[rule->key].name);
		break;
	}
	return buf_take(&out);
}
