/* SPDX-License-Identifier: MIT */
/*
 * nft.h - one change of the table "dais" of nf_tables, bridge family, as one
 * transaction of the kernel: all of it is in force afterwards, or none. Inside
 * libnet only.
 *
 *	nft_begin()  chains, sets, rules, elements ...  nft_commit()
 *
 * Messages are written straight to netlink: a start of a zone waits for this,
 * and a parser and its reading of all that is there take longer than the rest
 * of the network does.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_TABLE     "dais"
#define NFT_VALUE_MAX 16

/* What a rule looks at; nft_fields in nft_rule.c says where that is. */
enum nft_field {
	NFT_IIFNAME,
	NFT_OIFNAME,
	NFT_PROTOCOL, /* below a VLAN tag, if there is one */
	NFT_L4PROTO,  /* not known for a damaged packet: then no rule with it matches */
	NFT_ETHER_DADDR,
	NFT_ETHER_SADDR,
	NFT_ETHER_TYPE, /* as it is on the wire: of a VLAN tag, if there is one */
	NFT_IP_SADDR,
	NFT_IP_FRAGMENT, /* offset and flags */
	NFT_ARP_FORM,    /* kinds and lengths of both addresses */
	NFT_ARP_SHA,
	NFT_ARP_SPA,
	NFT_ARP_TPA,
	NFT_IP6_SADDR,
	NFT_IP6_FRAGMENT, /* offset and flags, where it is one */
	NFT_ICMP6_TYPE,
	NFT_ND_TARGET,
	NFT_SPORT,
	NFT_DPORT,
	NFT_DHCP_CHADDR, /* the client's MAC */
	NFT_DHCP_YIADDR, /* the address that it gets */
	NFT_TCP_FLAGS,
	/*
	 * A flow: own address, other address, protocol, own port, other port; only as the
	 * key of a set. What is sent and what answers it give the same one.
	 */
	NFT_FLOW4_SENT,
	NFT_FLOW4_ANSWER,
	NFT_FLOW6_SENT,
	NFT_FLOW6_ANSWER,
	NFT_FIELD_MAX_,
};

enum nft_test {
	NFT_EQ,
	NFT_NE,
	NFT_KNOWN, /* has any value */
	NFT_IN,    /* is in the set TARGET of the match */
};

struct nft_match {
	enum nft_field field;
	enum nft_test test;
	bool masked;
	size_t prefix; /* only so many bytes of a name must agree; 0: all */
	uint8_t value[NFT_VALUE_MAX];
	uint8_t mask[NFT_VALUE_MAX];
	const char *set; /* borrowed */
};

enum nft_verdict {
	NFT_DROP_IT,
	NFT_ACCEPT_IT,
	NFT_GOTO_CHAIN, /* target: the chain */
	NFT_VMAP,       /* target: the map; looks up the value of the last match's field */
	/* Target: a set, to which the value of .key ... The rules after it are looked at as
	   well. */
	NFT_LEARN,  /* is added */
	NFT_KEEP,   /* is added, or there anew, for .seconds */
	NFT_FORGET, /* does not belong any more */
};

#define NFT_MATCHES_MAX 5

struct nft_rule {
	struct nft_match match[NFT_MATCHES_MAX];
	size_t count;
	enum nft_verdict verdict;
	enum nft_field key; /* of NFT_VMAP and of what changes a set */
	uint32_t seconds;
	const char *target; /* borrowed */
};

/* The width of a field; 1 to NFT_VALUE_MAX bytes, but for flows. */
size_t nft_field_len(enum nft_field field);

/* A rule as one line of text without its end, for tests and for people. The caller frees. */
char *nft_rule_text(const struct nft_rule *rule);

enum nft_hook {
	NFT_HOOK_PREROUTING,
	NFT_HOOK_INPUT,
	NFT_HOOK_POSTROUTING,
};

struct nft_batch;

/* The table is made if it is not there. Never NULL. */
struct nft_batch *nft_begin(void);
void nft_free(struct nft_batch *b);
void nft_free_p(struct nft_batch **b);
#define cleanup_nft cleanup_with(nft_free_p)

/* Each makes sure that it is there, and leaves it as it is when it was. */
void nft_add_chain(struct nft_batch *b, const char *chain);
/* Of two on one hook that with the lower priority is asked first. */
#define NFT_PRIORITY_FIRST \
	(-400) /* before the rules of others: they are not to see it either */
#define NFT_PRIORITY_GUARD (-399)
void nft_add_base_chain(struct nft_batch *b, const char *chain, enum nft_hook hook,
			int priority);
void nft_add_verdict_map(struct nft_batch *b, const char *map); /* interface to chain */
void nft_add_name_set(struct nft_batch *b, const char *set);    /* of interfaces */
void nft_add_address_set(struct nft_batch *b, const char *set); /* of learned IPv4 addresses */
/* Of flows with a time: FIELD is one of the NFT_FLOW. */
void nft_add_flow_set(struct nft_batch *b, const char *set, enum nft_field field);
/* CHAIN: where the map leads; NULL for a set. */
void nft_add_element(struct nft_batch *b, const char *set, const char *name, const char *chain);
void nft_add_rule(struct nft_batch *b, const char *chain, const struct nft_rule *rule);

/* These must be there, by now: add before. */
void nft_flush_chain(struct nft_batch *b, const char *chain);
void nft_delete_element(struct nft_batch *b, const char *set, const char *name);
void nft_delete_chain(struct nft_batch *b, const char *chain);
void nft_delete_set(struct nft_batch *b, const char *set);

/* -EMSGSIZE: too much for one change. Else what the kernel said first. */
ATTR_MUST_CHECK int nft_commit(struct nft_batch *b);

/* Does the error R say that this kernel has no nf_tables? */
bool nft_is_missing(int r);

/* Is the chain there? 1, 0, or an error. */
ATTR_MUST_CHECK int nft_has_chain(const char *chain);
/*
 * EACH gets the name of every chain of the table. What it does is done after all of
 * them have been read.
 */
ATTR_MUST_CHECK int nft_each_chain(void (*each)(void *data, const char *chain), void *data);
/* Has it rules? 1, 0 (also if it is not there), or an error. */
ATTR_MUST_CHECK int nft_has_rules(const char *chain);
/* Is NAME an element of the map or set? 1, 0, or an error. */
ATTR_MUST_CHECK int nft_has_element(const char *set, const char *name);

struct nlmsghdr;
/* nft_rule.c: the expressions of a rule. */
void nft_put_rule(struct nlmsghdr *m, const struct nft_rule *rule);
