/* SPDX-License-Identifier: MIT */
#include "libimg/digest.h"

#include "base/alloc.h"

#include <openssl/evp.h>

struct digest {
	EVP_MD_CTX *ctx;
};

/* These fail for want of memory only. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, kind == DIGEST_SHA1 ? EVP_sha1() : EVP_sha256(), NULL));
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_free_p(struct digest **d)
{
	digest_free(*d);
	*d = NULL;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, data, len));
}

void digest_hex(struct digest *d, char ret[static DIGEST_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	must(EVP_DigestFinal_ex(d->ctx, raw, &len));
	for (unsigned int i = 0; i < len && 2 * i + 2 < DIGEST_HEX_MAX; i++) {
		ret[2 * i] = digits[raw[i] >> 4];
		ret[2 * i + 1] = digits[raw[i] & 15];
	}
	ret[2 * len] = '\0';
}
