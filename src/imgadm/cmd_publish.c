/* SPDX-License-Identifier: MIT */
#include "imgadm/session.h"

#include "base/alloc.h"
#include "base/version.h"
#include "libimg/install.h"
#include "libimg/manifest.h"
#include "libimg/publish.h"
#include "libimg/registry.h"
#include "libimg/source_ops.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int load_manifest(const struct cli_call *call, struct jv **ret)
{
	struct err e = { 0 };
	int r = manifest_load(AT_FDCWD, cli_get(call, "m"), ret, &e);

	if (r == 0)
		r = image_check_installable(*ret, &e);
	return r == 0 ? 0
		      : imgadm_fail(call,
				    r == -EBADMSG   ? "InvalidManifest"
				    : r == -EINVAL  ? "ManifestValidation"
				    : r == -ENOTSUP ? "NotSupported"
						    : "FileSystem",
				    e.msg);
}

static int open_file(const struct cli_call *call, const struct jv *manifest, int *ret)
{
	const char *path = cli_get(call, "f");
	int64_t size = jv_get_int(jv_at(jv_get(manifest, "files"), 0), "size", -1);
	struct err e = { 0 };
	struct stat st;

	*ret = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (*ret < 0 || fstat(*ret, &st) < 0)
		(void)err_sys(&e, "cannot open '%s'", path);
	else if (!S_ISREG(st.st_mode))
		(void)err_set(&e, -EINVAL, "'%s' is not a regular file", path);
	else if (st.st_size != size)
		(void)err_set(&e, -EINVAL,
			      "'%s' has %lld bytes, the manifest says %lld (files[0].size)",
			      path, (long long)st.st_size, (long long)size);
	return e.msg[0] ? imgadm_fail(call, "FileSystem", e.msg) : 0;
}

/* ---- to a registry ---------------------------------------------------------- */

#define SCHEME "docker://"

static int fail_ref(struct cli_call *call, const char *url)
{
	return cli_wrong_use(call, "'%s' is not docker://HOST[:PORT]/REPOSITORY[:TAG]", url);
}

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

/* The source that has this registry, with its certificates and passwords. */
static const struct source *find_source(const struct sources *s, const char *host)
{
	for (size_t i = 0; i < s->count; i++) {
		cleanup_free char *its = registry_host(s->items[i].url);

		if (s->items[i].ops->logs_in && strcmp(its, host) == 0)
			return &s->items[i];
	}
	return NULL;
}

/* Or one for now. */
static int make_source(const struct cli_call *call, const struct host *h, const char *host,
		       struct source *ret)
{
	cleanup_free char *url = xasprintf("%s://%s", is_here(host) ? "http" : "https", host);
	const struct source_wish wish = { .url = url, .type = "docker" };
	struct err e = { 0 };

	return source_make(h, &wish, ret, &e) < 0 ? imgadm_fail(call, "Config", e.msg) : 0;
}

struct target {
	struct host host;
	struct sources sources;
	struct source own; /* where no source has the registry */
	struct oci_ref ref;
};

static void target_done(struct target *t)
{
	oci_ref_done(&t->ref);
	source_done(&t->own);
	sources_done(&t->sources);
	host_close(&t->host);
}

static int find_registry(struct cli_call *call, struct target *t, struct publish_request *req)
{
	const char *host;
	int r;

	if (oci_ref_parse(req->url + strlen(SCHEME), &t->ref, NULL) < 0 || !t->ref.host ||
	    t->ref.digest[0])
		return fail_ref(call, req->url);
	r = imgadm_begin(call, &t->host);
	if (r == 0)
		r = imgadm_sources(call, &t->host, &t->sources);
	if (r != 0)
		return r;
	host = is_hub(t->ref.host) ? "docker.io" : t->ref.host;
	req->registry = find_source(&t->sources, host);
	if (!req->registry) {
		r = make_source(call, &t->host, host, &t->own);
		req->registry = &t->own;
	}
	req->ref = &t->ref;
	req->policy = &t->sources.http;
	return r;
}

/* ---- the command ------------------------------------------------------------ */

int cmd_publish(struct cli_call *call, struct err *e)
{
	cleanup_jv struct jv *manifest = NULL;
	cleanup_close int fd = -1;
	cleanup_free char *line = NULL;
	cleanup_with(target_done) struct target to = { .host = { .fd = -1 } };
	struct session s = session_begin(call);
	struct publish_request req = { .url = cli_operand(call, 0),
				       .name = cli_get(call, "f"),
				       .agent = "imgadm/" DAIS_VERSION,
				       .say = session_say,
				       .progress = session_progress,
				       .data = &s };
	char code[IMGAPI_CODE_MAX];
	int r;

	if (!cli_has(call, "m") || !cli_has(call, "f"))
		return cli_wrong_use(call, "give both -m MANIFEST and -f FILE");
	r = load_manifest(call, &manifest);
	if (r == 0 && strncmp(req.url, SCHEME, strlen(SCHEME)) == 0)
		r = find_registry(call, &to, &req);
	if (r == 0)
		r = open_file(call, manifest, &fd);
	if (r != 0)
		return r;
	req.manifest = manifest;
	req.fd = fd;
	session_bar(&s, jv_get_string(manifest, "uuid"),
		    (uint64_t)jv_get_int(jv_at(jv_get(manifest, "files"), 0), "size", 0));
	r = publish(&req, code, e);
	session_end_bar(&s, r == 0);
	if (r < 0)
		return imgadm_fail(call, code, e->msg);
	line = xasprintf("Successfully published image %s to %s",
			 jv_get_string(manifest, "uuid"), req.url);
	session_say(&s, line);
	return 0;
}
