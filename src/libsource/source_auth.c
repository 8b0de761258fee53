/* SPDX-License-Identifier: MIT */
#include "libsource/source_auth.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libdigest/signature.h"

#include <ctype.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define KEY_MAX 16384

struct source_auth {
	int hostfd; /* borrowed */
	char *login;
	char *key_file;
	char *key_id; /* NULL: made of login and fingerprint */
	char *date;
	char *signature;
	const char *lines[3];
};

void source_auth_free(struct source_auth *a)
{
	if (!a)
		return;
	free(a->login);
	free(a->key_file);
	free(a->key_id);
	free(a->date);
	free(a->signature);
	free(a);
}

const char *const *source_auth_lines(const struct source_auth *a)
{
	return a ? a->lines : NULL;
}

/* Not by strftime(), whose days and months are the locale's. */
void source_auth_date(int64_t seconds, char ret[static SOURCE_AUTH_DATE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)seconds;
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)snprintf(ret, SOURCE_AUTH_DATE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
		       days + 3L * tm.tm_wday, (unsigned int)tm.tm_mday % 100,
		       months + 3L * tm.tm_mon, (unsigned int)(tm.tm_year + 1900) % 10000,
		       (unsigned int)tm.tm_hour % 100, (unsigned int)tm.tm_min % 100,
		       (unsigned int)tm.tm_sec % 100);
}

/* ---- the key -------------------------------------------------------------- */

/* Nobody is asked for a password. */
static int no_password(char *buf ATTR_UNUSED, int size ATTR_UNUSED, int rw ATTR_UNUSED,
		       void *data ATTR_UNUSED)
{
	return -1;
}

/* Its text; the caller wipes it. -errno. */
static ssize_t read_key(const struct source_auth *a, char text[static KEY_MAX], struct err *e)
{
	cleanup_close int fd = openat(a->hostfd, a->key_file + 1,
				      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "cannot open the key '%s'", a->key_file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "the key '%s' is not a regular file", a->key_file);
	if (st.st_mode & 077)
		return err_set(e, -EPERM,
			       "the key '%s' can be read by others: chmod 600 it (and make a "
			       "new one, if others were there)",
			       a->key_file);
	n = read(fd, text, KEY_MAX - 1);
	return n < 0 ? err_sys(e, "cannot read the key '%s'", a->key_file) : n;
}

static EVP_PKEY *load_key(const struct source_auth *a, struct err *e)
{
	char text[KEY_MAX];
	ssize_t n = read_key(a, text, e);
	EVP_PKEY *key = NULL;
	BIO *bio;
	int kind;

	if (n < 0)
		return NULL;
	bio = BIO_new_mem_buf(text, (int)n);
	if (!bio)
		abort(); /* memory */
	key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	explicit_bzero(text, sizeof(text));
	kind = key ? EVP_PKEY_get_base_id(key) : 0;
	if (kind == EVP_PKEY_RSA || kind == EVP_PKEY_ED25519)
		return key;
	EVP_PKEY_free(key);
	(void)err_set(
		e, -EINVAL,
		"'%s' is no private key of RSA or Ed25519 in PEM without a password (what "
		"ssh-keygen made becomes one by 'ssh-keygen -p -m PEM -f FILE')",
		a->key_file);
	return NULL;
}

/* ---- its fingerprint: MD5 of the public key as SSH writes it --------------- */

static void add_bytes(struct buf *b, const void *data, size_t len)
{
	const unsigned char head[4] = { (unsigned char)(len >> 24), (unsigned char)(len >> 16),
					(unsigned char)(len >> 8), (unsigned char)len };

	buf_add(b, head, sizeof(head));
	buf_add(b, data, len);
}

/* A whole number, with a leading zero where it would look negative. */
static bool add_number(struct buf *b, const EVP_PKEY *key, const char *name)
{
	unsigned char bytes[4097] = { 0 };
	BIGNUM *n = NULL;
	size_t len;

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1)
		return false;
	len = (size_t)BN_num_bytes(n);
	if (len == 0 || len >= sizeof(bytes)) {
		BN_free(n);
		return false;
	}
	(void)BN_bn2bin(n, bytes + 1);
	BN_free(n);
	if (bytes[1] & 0x80)
		add_bytes(b, bytes, len + 1);
	else
		add_bytes(b, bytes + 1, len);
	return true;
}

static bool add_public(struct buf *b, const EVP_PKEY *key)
{
	unsigned char raw[32];
	size_t len = sizeof(raw);

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		add_bytes(b, "ssh-rsa", 7);
		return add_number(b, key, OSSL_PKEY_PARAM_RSA_E) &&
		       add_number(b, key, OSSL_PKEY_PARAM_RSA_N);
	}
	add_bytes(b, "ssh-ed25519", 11);
	if (EVP_PKEY_get_raw_public_key(key, raw, &len) != 1)
		return false;
	add_bytes(b, raw, len);
	return true;
}

/* "aa:bb:...". New, or NULL. */
static char *fingerprint(const EVP_PKEY *key)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct buf text = BUF_INIT;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!add_public(&b, key) ||
	    EVP_Digest(buf_str(&b), b.len, hash, &len, EVP_md5(), NULL) != 1)
		return NULL;
	for (unsigned int i = 0; i < len; i++)
		buf_addf(&text, "%s%02x", i ? ":" : "", hash[i]);
	return buf_take(&text);
}

/* ---- signing -------------------------------------------------------------- */

/* Base64 of what KEY signs. New, or NULL. */
static char *sign(EVP_PKEY *key, const char *text)
{
	bool hashes_itself = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sig[4096];
	size_t len = sizeof(sig);
	bool good;

	if (!ctx)
		abort(); /* memory */
	good = EVP_DigestSignInit(ctx, NULL, hashes_itself ? NULL : EVP_sha256(), NULL, key) ==
		       1 &&
	       EVP_DigestSign(ctx, sig, &len, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(ctx);
	return good ? signature_to_base64(sig, len) : NULL;
}

static int make_lines(struct source_auth *a, EVP_PKEY *key, struct err *e)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	cleanup_free char *print = fingerprint(key), *id = NULL, *sig = NULL, *line = NULL;
	char date[SOURCE_AUTH_DATE];

	source_auth_date(time(NULL), date);
	line = xasprintf("date: %s", date);
	sig = sign(key, line);
	if (!print || !sig)
		return err_set(e, -EINVAL, "the key '%s' cannot sign", a->key_file);
	id = a->key_id ? xstrdup(a->key_id) : xasprintf("/%s/keys/%s", a->login, print);
	free(a->date);
	free(a->signature);
	a->date = xasprintf("Date: %s", date);
	a->signature = xasprintf("Authorization: Signature keyId=\"%s\",algorithm=\"%s\","
				 "headers=\"date\",signature=\"%s\"",
				 id, rsa ? "rsa-sha256" : "ed25519", sig);
	a->lines[0] = a->date;
	a->lines[1] = a->signature;
	return 0;
}

int source_auth_sign(struct source_auth *a, struct err *e)
{
	EVP_PKEY *key;
	int r;

	if (!a)
		return 0;
	key = load_key(a, e);
	if (!key)
		return -EKEYREJECTED;
	r = make_lines(a, key, e);
	EVP_PKEY_free(key);
	return r;
}

/* ---- from the file -------------------------------------------------------- */

/* It becomes part of a quoted word. */
static bool is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s) || *s == '"' || *s == '\\')
			return false;
	return true;
}

int source_auth_new(const struct host *h, const struct jv *members, struct source_auth **ret,
		    struct err *e)
{
	const char *login = jv_get_string(members, "login");
	const char *file = jv_get_string(members, "login_key");
	const char *id = jv_get_string(members, "login_key_id");
	struct source_auth *a;
	int r;

	*ret = NULL;
	if (!jv_get(members, "login") && !jv_get(members, "login_key"))
		return 0;
	if (!login || !file)
		return err_set(e, -EINVAL, "'login' and 'login_key' go together");
	if (!is_word(login) || (jv_get(members, "login_key_id") && !(id && is_word(id))))
		return err_set(e, -EINVAL, "'%s' must be one word without quotes",
			       is_word(login) ? "login_key_id" : "login");
	if (file[0] != '/')
		return err_set(e, -EINVAL, "'%.200s' is not a whole path", file);
	a = xcalloc(1, sizeof(*a));
	a->hostfd = h->fd;
	a->login = xstrdup(login);
	a->key_file = xstrdup(file);
	a->key_id = xstrdup(id);
	r = source_auth_sign(a, e);
	if (r < 0)
		source_auth_free(a);
	else
		*ret = a;
	return r;
}
