/* SPDX-License-Identifier: MIT */
#include "libnet/address.h"
#include "libnet/hash.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define MAC_LEN 6

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (isxdigit((unsigned char)c))
		return tolower((unsigned char)c) - 'a' + 10;
	return -1;
}

/* One or two digits; moves *P behind them. -1 when there is none. */
static int hex_pair(const char **p)
{
	int value = hex_value(**p);

	if (value < 0)
		return -1;
	(*p)++;
	if (hex_value(**p) >= 0)
		value = value * 16 + hex_value(*(*p)++);
	return value;
}

static int mac_bytes(const char *text, uint8_t ret[static MAC_LEN])
{
	for (size_t i = 0; i < MAC_LEN; i++) {
		int value = hex_pair(&text);

		if (value < 0 || *text != (i + 1 < MAC_LEN ? ':' : '\0'))
			return -EINVAL;
		if (*text)
			text++;
		ret[i] = (uint8_t)value;
	}
	return 0;
}

static void mac_format(const uint8_t b[static MAC_LEN], char ret[static MAC_STR])
{
	(void)snprintf(ret, MAC_STR, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3],
		       b[4], b[5]);
}

int mac_normalise(const char *text, char ret[static MAC_STR], struct err *e)
{
	uint8_t bytes[MAC_LEN];

	if (mac_bytes(text, bytes) < 0)
		return err_set(e, -EINVAL, "'%.80s' is not a MAC address", text);
	mac_format(bytes, ret);
	return 0;
}

bool mac_is_unicast(const char *mac)
{
	static const uint8_t zero[MAC_LEN];
	uint8_t bytes[MAC_LEN];

	return mac_bytes(mac, bytes) == 0 && (bytes[0] & 1) == 0 &&
	       memcmp(bytes, zero, MAC_LEN) != 0;
}

/* The bits by which an address says "not from a factory, one station". */
static void make_local(uint8_t b[static MAC_LEN])
{
	b[0] = (uint8_t)((b[0] & 0xfc) | 0x02);
}

void mac_generate(char ret[static MAC_STR])
{
	uint8_t bytes[MAC_LEN];

	/* Six bytes come whole or not at all, and only an early boot can make us wait. */
	while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		;
	make_local(bytes);
	mac_format(bytes, ret);
}

void mac_derive(const char *key, char ret[static MAC_STR])
{
	uint64_t hash = hash_text(key);
	uint8_t bytes[MAC_LEN];

	for (size_t i = 0; i < MAC_LEN; i++)
		bytes[i] = (uint8_t)(hash >> (8 * i));
	make_local(bytes);
	mac_format(bytes, ret);
}
