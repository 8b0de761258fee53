/* SPDX-License-Identifier: MIT */
#include "libdigest/digest.h"

#include "base/alloc.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <pthread.h>
#include <stdio.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
#define LIBRARY  "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

/*
 * Loaded with the first digest: to load it takes longer than most commands do in
 * all, and most make no digest. Where it is loaded already, no file is opened.
 */
static struct {
	__typeof__(EVP_MD_CTX_new) *ctx_new;
	__typeof__(EVP_MD_CTX_free) *ctx_free;
	__typeof__(EVP_sha1) *sha1;
	__typeof__(EVP_sha256) *sha256;
	__typeof__(EVP_DigestInit_ex) *init;
	__typeof__(EVP_DigestUpdate) *update;
	__typeof__(EVP_DigestFinal_ex) *final;
} lib;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct digest {
	EVP_MD_CTX *ctx;
};

static void find(void *handle, void *ret, const char *name)
{
	*(void **)ret = handle ? dlsym(handle, name) : NULL;
	if (*(void **)ret)
		return;
	/* As a kill would: who comes next mends what was begun. */
	fprintf(stderr, "cannot load " LIBRARY ": %s\n", dlerror());
	_exit(EXIT_FAILURE);
}

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	find(handle, &lib.ctx_new, "EVP_MD_CTX_new");
	find(handle, &lib.ctx_free, "EVP_MD_CTX_free");
	find(handle, &lib.sha1, "EVP_sha1");
	find(handle, &lib.sha256, "EVP_sha256");
	find(handle, &lib.init, "EVP_DigestInit_ex");
	find(handle, &lib.update, "EVP_DigestUpdate");
	find(handle, &lib.final, "EVP_DigestFinal_ex");
}

/* These fail for want of memory only. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest *digest_new(enum digest_kind kind)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	(void)pthread_once(&once, load);
	d->ctx = lib.ctx_new();
	must(d->ctx != NULL);
	must(lib.init(d->ctx, kind == DIGEST_SHA1 ? lib.sha1() : lib.sha256(), NULL));
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	lib.ctx_free(d->ctx);
	free(d);
}

void digest_free_p(struct digest **d)
{
	digest_free(*d);
	*d = NULL;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(lib.update(d->ctx, data, len));
}

void digest_hex(struct digest *d, char ret[static DIGEST_HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	must(lib.final(d->ctx, raw, &len));
	for (unsigned int i = 0; i < len && 2 * i + 2 < DIGEST_HEX_MAX; i++) {
		ret[2 * i] = digits[raw[i] >> 4];
		ret[2 * i + 1] = digits[raw[i] & 15];
	}
	ret[2 * len] = '\0';
}
