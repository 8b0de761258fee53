/* SPDX-License-Identifier: MIT */
#include "imgapi/writers.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libdigest/signature.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RSA_BITS_MIN 2048
#define END          ".pem"

struct writer {
	char login[LOGIN_MAX];
	EVP_PKEY *key;
};

struct writers {
	struct writer items[WRITERS_MAX];
	size_t count;
};

void writers_free(struct writers *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->count; i++)
		EVP_PKEY_free(w->items[i].key);
	free(w);
}

/* ---- the keys -------------------------------------------------------------------- */

static int add_key(struct writers *w, const char *login, EVP_PKEY *key, const char *name,
		   struct err *e)
{
	int kind = EVP_PKEY_get_base_id(key);

	if (w->count == WRITERS_MAX)
		return err_set(e, -E2BIG, "there are more than %d keys", WRITERS_MAX);
	if (kind != EVP_PKEY_ED25519 &&
	    (kind != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < RSA_BITS_MIN))
		return err_set(e, -EINVAL, "'%s': a key is Ed25519, or RSA of %d bits or more",
			       name, RSA_BITS_MIN);
	(void)snprintf(w->items[w->count].login, LOGIN_MAX, "%s", login);
	w->items[w->count++].key = key;
	return 0;
}

static int add_file(struct writers *w, const char *login, FILE *f, const char *name,
		    struct err *e)
{
	size_t before = w->count;
	EVP_PKEY *key;

	while ((key = PEM_read_PUBKEY(f, NULL, NULL, NULL))) {
		int r = add_key(w, login, key, name, e);

		if (r < 0) {
			EVP_PKEY_free(key);
			return r;
		}
	}
	if (w->count == before)
		return err_set(e, -EINVAL,
			       "'%s' has no public key in PEM ('openssl pkey -in KEY -pubout' "
			       "makes one)",
			       name);
	return 0;
}

static int add_entry(struct writers *w, int dirfd, const char *name, struct err *e)
{
	size_t len = strlen(name);
	char login[LOGIN_MAX];
	struct stat st;
	FILE *f;
	int fd, r;

	if (*name == '.' || len <= strlen(END) || strcmp(name + len - strlen(END), END) != 0)
		return 0;
	if (len - strlen(END) >= sizeof(login))
		return err_set(e, -ENAMETOOLONG, "'%s' is too long for a login", name);
	(void)snprintf(login, sizeof(login), "%.*s", (int)(len - strlen(END)), name);
	fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", name);
	f = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "re") : NULL;
	if (!f) {
		(void)close(fd);
		return err_set(e, -EINVAL, "'%s' is not a regular file", name);
	}
	r = add_file(w, login, f, name, e);
	(void)fclose(f);
	return r;
}

int writers_load(const char *folder, struct writers **ret, struct err *e)
{
	struct writers *w = xcalloc(1, sizeof(*w));
	DIR *d = opendir(folder);
	struct dirent *one;
	int r = d ? 0 : err_sys(e, "cannot open the folder '%s'", folder);

	while (r == 0 && (r = path_next_entry(d, &one, e)) > 0)
		r = add_entry(w, dirfd(d), one->d_name, e);
	if (d)
		(void)closedir(d);
	if (r == 0 && w->count == 0)
		r = err_set(e, -ENOENT, "the folder '%s' has no LOGIN" END, folder);
	if (r < 0)
		writers_free(w);
	else
		*ret = w;
	return r;
}

/* ---- signatures ------------------------------------------------------------------ */

static bool fits(EVP_PKEY *key, const char *algorithm)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;

	return strcmp(algorithm, "hs2019") == 0 ||
	       strcmp(algorithm, rsa ? "rsa-sha256" : "ed25519") == 0;
}

static bool is_signed_by(EVP_PKEY *key, const char *text, const unsigned char *sig, size_t len)
{
	const EVP_MD *md = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? EVP_sha256() : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	if (!ctx)
		abort(); /* memory */
	good = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, sig, len, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

bool writers_verify(const struct writers *w, const char *authorization, const char *date,
		    int64_t now, char ret_login[static LOGIN_MAX])
{
	cleanup_free unsigned char *sig = NULL;
	cleanup_free char *text = NULL;
	struct signature_head h;
	int64_t when = date ? http_date_parse(date) : -1;
	size_t len;

	if (!authorization || when < 0 || when < now - WRITER_SKEW_S ||
	    when > now + WRITER_SKEW_S || !signature_head_parse(authorization, &h))
		return false;
	sig = signature_from_base64(h.signature, strlen(h.signature), &len);
	if (!sig)
		return false;
	text = xasprintf("date: %s", date);
	for (size_t i = 0; i < w->count; i++) {
		const struct writer *one = &w->items[i];

		if (strcmp(one->login, h.login) != 0 || !fits(one->key, h.algorithm) ||
		    !is_signed_by(one->key, text, sig, len))
			continue;
		memcpy(ret_login, h.login, LOGIN_MAX);
		return true;
	}
	return false;
}
