/* SPDX-License-Identifier: MIT */
/*
 * registry_auth.c - names and passwords from the files that other tools write.
 */
#include "libsource/registry.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libdigest/signature.h"

#include <fcntl.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

/* The Hub's entry has the address of a registry that is no more. */
static const char *const hub[] = { "docker.io", "index.docker.io", "registry-1.docker.io",
				   "https://index.docker.io/v1/", NULL };

static bool is_hub(const char *host)
{
	for (size_t i = 0; hub[i]; i++)
		if (strcmp(host, hub[i]) == 0)
			return true;
	return false;
}

/* Keys are hosts, or whole addresses. */
static bool is_key_of(const char *key, const char *host)
{
	const char *scheme = strstr(key, "://");
	size_t n = strlen(host);

	if (is_hub(host) && is_hub(key))
		return true;
	if (scheme)
		key = scheme + 3;
	return strncmp(key, host, n) == 0 &&
	       (!key[n] || strcmp(key + n, "/") == 0 || strncmp(key + n, "/v", 2) == 0);
}

static int decode(const char *base64, char **ret, struct err *e)
{
	size_t len = 0;
	cleanup_free unsigned char *raw = signature_from_base64(base64, strlen(base64), &len);

	if (!raw || memchr(raw, '\0', len) || !memchr(raw, ':', len))
		return err_set(e, -EINVAL, "'auth' is not base64 of a name and a password");
	*ret = xstrndup((const char *)raw, len);
	explicit_bzero(raw, len);
	return 0;
}

static int read_entry(const struct jv *v, char **ret, struct err *e)
{
	const char *auth = jv_get_string(v, "auth");
	const char *user = jv_get_string(v, "username");
	const char *password = jv_get_string(v, "password");

	if (auth && *auth)
		return decode(auth, ret, e);
	if (user && password)
		*ret = xasprintf("%s:%s", user, password);
	return 0;
}

int registry_read_login(const char *text, size_t len, const char *host, char **ret_login,
			struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const struct jv *auths;
	int r = jv_parse(text, len, "auths", &v, e);

	*ret_login = NULL;
	if (r < 0)
		return r;
	auths = jv_get(v, "auths");
	for (void *it = jv_iter(auths); it && !*ret_login && r == 0;
	     it = jv_iter_next(auths, it))
		if (is_key_of(jv_iter_key(it), host))
			r = read_entry(jv_iter_value(it), ret_login, e);
	return r < 0 ? err_wrap(e, r, "the entry of '%s'", host) : 0;
}

/* DIRFD/PATH; what is not there says nothing, unless it MUST be. */
static int look(int dirfd, const char *path, bool must, const char *host, char **ret,
		struct err *e)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	int r = file_read_all(dirfd, path, FILE_MAX, &text, &len, e);

	if (r == -ENOENT && !must)
		return 0;
	if (r == 0)
		r = registry_read_login(text, len, host, ret, e);
	if (text)
		explicit_bzero(text, len);
	return r < 0 ? err_wrap(e, r, "'%.200s'", path) : 0;
}

int registry_find_login(const struct host *h, const struct source *source, char **ret_login,
			struct err *e)
{
	cleanup_free char *host = registry_host(source->url), *docker = NULL;
	const char *own = jv_get_string(source->members, "auth_file");
	const char *named = getenv("REGISTRY_AUTH_FILE"), *home = getenv("HOME");
	int r;

	*ret_login = NULL;
	if (own && own[0] != '/')
		return err_set(e, -EINVAL, "'%.200s' is not a whole path", own);
	if (own)
		return look(h->fd, own + 1, true, host, ret_login, e);
	if (named && *named)
		return look(AT_FDCWD, named, false, host, ret_login, e);
	docker =
		xasprintf("%s/.docker/config.json", home && home[0] == '/' ? home + 1 : "root");
	r = look(h->fd, docker, false, host, ret_login, e);
	if (r == 0 && !*ret_login)
		r = look(h->fd, "run/containers/0/auth.json", false, host, ret_login, e);
	return r;
}
