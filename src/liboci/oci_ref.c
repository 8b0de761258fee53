/* SPDX-License-Identifier: MIT */
/*
 * oci_ref.c - names, digests, challenges and tokens.
 */
#include "liboci/oci.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libdigest/digest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#define REPO_MAX  255
#define TAG_MAX   128
#define TOKEN_MAX 65536

/* ---- digests -------------------------------------------------------------- */

bool oci_digest_is_valid(const char *digest)
{
	if (strncmp(digest, "sha256:", 7) != 0 || strlen(digest) != OCI_DIGEST_MAX - 1)
		return false;
	for (const char *p = digest + 7; *p; p++)
		if (!isdigit((unsigned char)*p) && !(*p >= 'a' && *p <= 'f'))
			return false;
	return true;
}

void oci_digest(const void *data, size_t len, char ret[static OCI_DIGEST_MAX])
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX];

	digest_add(d, data, len);
	digest_hex(d, hex);
	(void)snprintf(ret, OCI_DIGEST_MAX, "sha256:%s", hex);
}

int oci_check_digest(const void *data, size_t len, const char *digest, const char *what,
		     struct err *e)
{
	char is[OCI_DIGEST_MAX];

	oci_digest(data, len, is);
	if (strcmp(is, digest) == 0)
		return 0;
	return err_set(e, -EBADMSG, "the %s has the digest %s, not %s", what, is, digest);
}

/* ---- names ---------------------------------------------------------------- */

static bool is_low(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One part: letters and digits, with ".", "_", "__" or any number of "-" between. */
static bool part_is_valid(const char *p, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		char c = p[i];

		if (is_low(c)) {
			i++;
			continue;
		}
		while (i + n < len && p[i + n] == c)
			n++;
		if (i == 0 || i + n == len || !strchr("._-", c) || !is_low(p[i + n]) ||
		    (c == '.' && n > 1) || (c == '_' && n > 2))
			return false;
		i += n;
	}
	return len > 0;
}

static bool repo_is_valid(const char *repo)
{
	if (strlen(repo) > REPO_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(repo, "/");

		if (!part_is_valid(repo, n))
			return false;
		if (!repo[n])
			return true;
		repo += n + 1;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > TAG_MAX || *tag == '.' || *tag == '-')
		return false;
	for (; *tag; tag++)
		if (!isalnum((unsigned char)*tag) && !strchr("._-", *tag))
			return false;
	return true;
}

static bool host_is_valid(const char *host)
{
	if (!isalnum((unsigned char)*host) && *host != '[')
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".:-[]", *host))
			return false;
	return true;
}

/* What stands before the first slash is a host when it can be no repository's part. */
static char *take_host(const char **text)
{
	size_t n = strcspn(*text, "/");
	char *host;

	if (!(*text)[n])
		return NULL;
	host = xstrndup(*text, n);
	if (!strpbrk(host, ".:") && strcmp(host, "localhost") != 0) {
		free(host);
		return NULL;
	}
	*text += n + 1;
	return host;
}

int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *e)
{
	const char *rest = text, *at;
	cleanup_oci_ref struct oci_ref ref = { .host = take_host(&rest) };
	char *tag;

	at = strchr(rest, '@');
	if (at && !oci_digest_is_valid(at + 1))
		return err_set(e, -EINVAL, "'%.200s' does not end in a digest (sha256:...)",
			       text);
	if (at)
		(void)snprintf(ref.digest, sizeof(ref.digest), "%s", at + 1);
	ref.repo = at ? xstrndup(rest, (size_t)(at - rest)) : xstrdup(rest);
	tag = strchr(ref.repo, ':');
	if (tag)
		*tag++ = '\0';
	if (tag || !at)
		ref.tag = xstrdup(tag ? tag : "latest");
	if (!repo_is_valid(ref.repo) || (ref.tag && !tag_is_valid(ref.tag)) ||
	    (ref.host && !host_is_valid(ref.host)))
		return err_set(e, -EINVAL, "'%.200s' is no name of an image in a registry",
			       text);
	*ret = ref;
	ref = (struct oci_ref){ 0 };
	return 0;
}

void oci_ref_done(struct oci_ref *ref)
{
	free(ref->host);
	free(ref->repo);
	free(ref->tag);
	*ref = (struct oci_ref){ 0 };
}

const char *oci_machine(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },  { "aarch64", "arm64" },   { "armv7l", "arm/v7" },
		{ "armv6l", "arm/v6" }, { "i686", "386" },        { "ppc64le", "ppc64le" },
		{ "s390x", "s390x" },   { "riscv64", "riscv64" },
	};
	struct utsname u;

	if (uname(&u) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strcmp(u.machine, names[i][0]) == 0)
				return names[i][1];
	return "unknown";
}

/* ---- who are you? --------------------------------------------------------- */

/* The value at *P, quoted or not, to TO; *P goes behind it. */
static bool take_value(const char **p, char *to, size_t size)
{
	bool quoted = **p == '"';
	size_t n = 0;

	*p += quoted;
	while (**p && (quoted ? **p != '"' : **p != ',' && **p != ' ')) {
		if (quoted && **p == '\\' && (*p)[1])
			(*p)++;
		if (n + 1 >= size)
			return false;
		to[n++] = *(*p)++;
	}
	to[n] = '\0';
	if (quoted && **p != '"')
		return false;
	*p += quoted;
	return true;
}

static bool take_parameters(const char *p, struct oci_challenge *ret)
{
	while (*p) {
		char ignored[1024], *to = ignored;
		size_t name, size = sizeof(ignored);

		p += strspn(p, ", \t");
		name = strcspn(p, "= ,");
		if (p[name] != '=')
			return !*p || ret->realm[0];
		if (name == 5 && strncasecmp(p, "realm", 5) == 0) {
			to = ret->realm;
			size = sizeof(ret->realm);
		} else if (name == 7 && strncasecmp(p, "service", 7) == 0) {
			to = ret->service;
			size = sizeof(ret->service);
		}
		p += name + 1;
		if (!take_value(&p, to, size))
			return false;
	}
	return true;
}

int oci_read_challenge(const char *text, struct oci_challenge *ret, struct err *e)
{
	*ret = (struct oci_challenge){ 0 };
	if (strncasecmp(text, "Basic", 5) == 0 && !isalnum((unsigned char)text[5]))
		return 0;
	if (strncasecmp(text, "Bearer ", 7) != 0)
		return err_set(e, -ENOTSUP,
			       "the registry wants a kind of login that is not known: "
			       "'%.100s' (known are Basic and Bearer)",
			       text);
	ret->bearer = true;
	if (!take_parameters(text + 7, ret) || !ret->realm[0])
		return err_set(e, -EPROTO,
			       "the registry does not say where its tokens are: '%.100s'",
			       text);
	return 0;
}

static bool token_is_plain(const char *token)
{
	for (const unsigned char *p = (const unsigned char *)token; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return *token && strlen(token) <= TOKEN_MAX;
}

int oci_read_token(const char *text, size_t len, char **ret_token, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const char *token;
	int r = jv_parse(text, len, "token", &v, e);

	if (r < 0)
		return r;
	token = jv_get_string(v, "token");
	if (!token)
		token = jv_get_string(v, "access_token");
	if (!token || !token_is_plain(token))
		return err_set(e, -EPROTO, "the token server sent no token");
	*ret_token = xstrdup(token);
	return 0;
}

static int code_of(int status)
{
	if (status == 404)
		return -ENOENT;
	return status == 401 || status == 403 ? -EACCES : -EREMOTEIO;
}

int oci_read_error(const char *text, size_t len, int status, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const struct jv *first;
	const char *code, *message;

	if (jv_parse(text, len, "answer", &v, NULL) < 0)
		return err_set(e, code_of(status), "the registry answered %d", status);
	first = jv_at(jv_get(v, "errors"), 0);
	code = jv_get_string(first, "code");
	message = jv_get_string(first, "message");
	return err_set(e, code_of(status), "the registry answered %d%s%.64s%s%.300s", status,
		       code ? ", " : "", code ? code : "", message ? ": " : "",
		       message ? message : "");
}
