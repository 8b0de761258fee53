/* SPDX-License-Identifier: MIT */
/*
 * source.c - the list of sources and its file.
 */
#include "libsource/source.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/lock.h"
#include "base/version.h"
#include "libsource/registry.h"
#include "libsource/source_auth.h"
#include "libsource/source_ops.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FOLDER    "var/imgadm"
#define FILE_NAME "imgadm.conf"
#define FILE_MAX  ((size_t)1 << 20)
#define PEM_MAX   ((size_t)4 << 20)
#define URL_MAX   2048

/* ---- addresses ------------------------------------------------------------ */

static bool has_scheme(const char *url)
{
	return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

static bool is_plain(const char *url)
{
	for (const unsigned char *p = (const unsigned char *)url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '\\')
			return false;
	return true;
}

/* Take WHAT out of the end of the first LEN bytes of S. */
static size_t drop_end(const char *s, size_t len, const char *what)
{
	size_t n = strlen(what);

	return len >= n && memcmp(s + len - n, what, n) == 0 ? len - n : len;
}

char *source_normalise(const char *url, struct err *e)
{
	cleanup_free char *with = NULL;
	size_t scheme, host, end;
	bool tls;

	if (!*url || strlen(url) > URL_MAX || !is_plain(url) ||
	    (strstr(url, "://") && !has_scheme(url))) {
		(void)err_set(e, -EINVAL, "'%.200s' is neither an http nor an https address",
			      url);
		return NULL;
	}
	with = has_scheme(url) ? xstrdup(url) : xasprintf("http://%s", url);
	for (char *p = with; *p != ':'; p++)
		*p = (char)tolower((unsigned char)*p);
	tls = with[4] == 's';
	scheme = tls ? 8 : 7;
	end = scheme + strcspn(with + scheme, "?");
	while (end > scheme && with[end - 1] == '/')
		end--;
	host = scheme + strcspn(with + scheme, "/?");
	if (host > end)
		host = end;
	if (host == scheme) {
		(void)err_set(e, -EINVAL, "'%.200s' names no server", url);
		return NULL;
	}
	return xasprintf("%.*s%.*s%s", (int)drop_end(with, host, tls ? ":443" : ":80"), with,
			 (int)(end - host), with + host,
			 with + scheme + strcspn(with + scheme, "?"));
}

/* The value of "channel" in the address's query. New, or NULL. */
static char *channel_of(const char *url)
{
	const char *p = strchr(url, '?');

	for (; p; p = strchr(p, '&')) {
		p++;
		if (strncmp(p, "channel=", 8) == 0)
			return xstrndup(p + 8, strcspn(p + 8, "&"));
	}
	return NULL;
}

/* ---- one source ----------------------------------------------------------- */

void source_done(struct source *s)
{
	free(s->url);
	free(s->channel);
	free(s->ca);
	free(s->ca_file);
	free(s->proxy);
	if (s->login)
		explicit_bzero(s->login, strlen(s->login));
	free(s->login);
	free(s->arch);
	free(s->public_key);
	source_auth_free(s->auth);
	jv_unref(s->members);
	*s = (struct source){ 0 };
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* By what they do: a kind may have two names. */
static bool same_kind(const struct source_ops *a, const struct source_ops *b)
{
	return a->get == b->get;
}

bool source_equal(const struct source *a, const struct source *b)
{
	return same_text(a->url, b->url) && same_kind(a->ops, b->ops) &&
	       a->insecure == b->insecure && same_text(a->channel, b->channel);
}

static int read_host_file(const struct host *h, const char *path, char **ret, struct err *e)
{
	size_t len;

	if (path[0] != '/')
		return err_set(e, -EINVAL, "'%.200s' is not a whole path", path);
	return file_read_all(h->fd, path + 1, PEM_MAX, ret, &len, e);
}

static int read_type(const struct jv *v, struct source *s, struct err *e)
{
	const char *type = jv_get_string(v, "type");
	cleanup_free char *names = source_type_names();

	if (jv_get(v, "type") && !type)
		return err_set(e, -EINVAL, "'type' must be a string");
	s->ops = source_type(type ? type : "imgapi");
	return s->ops ? 0
		      : err_set(e, -EINVAL,
				"unknown image source type \"%.64s\" (there is: %s)", type,
				names);
}

static int read_source(const struct host *h, const struct jv *v, struct source *s,
		       struct err *e)
{
	const char *url = jv_get_string(v, "url"), *key = jv_get_string(v, "public_key");
	int r;

	if (!url)
		return err_set(e, -EINVAL, "a source is an object with a 'url'");
	r = read_type(v, s, e);
	if (r == 0 && !(s->url = source_normalise(url, e)))
		r = -EINVAL;
	if (r < 0)
		return r;
	s->channel = channel_of(s->url);
	if (!s->channel)
		s->channel = xstrdup(jv_get_string(v, "channel"));
	s->insecure = jv_get_bool(v, "insecure", false);
	s->proxy = xstrdup(jv_get_string(v, "proxy"));
	s->ca_file = xstrdup(jv_get_string(v, "ca_file"));
	s->arch = xstrdup(jv_get_string(v, "arch"));
	s->members = jv_copy(v);
	if (s->ca_file)
		r = read_host_file(h, s->ca_file, &s->ca, e);
	/* A key that cannot be read must not mean that nothing is checked. */
	if (r == 0 && key)
		r = read_host_file(h, key, &s->public_key, e);
	if (r == 0 && s->ops->logs_in)
		r = registry_find_login(h, s, &s->login, e);
	if (r == 0)
		r = source_auth_new(h, v, &s->auth, e);
	if (r == 0 && s->auth && !s->ops->signs)
		r = err_set(e, -EINVAL, "sources of type \"%s\" take no 'login'", s->ops->type);
	return r < 0 ? err_wrap(e, r, "source '%.200s'", s->url) : 0;
}

int source_make(const struct host *h, const struct source_wish *wish, struct source *ret,
		struct err *e)
{
	cleanup_jv struct jv *v = jv_object();
	cleanup_free char *url = source_normalise(wish->url, e);
	struct source s = { 0 };
	int r;

	if (!url)
		return -EINVAL;
	jv_set(v, "type", jv_string(wish->type ? wish->type : "imgapi"));
	jv_set(v, "url", jv_string(url));
	if (wish->insecure)
		jv_set(v, "insecure", jv_bool(true));
	if (wish->ca_file)
		jv_set(v, "ca_file", jv_string(wish->ca_file));
	if (wish->key_file)
		jv_set(v, "public_key", jv_string(wish->key_file));
	if (wish->login)
		jv_set(v, "login", jv_string(wish->login));
	if (wish->login_key)
		jv_set(v, "login_key", jv_string(wish->login_key));
	r = read_source(h, v, &s, e);
	if (r < 0)
		source_done(&s);
	else
		*ret = s;
	return r;
}

struct http_peer source_peer(const struct source *s, const char *const *headers)
{
	return (struct http_peer){ .ca = s->ca,
				   .proxy = s->proxy,
				   .insecure = s->insecure,
				   .headers = headers,
				   .more = source_auth_lines(s->auth) };
}

/* ---- the list ------------------------------------------------------------- */

void sources_add(struct sources *list, struct source *s)
{
	list->items = xrealloc_array(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = *s;
	*s = (struct source){ 0 };
}

void sources_remove(struct sources *list, size_t index)
{
	source_done(&list->items[index]);
	list->count--;
	memmove(&list->items[index], &list->items[index + 1],
		(list->count - index) * sizeof(*list->items));
}

void sources_set_channel(struct sources *list, const char *channel)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].channel);
		list->items[i].channel = xstrdup(channel);
	}
}

void sources_set_arch(struct sources *list, const char *arch)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].arch);
		list->items[i].arch = xstrdup(arch);
	}
}

void sources_done(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++)
		source_done(&s->items[i]);
	free(s->items);
	free(s->agent);
	jv_unref(s->config);
	*s = (struct sources){ 0 };
}

static unsigned int number(const struct jv *v, const char *key, unsigned int max)
{
	int64_t n = jv_get_int(v, key, 0);

	return n < 0 ? 0 : n > max ? max : (unsigned int)n;
}

static void read_http(struct sources *s)
{
	const struct jv *v = jv_get(s->config, "http");
	const char *extra = jv_get_string(s->config, "userAgentExtra");

	s->http.tries = number(v, "tries", 100);
	s->http.wait_ms = number(v, "retry_wait_ms", 600000);
	s->http.wait_max_ms = number(v, "retry_wait_max_ms", 3600000);
	s->http.connect_s = number(v, "connect_seconds", 3600);
	s->http.stall_s = number(v, "stall_seconds", 3600);
	s->parallel = number(v, "parallel", 32);
	if (s->parallel == 0)
		s->parallel = 5;
	s->agent = xasprintf("imgadm/%s%s%s", DAIS_VERSION, extra ? " " : "",
			     extra && is_plain(extra) ? extra : "");
	s->http.agent = s->agent;
}

static int add_default(const struct host *h, struct sources *s, struct err *e)
{
	const struct source_wish wish = { .url = SOURCE_DEFAULT_URL };
	struct source one = { 0 };
	int r = source_make(h, &wish, &one, e);

	if (r == 0)
		sources_add(s, &one);
	return r;
}

static int read_list(const struct host *h, struct sources *s, struct err *e)
{
	const struct jv *list = jv_get(s->config, "sources");

	if (!list)
		return add_default(h, s, e);
	if (jv_type(list) != JV_ARRAY || jv_len(list) > SOURCES_MAX)
		return err_set(e, -EINVAL, "/sources: must be an array of at most %d sources",
			       SOURCES_MAX);
	for (size_t i = 0; i < jv_len(list); i++) {
		struct source one = { 0 };
		int r = read_source(h, jv_at(list, i), &one, e);

		if (r < 0) {
			source_done(&one);
			return err_wrap(e, r, "/sources/%zu", i);
		}
		sources_add(s, &one);
	}
	return 0;
}

/* The reader names the file as it opened it: below the host's root. */
static int whole_path(struct err *e, int r)
{
	char msg[ERR_MSG_MAX] = "";

	if (e)
		(void)snprintf(msg, sizeof(msg), "%s", e->msg);
	return err_set(e, r, "%s%s", strncmp(msg, FOLDER, strlen(FOLDER)) == 0 ? "/" : "", msg);
}

int sources_load(const struct host *h, struct sources *ret, struct err *e)
{
	cleanup_sources struct sources s = { 0 };
	int r = jv_load(h->fd, FOLDER "/" FILE_NAME, FILE_MAX, &s.config, e);

	if (r == -ENOENT)
		s.config = jv_object();
	else if (r < 0)
		return whole_path(e, r);
	if (jv_type(s.config) != JV_OBJECT)
		return err_set(e, -EINVAL, "/" FOLDER "/" FILE_NAME ": must be an object");
	r = read_list(h, &s, e);
	if (r < 0)
		return err_wrap(e, r, "/" FOLDER "/" FILE_NAME);
	read_http(&s);
	*ret = s;
	s = (struct sources){ 0 };
	return 0;
}

int sources_store(const struct host *h, const struct sources *s, struct err *e)
{
	cleanup_close int dir = host_dir(h, FOLDER, 0755, e);
	cleanup_jv struct jv *config = jv_copy(s->config);
	struct jv *list = jv_array();

	for (size_t i = 0; i < s->count; i++)
		jv_push(list, jv_copy(s->items[i].members));
	jv_set(config, "sources", list);
	return dir < 0 ? dir : jv_store(dir, FILE_NAME, config, e);
}

int sources_lock(const struct host *h, struct err *e)
{
	cleanup_close int dir = host_dir(h, HOST_LOCKS, 0700, e);

	return dir < 0 ? dir : lock_take(dir, "image-sources", LOCK_EXCLUSIVE, -1, e);
}
