/* SPDX-License-Identifier: MIT */
#include "libnet/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static unsigned int full_prefix(int family)
{
	return family == AF_INET ? 32 : 128;
}

int addr_parse(const char *text, struct addr *ret_addr, struct err *e)
{
	struct addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, text, a.bytes) != 1)
		return err_set(e, -EINVAL, "'%.80s' is not an IPv4 or IPv6 address", text);
	a.prefix = full_prefix(a.family);
	*ret_addr = a;
	return 0;
}

/* Decimal, no sign, no leading zero; at most three digits. */
static int parse_prefix_length(const char *text, unsigned int max)
{
	unsigned int n = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -EINVAL;
		n = n * 10 + (unsigned int)(text[i] - '0');
	}
	return n <= max ? (int)n : -ERANGE;
}

int addr_parse_prefix(const char *text, struct addr *ret_addr, struct err *e)
{
	const char *slash = strchr(text, '/');
	char host[INET6_ADDRSTRLEN];
	struct addr a;
	int prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		return err_set(e, -EINVAL, "'%.80s' is not ADDRESS/PREFIX", text);
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (addr_parse(host, &a, NULL) < 0)
		return err_set(e, -EINVAL,
			       "'%.80s' does not start with an IPv4 or IPv6 address", text);
	prefix = parse_prefix_length(slash + 1, full_prefix(a.family));
	if (prefix < 0)
		return err_set(e, -EINVAL, "'%.80s' does not end in a prefix of 0 to %u", text,
			       full_prefix(a.family));
	a.prefix = (unsigned int)prefix;
	*ret_addr = a;
	return 0;
}

void addr_format(const struct addr *a, char ret[static ADDR_STR])
{
	const char *text = inet_ntop(a->family, a->bytes, ret, ADDR_STR);

	assert(text);
	(void)text;
}

void addr_format_prefix(const struct addr *a, char ret[static ADDR_STR])
{
	size_t len;

	addr_format(a, ret);
	len = strlen(ret);
	(void)snprintf(ret + len, ADDR_STR - len, "/%u", a->prefix);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool addr_contains(const struct addr *network, const struct addr *a)
{
	unsigned int whole = network->prefix / 8, rest = network->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	if (network->family != a->family || memcmp(network->bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

static bool in_any(const struct addr *a, const char *const networks[], size_t count)
{
	struct addr network;

	for (size_t i = 0; i < count; i++)
		if (addr_parse_prefix(networks[i], &network, NULL) == 0 &&
		    addr_contains(&network, a))
			return true;
	return false;
}

bool addr_is_private(const struct addr *a)
{
	static const char *const networks[] = {
		"10.0.0.0/8",    "172.16.0.0/12",  "192.168.0.0/16",
		"100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
		"fc00::/7",      "fe80::/10",      "::1/128",
	};

	return in_any(a, networks, ARRAY_SIZE(networks));
}

bool addr_is_unicast(const struct addr *a)
{
	static const char *const others[] = {
		"0.0.0.0/32", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8",
	};

	return !in_any(a, others, ARRAY_SIZE(others));
}

int netmask_to_prefix(const char *netmask, unsigned int *ret_prefix, struct err *e)
{
	struct in_addr in;
	uint32_t mask;

	if (inet_pton(AF_INET, netmask, &in) != 1)
		return err_set(e, -EINVAL, "'%.80s' is not a netmask", netmask);
	mask = ntohl(in.s_addr);
	/* Ones, then zeros: the complement plus one has a single bit, or none. */
	if ((~mask & (~mask + 1)) != 0)
		return err_set(e, -EINVAL, "'%.80s' is not a netmask: it has holes", netmask);
	*ret_prefix = (unsigned int)__builtin_popcount(mask);
	return 0;
}

void netmask_from_prefix(unsigned int prefix, char ret[static ADDR_STR])
{
	struct addr a = { .family = AF_INET };
	uint32_t mask;

	assert(prefix <= 32);
	mask = htonl(prefix ? UINT32_MAX << (32 - prefix) : 0);
	memcpy(a.bytes, &mask, sizeof(mask));
	addr_format(&a, ret);
}
