/* SPDX-License-Identifier: MIT */
#include "libnet/filter_private.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdio.h>

static const char *const suffixes[] = {
	[PART_MAIN] = "",        [PART_IP6] = "-6",         [PART_NA] = "-na",
	[PART_NOBODY] = "-any",  [PART_SOURCE] = "-source", [PART_LEASE] = "-lease",
	[PART_TRACK] = "-track", [PART_GUARD] = "-guard",   [PART_FLOW4] = "-flow4",
	[PART_END4] = "-end4",   [PART_FLOW6] = "-flow6",   [PART_END6] = "-end6",
};

void filter_name_parts(struct sink *s, const char *port)
{
	for (size_t i = 0; i < PART_MAX_; i++)
		(void)snprintf(s->names[i], CHAIN_ROOM, "%.15s%s", port, suffixes[i]);
}

void filter_emit(struct sink *s, const char *chain, const struct nft_rule *rule)
{
	if (s->batch) {
		nft_add_rule(s->batch, chain, rule);
	} else {
		cleanup_free char *text = nft_rule_text(rule);

		buf_addf(s->text, "%s: %s\n", chain, text);
	}
}

void filter_rule(struct sink *s, const struct nft_match *matches, enum nft_verdict verdict,
		 const char *target)
{
	struct nft_rule r = { .verdict = verdict, .target = target };

	for (; matches->field != NFT_FIELD_MAX_; matches++)
		r.match[r.count++] = *matches;
	filter_emit(s, s->names[s->part], &r);
}
