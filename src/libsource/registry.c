/* SPDX-License-Identifier: MIT */
#include "libsource/registry.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "libdigest/signature.h"
#include "liboci/oci.h"
#include "libsource/source_ops.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void registry_done(struct registry *reg)
{
	free(reg->base);
	free(reg->auth);
	*reg = (struct registry){ 0 };
}

char *registry_host(const char *url)
{
	const char *p = strstr(url, "://");

	p = p ? p + 3 : url;
	return xstrndup(p, strcspn(p, "/?"));
}

char *registry_server(const struct source *source)
{
	cleanup_free char *host = registry_host(source->url);

	return strcmp(host, "docker.io") == 0
		       ? xstrdup("https://registry-1.docker.io")
		       : xstrndup(source->url, strcspn(source->url, "?"));
}

char *registry_url(const struct registry *reg, const char *path)
{
	return xasprintf("%s/v2/%s/%s%s%s", reg->base, reg->repo, path, reg->ns ? "?ns=" : "",
			 reg->ns ? reg->ns : "");
}

/* ---- requests ------------------------------------------------------------- */

static int get(const struct registry *reg, const char *url, const char *accept,
	       const char *auth, uint64_t max, struct http_job *job, struct err *e)
{
	const char *headers[3] = { 0 };
	struct http_peer peer;
	size_t n = 0;
	int r;

	if (accept)
		headers[n++] = accept;
	if (auth)
		headers[n] = auth;
	http_job_done(job);
	*job = (struct http_job){ .url = url, .fd = -1, .size = HTTP_SIZE_ANY, .max = max };
	peer = source_peer(reg->call->source, headers);
	job->peer = &peer;
	r = http_get(job, reg->call->policy, e);
	job->peer = NULL;
	return r;
}

/* ---- logging in ----------------------------------------------------------- */

static bool is_tls(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

/* May a password go to URL? */
static bool is_safe(const struct registry *reg, const char *url)
{
	cleanup_free char *host = registry_host(url);
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	if (is_tls(url) || reg->call->source->insecure)
		return true;
	return (n == 9 && strncmp(host, "localhost", n) == 0) ||
	       (n == 5 && strncmp(host, "[::1]", n) == 0) || strncmp(host, "127.", 4) == 0;
}

/* The header that proves who we are to URL, or NULL where nobody said. New. */
static int basic(const struct registry *reg, const char *url, char **ret, struct err *e)
{
	const char *login = reg->ns ? NULL : reg->call->source->login;
	cleanup_free char *base64 = NULL;

	*ret = NULL;
	if (!login)
		return 0;
	if (!is_safe(reg, url))
		return source_fail(reg->call, "ClientError", -EACCES, e,
				   "the password is not sent to '%.200s', which is not https; "
				   "mark the source insecure to send it all the same",
				   url);
	base64 = signature_to_base64(login, strlen(login));
	*ret = xasprintf("Authorization: Basic %s", base64);
	return 0;
}

static void add_escaped(struct buf *b, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (isalnum(*p) || strchr("-_.~/:", *p))
			buf_addc(b, (char)*p);
		else
			buf_addf(b, "%%%02X", *p);
	}
}

/* The scope is ours, whatever the registry proposes. New. */
static char *token_url(const struct registry *reg, const struct oci_challenge *c)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "%s%c", c->realm, strchr(c->realm, '?') ? '&' : '?');
	if (c->service[0]) {
		buf_adds(&b, "service=");
		add_escaped(&b, c->service);
		buf_addc(&b, '&');
	}
	buf_adds(&b, "scope=repository:");
	add_escaped(&b, reg->repo);
	buf_adds(&b, reg->push ? ":pull,push" : ":pull");
	return buf_take(&b);
}

static int check_realm(const struct registry *reg, const char *realm, struct err *e)
{
	bool plain = strncasecmp(realm, "http://", 7) == 0;

	for (const unsigned char *p = (const unsigned char *)realm; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			plain = false;
	if (is_tls(realm) || (plain && !is_tls(reg->base)))
		return 0;
	return err_set(e, -EPROTO,
		       "the registry names '%.200s' as its token server, which is no address "
		       "that is asked",
		       realm);
}

static int get_token(struct registry *reg, const struct oci_challenge *c, struct err *e)
{
	cleanup_free char *url = token_url(reg, c), *auth = NULL, *token = NULL;
	struct http_job job = { .fd = -1 };
	int r = check_realm(reg, c->realm, e);

	if (r == 0)
		r = basic(reg, c->realm, &auth, e);
	if (r == 0)
		r = get(reg, url, NULL, auth, 1U << 20, &job, e);
	if (r == 0 && job.status != 200)
		r = oci_read_error(buf_str(&job.body), job.body.len, job.status, e);
	else if (r == 0)
		r = oci_read_token(buf_str(&job.body), job.body.len, &token, e);
	http_job_done(&job);
	if (r < 0)
		return err_wrap(e, r == -ENOENT ? -EREMOTEIO : r, "no token for '%.200s'",
				reg->repo);
	free(reg->auth);
	reg->auth = xasprintf("Authorization: Bearer %s", token);
	return 0;
}

static int log_in(struct registry *reg, const char *challenge, struct err *e)
{
	cleanup_free char *host = NULL;
	struct oci_challenge c;
	int r = oci_read_challenge(challenge, &c, e);

	if (r < 0)
		return r;
	if (c.bearer)
		return get_token(reg, &c, e);
	r = basic(reg, reg->base, &reg->auth, e);
	if (r < 0 || reg->auth)
		return r;
	host = registry_host(reg->base);
	return source_fail(reg->call, "Unauthorized", -EACCES, e,
			   "the registry '%.200s' wants a name and a password, and no auth "
			   "file has one for it",
			   host);
}

int registry_get(struct registry *reg, const char *path, const char *accept, uint64_t max,
		 struct http_job *job, struct err *e)
{
	cleanup_free char *url = registry_url(reg, path);
	int r = get(reg, url, accept, reg->auth, max, job, e);

	if (r == 0 && job->status == 401 && !reg->auth) {
		r = log_in(reg, job->auth, e);
		if (r == 0)
			r = get(reg, url, accept, reg->auth, max, job, e);
	}
	job->url = NULL;
	if (r < 0 || job->status == 200)
		return r;
	r = oci_read_error(buf_str(&job->body), job->body.len, job->status, e);
	return r == -EACCES ? source_fail(reg->call, "Unauthorized", r, e, "%s", e->msg) : r;
}

/* The same scheme, host and port. */
static bool is_own(const struct registry *reg, const char *url)
{
	cleanup_free char *host = registry_host(url), *own = registry_host(reg->base);

	return is_tls(url) == is_tls(reg->base) && strcasecmp(host, own) == 0;
}

int registry_send(struct registry *reg, struct http_send *s, const char *type,
		  const char *range, struct err *e)
{
	bool own = is_own(reg, s->url);
	int r;

	for (int round = 0;; round++) {
		const char *headers[4] = { 0 };
		struct http_peer peer;
		size_t n = 0;

		if (type)
			headers[n++] = type;
		if (range)
			headers[n++] = range;
		if (own && reg->auth)
			headers[n] = reg->auth;
		peer = source_peer(reg->call->source, headers);
		buf_done(&s->body);
		s->body = (struct buf)BUF_INIT;
		s->peer = &peer;
		r = http_send(s, reg->call->policy, e);
		s->peer = NULL;
		if (r < 0 || s->status != 401 || !own || round > 0)
			return r;
		/* Tokens end while large files go. */
		r = log_in(reg, s->auth, e);
		if (r < 0)
			return r;
	}
}

int registry_ping(struct source_call *call, const char *base, struct err *e)
{
	const struct registry reg = { .call = call };
	cleanup_free char *url = xasprintf("%s/v2/", base);
	struct http_job job = { .fd = -1 };
	int r = get(&reg, url, NULL, NULL, 1U << 20, &job, e);

	if (r == 0 && job.status != 200 && job.status != 401)
		r = err_set(e, -EPROTO, "'%.200s' answered %d, as no registry does", url,
			    job.status);
	http_job_done(&job);
	return r;
}
