/* SPDX-License-Identifier: MIT */
/*
 * What single words of a payload must be. Each returns NULL, or the rule that
 * TEXT breaks, written to follow "must be ".
 */
#include "libnet/address.h"
#include "libpayload/prop_table.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DHCP_CID_MAX 512
#define DOMAIN_MAX   253

static bool is_name(const char *text, size_t max)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t len = strlen(text);

	return len > 0 && len <= max && strspn(text, allowed) == len && *text != '-' &&
	       *text != '.';
}

/* Both are written into files and given to the kernel: nothing odd gets in. */
const char *check_hostname(const char *text)
{
	return is_name(text, HOST_NAME_MAX)
		       ? NULL
		       : "1 to 64 letters, digits, '.', '-' and '_', and begin with a letter or digit";
}

const char *check_domain(const char *text)
{
	return is_name(text, DOMAIN_MAX)
		       ? NULL
		       : "1 to 253 letters, digits, '.', '-' and '_', and begin with a letter or digit";
}

const char *check_path(const char *text)
{
	return *text == '/' && strlen(text) < PATH_MAX ? NULL : "an absolute path";
}

const char *check_resolver(const char *text)
{
	struct addr a;

	return addr_parse(text, &a, NULL) < 0 ? "an IPv4 or IPv6 address" : NULL;
}

const char *check_mac(const char *text)
{
	char mac[MAC_STR];

	return mac_normalise(text, mac, NULL) < 0
		       ? "six pairs of hex digits, as 02:08:20:0a:0b:0c"
		       : NULL;
}

const char *check_dhcp_cid(const char *text)
{
	static const char rule[] =
		"0x and an even number of hex digits, at most 512 characters";
	size_t len = strlen(text);

	if (len < 4 || len > DHCP_CID_MAX || len % 2 || text[0] != '0' || text[1] != 'x')
		return rule;
	for (size_t i = 2; i < len; i++)
		if (!isxdigit((unsigned char)text[i]))
			return rule;
	return NULL;
}

const char *check_namespace(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return *text && strspn(text, allowed) == strlen(text)
		       ? NULL
		       : "a prefix of letters, digits, '.', '_' and '-'";
}

static bool is_power_of_two(unsigned long n)
{
	return n && (n & (n - 1)) == 0;
}

const char *check_sector_size(const char *text)
{
	static const char rule[] = "LOGICAL or LOGICAL/PHYSICAL, each a power of two";
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)*text))
		return rule;
	n = strtoul(text, &end, 10);
	if (!is_power_of_two(n))
		return rule;
	if (*end == '\0')
		return NULL;
	if (*end != '/' || !isdigit((unsigned char)end[1]))
		return rule;
	n = strtoul(end + 1, &end, 10);
	return *end == '\0' && is_power_of_two(n) ? NULL : rule;
}
