/* SPDX-License-Identifier: MIT */
#include "imgadm/target.h"

#include "base/alloc.h"
#include "libpublish/publish.h"
#include "libsource/registry.h"
#include "libsource/source_ops.h"

#include <string.h>

#define SCHEME "docker://"

/* "docker.io" of "docker.io", "index.docker.io": what a source is called. */
static bool is_hub(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, "index.docker.io") == 0 ||
	       strcmp(host, "registry-1.docker.io") == 0;
}

static bool is_here(const char *host)
{
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

	return (n == 9 && strncmp(host, "localhost", n) == 0) ||
	       (n == 5 && strncmp(host, "[::1]", n) == 0) || strncmp(host, "127.", 4) == 0;
}

/* Without a query: "?channel=NAME" of a source is what it is asked for, not who it is. */
static bool is_same_server(const char *a, const char *b)
{
	size_t len = strcspn(a, "?");

	return len == strcspn(b, "?") && strncmp(a, b, len) == 0;
}

/* The source that has this server. Of an IMGAPI, one with a login goes before the others. */
static const struct source *find_source(const struct target *t, const char *name)
{
	const struct source *found = NULL;

	for (size_t i = 0; i < t->sources.count; i++) {
		const struct source *s = &t->sources.items[i];
		cleanup_free char *its = t->is_registry && s->ops->logs_in
						 ? registry_host(s->url)
						 : xstrdup(s->url);
		bool same = t->is_registry ? s->ops->logs_in && strcmp(its, name) == 0
					   : s->ops->signs && is_same_server(its, name);

		if (same && (!found || (s->auth && !found->auth)))
			found = s;
	}
	return found;
}

/* One for now, where no source has it. */
static int make_source(const struct cli_call *call, const struct host *h, const char *url,
		       struct target *t)
{
	const struct source_wish wish = { .url = url,
					  .type = t->is_registry ? "docker" : "imgapi" };
	struct err e = { 0 };

	if (source_make(h, &wish, &t->own, &e) < 0)
		return imgadm_fail(call, "InvalidArgument", e.msg);
	t->server = &t->own;
	return 0;
}

static int find_registry(struct cli_call *call, const struct host *h, struct target *t)
{
	cleanup_free char *url = NULL;
	const char *name;

	if (oci_ref_parse(t->url + strlen(SCHEME), &t->ref, NULL) < 0 || !t->ref.host ||
	    t->ref.digest[0])
		return cli_wrong_use(call, "'%s' is not docker://HOST[:PORT]/REPOSITORY[:TAG]",
				     t->url);
	name = is_hub(t->ref.host) ? "docker.io" : t->ref.host;
	t->server = find_source(t, name);
	if (t->server)
		return 0;
	url = xasprintf("%s://%s", is_here(name) ? "http" : "https", name);
	return make_source(call, h, url, t);
}

static int find_imgapi(struct cli_call *call, const struct host *h, struct target *t)
{
	struct err e = { 0 };
	cleanup_free char *url = source_normalise(t->url, &e);

	if (!url)
		return imgadm_fail(call, "InvalidArgument", e.msg);
	t->server = find_source(t, url);
	return t->server ? 0 : make_source(call, h, url, t);
}

int target_find(struct cli_call *call, const struct host *h, const char *url,
		struct target *ret)
{
	int r;

	ret->url = url;
	ret->is_registry = strncmp(url, SCHEME, strlen(SCHEME)) == 0;
	r = imgadm_sources(call, h, &ret->sources);
	if (r != 0)
		return r;
	return ret->is_registry ? find_registry(call, h, ret) : find_imgapi(call, h, ret);
}

void target_done(struct target *t)
{
	oci_ref_done(&t->ref);
	source_done(&t->own);
	sources_done(&t->sources);
}

int target_publish(struct session *s, const struct target *t, const struct jv *manifest, int fd,
		   const char *name)
{
	const char *uuid = jv_get_string(manifest, "uuid");
	const struct publish_request req = { .server = t->server,
					     .ref = t->is_registry ? &t->ref : NULL,
					     .policy = &t->sources.http,
					     .manifest = manifest,
					     .name = name,
					     .fd = fd,
					     .say = session_say,
					     .progress = session_progress,
					     .data = s };
	cleanup_free char *line = NULL;
	char code[IMGAPI_CODE_MAX];
	struct err e = { 0 };
	int r;

	session_bar(s, uuid,
		    (uint64_t)jv_get_int(jv_at(jv_get(manifest, "files"), 0), "size", 0));
	r = publish(&req, code, &e);
	session_end_bar(s, r == 0);
	if (r < 0)
		return imgadm_fail(s->call, code, e.msg);
	line = xasprintf("Successfully published image %s to %s", uuid, t->url);
	session_say(s, line);
	return 0;
}
