/* SPDX-License-Identifier: MIT */
/*
 * source_simplestreams.c - sources that speak simplestreams. Runs in a helper.
 */
#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libsource/simplestreams.h"
#include "libsource/source_ops.h"

#include <ctype.h>
#include <string.h>
#include <sys/utsname.h>

#define INDEX      "streams/v1/index.json"
#define ANSWER_MAX ((uint64_t)64 << 20)

/* As these servers call what the kernel calls otherwise. */
static const char *host_arch(void)
{
	static const char *const names[][2] = {
		{ "x86_64", "amd64" },    { "aarch64", "arm64" },   { "armv7l", "armhf" },
		{ "i686", "i386" },       { "ppc64le", "ppc64el" }, { "s390x", "s390x" },
		{ "riscv64", "riscv64" },
	};
	struct utsname u;

	for (size_t i = 0; uname(&u) == 0 && i < ARRAY_SIZE(names); i++)
		if (strcmp(u.machine, names[i][0]) == 0)
			return names[i][1];
	return "unknown";
}

static bool simplestreams_takes(const char *name)
{
	if (!*name || strlen(name) > 200 || *name == '/')
		return false;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (!isalnum(*p) && !strchr("/._+-", *p))
			return false;
	return true;
}

static int fetch(struct source_call *call, const char *path, struct http_job *job,
		 struct err *e)
{
	struct http_peer peer = source_peer(call->source, NULL);
	cleanup_free char *url = xasprintf("%s/%s", call->source->url, path);
	int r;

	*job = (struct http_job){
		.url = url, .max = ANSWER_MAX, .peer = &peer, .fd = -1, .size = HTTP_SIZE_ANY
	};
	r = http_get(job, call->policy, e);
	job->url = NULL;
	job->peer = NULL;
	if (r == 0 && job->status != 200)
		r = err_set(e, -EREMOTEIO, "the server answered %d to '%s'", job->status, path);
	return r;
}

static int fetch_index(struct source_call *call, struct jv **ret_paths, struct err *e)
{
	struct http_job job;
	int r = fetch(call, INDEX, &job, e);

	if (r == 0)
		r = simplestreams_read_index(buf_str(&job.body), job.body.len, ret_paths, e);
	http_job_done(&job);
	return r;
}

static int simplestreams_ping(struct source_call *call, struct err *e)
{
	cleanup_jv struct jv *paths = NULL;

	return fetch_index(call, &paths, e);
}

static int fetch_images(struct source_call *call, bool all, struct jv **ret_images,
			struct err *e)
{
	cleanup_jv struct jv *paths = NULL, *images = jv_array();
	int r = fetch_index(call, &paths, e);

	for (size_t i = 0; r == 0 && i < jv_len(paths); i++) {
		struct http_job job;

		r = fetch(call, jv_as_string(jv_at(paths, i)), &job, e);
		if (r == 0)
			r = simplestreams_read_products(buf_str(&job.body), job.body.len,
							call->source->url, host_arch(), all,
							images, e);
		http_job_done(&job);
	}
	if (r == 0)
		*ret_images = take_ptr(images);
	return r;
}

static int simplestreams_list(struct source_call *call, struct jv **ret_manifests,
			      struct err *e)
{
	cleanup_jv struct jv *images = NULL;
	int r = fetch_images(call, false, &images, e);

	if (r < 0)
		return r;
	*ret_manifests = jv_array();
	for (size_t i = 0; i < jv_len(images); i++)
		jv_push(*ret_manifests, jv_ref(jv_get(jv_at(images, i), "manifest")));
	return 0;
}

/* A uuid may be that of an older version, an alias is of the newest. */
static int simplestreams_get(struct source_call *call, const char *name, struct jv **ret_image,
			     struct err *e)
{
	cleanup_jv struct jv *images = NULL;
	struct jv *image;
	int r = fetch_images(call, uuid_is_valid(name), &images, e);

	if (r < 0)
		return r;
	image = simplestreams_find(images, name);
	if (!image)
		return source_fail(call, "ImageNotFound", -ENOENT, e,
				   "the server has no image '%s' for this machine", name);
	*ret_image = jv_ref(image);
	return 0;
}

const struct source_ops source_simplestreams_ops = {
	.type = "simplestreams",
	.lists = true,
	.takes = simplestreams_takes,
	.ping = simplestreams_ping,
	.list = simplestreams_list,
	.get = simplestreams_get,
};
