/* SPDX-License-Identifier: MIT */
/*
 * filter_private.h - how filter.c and guard.c write rules. Inside libnet only.
 */
#pragma once

#include "libnet/filter.h"
#include "libnet/nft.h"

#include <string.h>

struct buf;

#define CHAIN_ROOM 32

/* The chains and the sets of a port: its name and one of these. */
enum part {
	PART_MAIN,
	PART_IP6,
	PART_NA,     /* neighbour advertisements */
	PART_NOBODY, /* sent from :: */
	PART_SOURCE, /* whose source must be its own */
	PART_LEASE,
	PART_ALWAYS_, /* those above are of every port */
	PART_TRACK = PART_ALWAYS_,
	PART_GUARD,
	PART_FLOW4,
	PART_END4, /* flows that are about to end */
	PART_FLOW6,
	PART_END6,
	PART_MAX_,
};

/* Where rules go: to the kernel or to a text. */
struct sink {
	const struct filter *f;
	struct nft_batch *batch;
	struct buf *text;
	char names[PART_MAX_][CHAIN_ROOM];
	enum part part; /* the chain to which rule() adds */
};

void filter_name_parts(struct sink *s, const char *port);
void filter_emit(struct sink *s, const char *chain, const struct nft_rule *rule);
/* One more rule of the sink's part: MATCHES as WHEN() makes them. */
void filter_rule(struct sink *s, const struct nft_match *matches, enum nft_verdict verdict,
		 const char *target);

/* ---- the parts of rules ---------------------------------------------------------- */

static inline struct nft_match is(enum nft_field field, const void *value)
{
	struct nft_match m = { .field = field, .test = NFT_EQ };

	memcpy(m.value, value, nft_field_len(field));
	return m;
}

static inline struct nft_match is_not(enum nft_field field, const void *value)
{
	struct nft_match m = is(field, value);

	m.test = NFT_NE;
	return m;
}

static inline struct nft_match is_in(enum nft_field field, const char *set)
{
	return (struct nft_match){ .field = field, .test = NFT_IN, .set = set };
}

static inline struct nft_match protocol(unsigned int ethertype)
{
	return is(NFT_PROTOCOL, (uint8_t[2]){ (uint8_t)(ethertype >> 8), (uint8_t)ethertype });
}

static inline struct nft_match port_is(enum nft_field field, unsigned int port)
{
	return is(field, (uint8_t[2]){ (uint8_t)(port >> 8), (uint8_t)port });
}

static inline struct nft_match l4(uint8_t number)
{
	return is(NFT_L4PROTO, &number);
}

static inline struct nft_match icmp6(uint8_t type)
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

/* ---- guard.c: firewall_enabled --------------------------------------------------- */

/* Its rules, to the end of chains that are there and empty. */
void guard_rules(struct sink *s);
/* All of it is there, and in force; what flows are known stays so. Batch only. */
void guard_add(struct sink *s);
/* Nothing of it is there. Batch only. */
void guard_take(struct sink *s);
