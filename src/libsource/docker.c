/* SPDX-License-Identifier: MIT */
/*
 * docker.c - sources that are container registries. Runs in a helper.
 */
#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "liboci/oci.h"
#include "libsource/registry.h"
#include "libsource/source_ops.h"

#include <stdio.h>
#include <string.h>

#define HUB         "docker.io"
#define INDEXES_MAX 3 /* in one another */
#define MIRRORS_MAX 16

static const char accepted[] = "Accept: application/vnd.oci.image.index.v1+json, "
			       "application/vnd.oci.image.manifest.v1+json, "
			       "application/vnd.docker.distribution.manifest.list.v2+json, "
			       "application/vnd.docker.distribution.manifest.v2+json";

static bool docker_takes(const char *name)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };

	return !uuid_is_valid(name) && oci_ref_parse(name, &ref, NULL) == 0;
}

/* What is being got. */
struct pull {
	struct registry reg;
	struct oci_ref ref;
	char *host; /* the source's, as people write it */
	const char *arch;
	char digest[OCI_DIGEST_MAX]; /* of the manifest */
	struct jv *manifest;
	struct jv *config;
	char config_digest[OCI_DIGEST_MAX];
};

/* ---- documents ------------------------------------------------------------ */

/* KIND/DIGEST, which has SIZE bytes unless that is 0. */
static int get_document(struct pull *p, const char *kind, const char *digest, uint64_t size,
			struct http_job *job, struct err *e)
{
	cleanup_free char *path = xasprintf("%s/%s", kind, digest);
	bool manifest = strcmp(kind, "manifests") == 0;
	int r = registry_get(&p->reg, path, manifest ? accepted : NULL, OCI_DOCUMENT_MAX, job,
			     e);

	if (r == 0 && size && job->body.len != size)
		r = err_set(e, -EBADMSG, "'%.200s' has %zu bytes, not %llu", path,
			    job->body.len, (unsigned long long)size);
	if (r == 0 && strchr(digest, ':'))
		r = oci_check_digest(buf_str(&job->body), job->body.len, digest, kind, e);
	return r;
}

/* Through indexes to the manifest of one image. */
static int get_manifest(struct pull *p, struct err *e)
{
	cleanup_free char *what = xstrdup(p->ref.digest[0] ? p->ref.digest : p->ref.tag);
	uint64_t size = 0;

	for (int i = 0; i <= INDEXES_MAX; i++) {
		struct http_job job = { .fd = -1 };
		cleanup_jv struct jv *v = NULL;
		const struct jv *one = NULL;
		enum oci_kind kind = OCI_INDEX;
		const char *digest;
		int r = get_document(p, "manifests", what, size, &job, e);

		if (r == 0) {
			oci_digest(buf_str(&job.body), job.body.len, p->digest);
			r = oci_read(buf_str(&job.body), job.body.len, job.type, &kind, &v, e);
		}
		http_job_done(&job);
		if (r == 0 && kind == OCI_MANIFEST) {
			p->manifest = take_ptr(v);
			return 0;
		}
		if (r == 0)
			r = oci_choose(v, p->arch, &one, e);
		if (r == 0)
			r = oci_read_descriptor(one, "index's entry", OCI_DOCUMENT_MAX, &digest,
						&size, e);
		if (r < 0)
			return r;
		free(what);
		what = xstrdup(digest);
	}
	return err_set(e, -ELOOP, "there are more than %d indexes in one another", INDEXES_MAX);
}

static int get_config(struct pull *p, struct err *e)
{
	const struct jv *d = jv_get(p->manifest, "config");
	const char *type = jv_get_string(d, "mediaType"), *digest;
	struct http_job job = { .fd = -1 };
	uint64_t size;
	int r;

	if (!oci_is_artifact(p->manifest) &&
	    (!type || (strcmp(type, "application/vnd.oci.image.config.v1+json") != 0 &&
		       strcmp(type, "application/vnd.docker.container.image.v1+json") != 0)))
		return err_set(e, -ENOTSUP, "it is '%.100s', not an image of a system",
			       type ? type : "nothing that says what it is");
	r = oci_read_descriptor(d, "configuration", OCI_DOCUMENT_MAX, &digest, &size, e);
	if (r == 0)
		r = get_document(p, "blobs", digest, size, &job, e);
	if (r == 0) {
		(void)snprintf(p->config_digest, sizeof(p->config_digest), "%s", digest);
		r = jv_parse(buf_str(&job.body), job.body.len, "configuration", &p->config, e);
	}
	http_job_done(&job);
	return r;
}

/* ---- the answer ----------------------------------------------------------- */

static struct jv *answer_of(const struct pull *p, const struct jv *layer)
{
	cleanup_free char *path = xasprintf("blobs/%s", jv_get_string(layer, "digest"));
	cleanup_free char *url = registry_url(&p->reg, path);
	struct jv *v = jv_object(), *file = jv_object(), *files = jv_array(), *lines;

	jv_set(file, "url", jv_string(url));
	if (p->reg.auth) {
		lines = jv_array();
		jv_push(lines, jv_string(p->reg.auth));
		jv_set(file, "headers", lines);
	}
	jv_push(files, file);
	jv_set(v, "manifest", jv_copy(jv_get(layer, "manifest")));
	jv_set(v, "files", files);
	return v;
}

/* As people write it: the Hub goes without saying, and so does its library. New. */
static char *local_name(const struct pull *p)
{
	const char *repo = p->ref.repo;

	if (strcmp(p->host, HUB) != 0)
		return xasprintf("%s/%s", p->host, repo);
	return xstrdup(strncmp(repo, "library/", 8) == 0 ? repo + 8 : repo);
}

static int describe(const struct pull *p, struct jv **ret, struct err *e)
{
	cleanup_free char *repo = local_name(p);
	const struct oci_image image = { .manifest = p->manifest,
					 .config = p->config,
					 .config_digest = p->config_digest,
					 .repo = repo,
					 .tag = p->ref.tag,
					 .digest = p->digest,
					 .arch = p->arch };
	cleanup_jv struct jv *layers = NULL;
	struct jv *top, *origins;
	int r = oci_is_artifact(p->manifest) ? oci_describe_disk(&image, &layers, e)
					     : oci_describe(&image, &layers, e);

	if (r < 0)
		return r;
	top = answer_of(p, jv_at(layers, 0));
	origins = jv_array();
	for (size_t i = 1; i < jv_len(layers); i++)
		jv_push(origins, answer_of(p, jv_at(layers, i)));
	jv_set(top, "origins", origins);
	*ret = top;
	return 0;
}

static int pull_from(struct pull *p, struct jv **ret, struct err *e)
{
	int r = get_manifest(p, e);

	if (r == 0)
		r = get_config(p, e);
	if (r == 0)
		r = describe(p, ret, e);
	jv_unref(p->manifest);
	jv_unref(p->config);
	p->manifest = p->config = NULL;
	registry_done(&p->reg);
	return r;
}

/* ---- where ---------------------------------------------------------------- */

/* Does the name say another registry than this source? */
static bool is_elsewhere(const struct pull *p)
{
	const char *host = p->ref.host;

	if (!host)
		return false;
	if (strcmp(host, "index." HUB) == 0 || strcmp(host, "registry-1." HUB) == 0)
		host = HUB;
	return strcmp(host, p->host) != 0;
}

/* 0: one of them had it. Whatever is wrong with a mirror, the registry itself comes after. */
static int try_mirrors(struct pull *p, struct source_call *call, struct jv **ret)
{
	const struct jv *mirrors = jv_get(call->source->members, "mirrors");
	size_t count = jv_len(mirrors);
	struct err ignored = { 0 };
	int r = -ENOENT;

	for (size_t i = 0; r < 0 && i < count && i < MIRRORS_MAX; i++) {
		const char *url = jv_as_string(jv_at(mirrors, i));
		char *base = url ? source_normalise(url, NULL) : NULL;

		if (!base)
			continue;
		p->reg = (struct registry){
			.call = call, .base = base, .ns = p->host, .repo = p->ref.repo
		};
		r = pull_from(p, ret, &ignored);
	}
	call->code[0] = '\0';
	return r;
}

static const char *code_of(int r)
{
	const char *code = oci_error_code(r);

	return code ? code : r == -EACCES ? "Unauthorized" : "ClientError";
}

static int docker_get(struct source_call *call, const char *name, struct jv **ret_image,
		      struct err *e)
{
	const char *arch = call->source->arch;
	struct pull p = { .arch = arch ? arch : oci_machine() };
	int r = oci_ref_parse(name, &p.ref, e);

	if (r < 0)
		return r;
	p.host = registry_host(call->source->url);
	if (strcmp(p.host, HUB) == 0 && !strchr(p.ref.repo, '/')) {
		char *repo = xasprintf("library/%s", p.ref.repo);

		free(p.ref.repo);
		p.ref.repo = repo;
	}
	if (is_elsewhere(&p)) {
		r = source_fail(call, "ImageNotFound", -EXDEV, e,
				"'%.200s' is of another registry", name);
	} else if (try_mirrors(&p, call, ret_image) < 0) {
		p.reg = (struct registry){ .call = call,
					   .base = registry_server(call->source),
					   .repo = p.ref.repo };
		r = pull_from(&p, ret_image, e);
		if (r < 0 && r != -ENOENT && !call->code[0])
			r = source_fail(call, code_of(r), r, e, "%s", e->msg);
	}
	free(p.host);
	oci_ref_done(&p.ref);
	return r;
}

static int docker_ping(struct source_call *call, struct err *e)
{
	cleanup_free char *base = registry_server(call->source);

	return registry_ping(call, base, e);
}

/* Registries tell nobody all that they have. */
static int docker_list(struct source_call *call ATTR_UNUSED, struct jv **ret_manifests,
		       struct err *e ATTR_UNUSED)
{
	*ret_manifests = jv_array();
	return 0;
}

const struct source_ops source_docker_ops = {
	.type = "docker",
	.logs_in = true,
	.takes = docker_takes,
	.ping = docker_ping,
	.list = docker_list,
	.get = docker_get,
};

const struct source_ops source_oci_ops = {
	.type = "oci",
	.logs_in = true,
	.takes = docker_takes,
	.ping = docker_ping,
	.list = docker_list,
	.get = docker_get,
};
