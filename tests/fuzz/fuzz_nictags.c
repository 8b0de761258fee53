/* SPDX-License-Identifier: MIT */
/*
 * fuzz_nictags.c - nictags.json as anybody may have edited it, and the address
 * parsers that payloads reach as well.
 */
#include "base/alloc.h"
#include "libnet/address.h"
#include "libnet/nictag.h"

#include "fuzz.h"

#include <string.h>

/* What was taken comes out in canonical form, and goes in again as the same. */
static void check_address(const char *text)
{
	char once[ADDR_STR], again[ADDR_STR];
	struct addr a;

	if (addr_parse_prefix(text, &a, NULL) < 0)
		return;
	addr_format_prefix(&a, once);
	if (addr_parse_prefix(once, &a, NULL) < 0)
		abort();
	addr_format_prefix(&a, again);
	if (strcmp(once, again) != 0)
		abort();
}

static void check_mac(const char *text)
{
	char mac[MAC_STR], again[MAC_STR];

	if (mac_normalise(text, mac, NULL) < 0)
		return;
	if (mac_normalise(mac, again, NULL) < 0 || strcmp(mac, again) != 0)
		abort();
}

static void check_tag(const struct nictag *tag)
{
	size_t bridge = strlen(tag->bridge);

	if (!nictag_name_is_valid(tag->name) || bridge == 0 || bridge >= sizeof(tag->bridge) ||
	    tag->mtu < NICTAG_MTU_MIN || tag->mtu > NICTAG_MTU_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_free struct nictag *tags = NULL;
	struct err e = { 0 };
	unsigned int prefix;
	size_t count = 0;
	int r;

	r = nictag_parse((const char *)data, size, "input", &tags, &count, &e);
	if (r < 0 && (e.code != r || e.msg[0] == '\0' || tags))
		abort();
	for (size_t i = 0; i < count; i++)
		check_tag(&tags[i]);
	check_address(text);
	check_mac(text);
	(void)!netmask_to_prefix(text, &prefix, NULL);
	return 0;
}
