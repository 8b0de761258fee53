/* SPDX-License-Identifier: MIT */
/*
 * The plain SHA256_* calls are used, not EVP: they pull a few kilobytes of code
 * into this static program where EVP would pull five megabytes into each boot.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "init/verify.h"

#include "base/alloc.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int verify_parse_hash(const char *text, size_t len, const char *source,
		      unsigned char ret_hash[static VERIFY_HASH_LEN], struct err *e)
{
	unsigned char hash[VERIFY_HASH_LEN];
	size_t digits = 0;

	while (digits < len && digits < 2 * VERIFY_HASH_LEN && hex_digit(text[digits]) >= 0)
		digits++;
	if (digits < 2 * VERIFY_HASH_LEN || (digits < len && !is_space(text[digits])))
		return err_set(e, -EINVAL, "%s: not a SHA-256 digest (64 hex digits)", source);

	for (size_t i = 0; i < VERIFY_HASH_LEN; i++)
		hash[i] = (unsigned char)(hex_digit(text[2 * i]) << 4 |
					  hex_digit(text[2 * i + 1]));
	memcpy(ret_hash, hash, sizeof(hash));
	return 0;
}

int verify_digest(int fd, unsigned char ret_hash[static VERIFY_HASH_LEN], struct err *e)
{
	cleanup_free unsigned char *chunk = xmalloc(CHUNK);
	SHA256_CTX ctx;
	ssize_t n;
	off_t at = 0;

	SHA256_Init(&ctx);
	while ((n = pread(fd, chunk, CHUNK, at)) > 0) {
		SHA256_Update(&ctx, chunk, (size_t)n);
		at += n;
	}
	if (n < 0)
		return err_sys(e, "cannot read the image at byte %lld", (long long)at);
	SHA256_Final(ret_hash, &ctx);
	return 0;
}

void verify_hash_to_hex(const unsigned char hash[static VERIFY_HASH_LEN],
			char ret_hex[static 2 * VERIFY_HASH_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < VERIFY_HASH_LEN; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
	ret_hex[(size_t)2 * VERIFY_HASH_LEN] = '\0';
}

int verify_compare(const unsigned char want[static VERIFY_HASH_LEN],
		   const unsigned char got[static VERIFY_HASH_LEN], const char *source,
		   struct err *e)
{
	char want_hex[2 * VERIFY_HASH_LEN + 1], got_hex[2 * VERIFY_HASH_LEN + 1];

	if (memcmp(want, got, VERIFY_HASH_LEN) == 0)
		return 0;
	verify_hash_to_hex(want, want_hex);
	verify_hash_to_hex(got, got_hex);
	return err_set(e, -EBADMSG, "the image's SHA-256 is %s, but %s says %s", got_hex,
		       source, want_hex);
}
