/* SPDX-License-Identifier: MIT */
#include "libdigest/signature.h"

#include "base/alloc.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define ID_LEN     10 /* of minisign: two letters of the kind, eight bytes of the key's number */
#define PUBLIC_LEN 32
#define SIG_LEN    64

static int refuse(struct err *e, const char *why)
{
	return err_set(e, -EKEYREJECTED, "the signature is not good: %s", why);
}

/* ---- base64 --------------------------------------------------------------- */

char *signature_to_base64(const void *data, size_t len)
{
	char *text = xmalloc((len + 2) / 3 * 4 + 1);

	text[EVP_EncodeBlock((unsigned char *)text, data, (int)len)] = '\0';
	return text;
}

unsigned char *signature_from_base64(const char *text, size_t len, size_t *ret_len)
{
	unsigned char *data = xmalloc(len + 4);
	int n;

	if (len == 0 || len % 4 || len > 2 * SIGNATURE_MAX ||
	    (n = EVP_DecodeBlock(data, (const unsigned char *)text, (int)len)) < 0) {
		free(data);
		return NULL;
	}
	/* It counts the padding as bytes. */
	for (size_t i = 1; i <= 2 && text[len - i] == '='; i++)
		n--;
	*ret_len = (size_t)n;
	return data;
}

/* ---- verifying ------------------------------------------------------------ */

static int verify(EVP_PKEY *key, const void *data, size_t len, const void *sig, size_t sig_len)
{
	int kind = EVP_PKEY_get_base_id(key);
	bool hashes_itself = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok;

	if (!ctx)
		abort(); /* memory */
	ok = EVP_DigestVerifyInit(ctx, NULL, hashes_itself ? NULL : EVP_sha256(), NULL, key) ==
		     1 &&
	     EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EKEYREJECTED;
}

static int check_pem(const char *key, const void *data, size_t len, const void *sig,
		     size_t sig_len, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(key, -1);
	EVP_PKEY *pkey;
	int r;

	if (!bio)
		abort(); /* memory */
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	if (!pkey)
		return refuse(e, "the source's public key is neither minisign's nor PEM");
	r = verify(pkey, data, len, sig, sig_len);
	EVP_PKEY_free(pkey);
	return r < 0 ? refuse(e, "it is not of these bytes and this key") : 0;
}

/* ---- minisign ------------------------------------------------------------- */

struct line {
	const char *text;
	size_t len;
};

/* The N-th line, without its end. */
static bool line_at(const char *text, size_t len, int n, struct line *ret)
{
	const char *end = text + len;

	for (; text < end; n--) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t own = (size_t)((nl ? nl : end) - text);

		if (n == 0) {
			if (own && text[own - 1] == '\r')
				own--;
			*ret = (struct line){ text, own };
			return true;
		}
		if (!nl)
			break;
		text = nl + 1;
	}
	return false;
}

bool signature_key_is_minisign(const char *key)
{
	return strncmp(key, "untrusted comment:", 18) == 0;
}

/* Line N of TEXT, which holds exactly WANT bytes. New, or NULL. */
static unsigned char *bytes_at(const char *text, size_t len, int n, size_t want)
{
	unsigned char *data;
	struct line l;
	size_t got;

	if (!line_at(text, len, n, &l))
		return NULL;
	data = signature_from_base64(l.text, l.len, &got);
	if (data && got != want) {
		free(data);
		return NULL;
	}
	return data;
}

/* What was signed: the bytes, or ('D') their BLAKE2b. */
static int verify_bytes(EVP_PKEY *pkey, const unsigned char *sig, const void *data, size_t len)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len = 0;

	if (sig[0] != 'E' || (sig[1] != 'd' && sig[1] != 'D'))
		return -EKEYREJECTED;
	if (sig[1] == 'd')
		return verify(pkey, data, len, sig + ID_LEN, SIG_LEN);
	if (EVP_Digest(data, len, hash, &hash_len, EVP_blake2b512(), NULL) != 1)
		abort(); /* memory */
	return verify(pkey, hash, hash_len, sig + ID_LEN, SIG_LEN);
}

/* The trusted comment is signed together with the signature. */
static int verify_comment(EVP_PKEY *pkey, const unsigned char *sig, const char *text,
			  size_t len)
{
	static const char lead[] = "trusted comment: ";
	cleanup_free unsigned char *global = bytes_at(text, len, 3, SIG_LEN);
	cleanup_free unsigned char *both = NULL;
	struct line l;

	if (!global || !line_at(text, len, 2, &l) || l.len < sizeof(lead) - 1 ||
	    memcmp(l.text, lead, sizeof(lead) - 1) != 0)
		return -EKEYREJECTED;
	l.text += sizeof(lead) - 1;
	l.len -= sizeof(lead) - 1;
	both = xmalloc(SIG_LEN + l.len);
	memcpy(both, sig + ID_LEN, SIG_LEN);
	memcpy(both + SIG_LEN, l.text, l.len);
	return verify(pkey, both, SIG_LEN + l.len, global, SIG_LEN);
}

static int check_minisign(const char *key, const void *data, size_t len, const char *text,
			  size_t text_len, struct err *e)
{
	cleanup_free unsigned char *own = bytes_at(key, strlen(key), 1, ID_LEN + PUBLIC_LEN);
	cleanup_free unsigned char *sig = bytes_at(text, text_len, 1, ID_LEN + SIG_LEN);
	EVP_PKEY *pkey;
	int r;

	if (!own || own[0] != 'E' || own[1] != 'd')
		return refuse(e, "the source's public key is damaged");
	if (!sig)
		return refuse(e, "it is not one of minisign");
	if (memcmp(own + 2, sig + 2, ID_LEN - 2) != 0)
		return refuse(e, "it is of another key");
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, own + ID_LEN, PUBLIC_LEN);
	if (!pkey)
		return refuse(e, "the source's public key is none");
	r = verify_bytes(pkey, sig, data, len);
	if (r == 0)
		r = verify_comment(pkey, sig, text, text_len);
	EVP_PKEY_free(pkey);
	return r < 0 ? refuse(e, "it is not of these bytes and this key") : 0;
}

int signature_check(const char *key, const void *data, size_t len, const void *signature,
		    size_t signature_len, struct err *e)
{
	if (signature_len == 0 || signature_len > SIGNATURE_MAX)
		return refuse(e, "it is empty, or too large");
	return signature_key_is_minisign(key)
		       ? check_minisign(key, data, len, signature, signature_len, e)
		       : check_pem(key, data, len, signature, signature_len, e);
}
