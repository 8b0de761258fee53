/* SPDX-License-Identifier: MIT */
#include "base/uuid.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

static bool is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool uuid_is_valid(const char *s)
{
	for (size_t i = 0; i < UUID_LEN; i++)
		if (is_dash_place(i) ? s[i] != '-' : !is_lower_hex(s[i]))
			return false;
	return s[UUID_LEN] == '\0';
}

static void random_bytes(unsigned char *bytes, size_t len)
{
	ssize_t n;

	/* Up to 256 bytes come whole, once the kernel's pool is ready. */
	do
		n = getrandom(bytes, len, 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len)
		abort();
}

void uuid_generate_random(char ret[static UUID_STR])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];
	size_t nibble = 0;

	random_bytes(bytes, sizeof(bytes));
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */

	for (size_t i = 0; i < UUID_LEN; i++) {
		unsigned int shift = nibble % 2 ? 0 : 4;

		if (is_dash_place(i)) {
			ret[i] = '-';
			continue;
		}
		ret[i] = digits[(bytes[nibble / 2] >> shift) & 0x0f];
		nibble++;
	}
	ret[UUID_LEN] = '\0';
}
