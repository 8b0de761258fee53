/* SPDX-License-Identifier: MIT */
#define OPENSSL_API_COMPAT 0x10100000L /* see verify.c */

#include "init/identity.h"

#include "base/fileio.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRMWARE_UUID "/sys/class/dmi/id/product_uuid"
#define PURPOSE       "dais machine id\n"
#define UUID_DIGITS   32

/* The digits of a UUID in lower case, or false. */
static bool take_digits(const char *uuid, size_t len, char ret[static UUID_DIGITS])
{
	size_t n = 0;

	for (size_t i = 0; i < len && uuid[i] != '\n'; i++) {
		char c = uuid[i];

		if (c == '-')
			continue;
		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (n == UUID_DIGITS || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		ret[n++] = c;
	}
	return n == UUID_DIGITS;
}

/* All digits the same, or counted up: what is left where nobody set one. */
static bool is_placeholder(const char digits[static UUID_DIGITS])
{
	static const char counted[] = "03000200040005000006000700080009";
	size_t same = 1;

	while (same < UUID_DIGITS && digits[same] == digits[0])
		same++;
	return same == UUID_DIGITS || memcmp(digits, counted, UUID_DIGITS) == 0;
}

bool identity_from_uuid(const char *uuid, size_t len, char ret[static IDENTITY_LEN + 1])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char digits[UUID_DIGITS];
	SHA256_CTX ctx;

	if (!take_digits(uuid, len, digits) || is_placeholder(digits))
		return false;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, PURPOSE, strlen(PURPOSE));
	SHA256_Update(&ctx, digits, sizeof(digits));
	SHA256_Final(hash, &ctx);
	hash[6] = (unsigned char)((hash[6] & 0x0f) |
				  0x40); /* a version 4 UUID, as systemd wants */
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < IDENTITY_LEN / 2; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", hash[i]);
	return true;
}

int identity_set(const char *root, struct err *e)
{
	char text[64], id[IDENTITY_LEN + 2], path[128];
	cleanup_close int from = open(FIRMWARE_UUID, O_RDONLY | O_CLOEXEC);
	cleanup_close int to = -1;
	ssize_t n;
	int r;

	n = from < 0 ? 0 : read(from, text, sizeof(text));
	if (n <= 0 || !identity_from_uuid(text, (size_t)n, id))
		return 0;
	id[IDENTITY_LEN] = '\n';
	(void)snprintf(path, sizeof(path), "%s/etc/machine-id", root);
	to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (to < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = file_write_fd(to, id, IDENTITY_LEN + 1);
	return r < 0 ? err_set(e, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}
