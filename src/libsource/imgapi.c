/* SPDX-License-Identifier: MIT */
/*
 * imgapi.c - sources that speak IMGAPI. Runs in a helper.
 */
#include "libsource/imgapi.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libdigest/signature.h"
#include "libmanifest/manifest.h"
#include "libmanifest/manifest.h"
#include "libsource/source_ops.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PAGE       1000
#define PAGES_MAX  100
#define ANSWER_MAX ((uint64_t)32 << 20) /* of a page */

static const char *const headers[] = { "Accept: application/json", "Accept-Version: ~2", NULL };

/* ---- answers -------------------------------------------------------------- */

int imgapi_read_ping(const char *text, size_t len, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	int r = jv_parse(text, len, "ping", &v, e);

	if (r == 0 && !jv_get_bool(v, "imgapi", false))
		r = err_set(e, -EPROTO, "the server does not say that it is an IMGAPI");
	return r;
}

int imgapi_read_list(const char *text, size_t len, struct jv **ret_list, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	struct jv *kept;
	int r = jv_parse(text, len, "images", &v, e);

	if (r < 0)
		return r;
	if (jv_type(v) != JV_ARRAY)
		return err_set(e, -EPROTO, "the list of images is not an array");
	kept = jv_array();
	for (size_t i = 0; i < jv_len(v); i++) {
		const char *uuid = jv_get_string(jv_at(v, i), "uuid");

		if (uuid && uuid_is_valid(uuid))
			jv_push(kept, jv_ref(jv_at(v, i)));
	}
	*ret_list = kept;
	return 0;
}

int imgapi_read_image(const char *text, size_t len, const char *uuid, struct jv **ret_manifest,
		      struct err *e)
{
	cleanup_jv struct jv *m = NULL;
	int r = manifest_parse(text, len, "manifest", &m, e);

	if (r < 0)
		return r;
	if (strcmp(jv_get_string(m, "uuid"), uuid) != 0)
		return err_set(e, -EBADMSG, "asked for image %s, the server sent image %s",
			       uuid, jv_get_string(m, "uuid"));
	*ret_manifest = take_ptr(m);
	return 0;
}

/* Lines are ours alone: they begin with four blanks. */
static void tidy(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text) && strncmp(text, "\n    ", 5) != 0)
			*text = '?';
}

static const char *or_nothing(const char *s)
{
	return s ? s : "";
}

int imgapi_read_error(const char *text, size_t len, int status, char code[IMGAPI_CODE_MAX],
		      struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	cleanup_buf struct buf b = BUF_INIT;
	char msg[ERR_MSG_MAX];
	const char *own;
	const struct jv *errors;

	(void)snprintf(code, IMGAPI_CODE_MAX, "ClientError");
	if (jv_parse(text, len, "answer", &v, NULL) < 0 ||
	    !*or_nothing(jv_get_string(v, "code")))
		return err_set(e, status == 404 ? -ENOENT : -EREMOTEIO,
			       "the server answered %d", status);
	own = jv_get_string(v, "code");
	(void)snprintf(code, IMGAPI_CODE_MAX, "%s", own);
	buf_adds(&b, or_nothing(jv_get_string(v, "message")));
	errors = jv_get(v, "errors");
	for (size_t i = 0; i < jv_len(errors) && b.len < ERR_MSG_MAX; i++) {
		const struct jv *one = jv_at(errors, i);

		buf_addf(&b, "\n    %s: %s: %s", or_nothing(jv_get_string(one, "field")),
			 or_nothing(jv_get_string(one, "code")),
			 or_nothing(jv_get_string(one, "message")));
	}
	(void)snprintf(msg, sizeof(msg), "%s", b.len ? buf_str(&b) : own);
	tidy(msg);
	tidy(code);
	return err_set(e, status == 404 ? -ENOENT : -EREMOTEIO, "%s", msg);
}

/* ---- requests ------------------------------------------------------------- */

char *imgapi_base(const struct source *s)
{
	return xstrndup(s->url, strcspn(s->url, "?"));
}

char *imgapi_channel(const struct source *s, char lead)
{
	struct buf b = BUF_INIT;

	if (!s->channel || !*s->channel)
		return xstrdup("");
	buf_addf(&b, "%cchannel=", lead);
	for (const unsigned char *p = (const unsigned char *)s->channel; *p; p++) {
		if (isalnum(*p) || strchr("-_.*", *p))
			buf_addc(&b, (char)*p);
		else
			buf_addf(&b, "%%%02X", *p);
	}
	return buf_take(&b);
}

/* An answer of 200 in JOB, whose url is set; everything else is an error with its code. */
static int ask(struct source_call *call, struct http_job *job, struct err *e)
{
	struct http_peer peer = source_peer(call->source, headers);
	int r;

	job->peer = &peer;
	job->fd = -1;
	job->size = HTTP_SIZE_ANY;
	r = http_get(job, call->policy, e);
	job->peer = NULL;
	if (r < 0 || job->status == 200)
		return r;
	return imgapi_read_error(buf_str(&job->body), job->body.len, job->status, call->code,
				 e);
}

static bool imgapi_takes(const char *name)
{
	return uuid_is_valid(name);
}

static int imgapi_ping(struct source_call *call, struct err *e)
{
	cleanup_free char *base = imgapi_base(call->source);
	cleanup_free char *url = xasprintf("%s/ping", base);
	struct http_job job = { .url = url, .max = 65536 };
	int r = ask(call, &job, e);

	if (r == 0)
		r = imgapi_read_ping(buf_str(&job.body), job.body.len, e);
	http_job_done(&job);
	return r;
}

/* Add what of PAGE is not the last of ALL; how many were new. */
static size_t append_page(struct jv *all, const struct jv *page)
{
	const char *last = jv_get_string(jv_at(all, jv_len(all) ? jv_len(all) - 1 : 0), "uuid");
	size_t added = 0;

	for (size_t i = 0; i < jv_len(page); i++) {
		struct jv *m = jv_at(page, i);

		/* The marker itself comes again, as the first. */
		if (i == 0 && last && strcmp(last, jv_get_string(m, "uuid")) == 0)
			continue;
		jv_push(all, jv_ref(m));
		added++;
	}
	return added;
}

static int fetch_page(struct source_call *call, const char *marker, struct jv **ret_page,
		      struct err *e)
{
	cleanup_free char *base = imgapi_base(call->source);
	cleanup_free char *channel = imgapi_channel(call->source, '&');
	cleanup_free char *url = xasprintf("%s/images?limit=%d%s%s%s", base, PAGE, channel,
					   marker ? "&marker=" : "", marker ? marker : "");
	struct http_job job = { .url = url, .max = ANSWER_MAX };
	int r = ask(call, &job, e);

	if (r == 0)
		r = imgapi_read_list(buf_str(&job.body), job.body.len, ret_page, e);
	http_job_done(&job);
	return r;
}

static int imgapi_list(struct source_call *call, struct jv **ret_manifests, struct err *e)
{
	cleanup_jv struct jv *all = jv_array();

	for (size_t pages = 0; pages < PAGES_MAX; pages++) {
		size_t count = jv_len(all);
		const char *marker =
			count ? jv_get_string(jv_at(all, count - 1), "uuid") : NULL;
		cleanup_jv struct jv *page = NULL;
		int r = fetch_page(call, marker, &page, e);

		if (r < 0)
			return r;
		/* A plain file server sends all of it at once, and would again. */
		if (append_page(all, page) == 0 || jv_len(page) != PAGE)
			break;
	}
	*ret_manifests = take_ptr(all);
	return 0;
}

static struct jv *file_of(const struct source *s, const char *uuid)
{
	cleanup_free char *base = imgapi_base(s), *channel = imgapi_channel(s, '?');
	cleanup_free char *url = xasprintf("%s/images/%s/file%s", base, uuid, channel);
	struct jv *file = jv_object(), *files = jv_array();

	jv_set(file, "url", jv_string(url));
	jv_push(files, file);
	return files;
}

/* The signature of what JOB got, beside it; the caller of source_ask() checks it. */
static int add_signature(struct source_call *call, const struct http_job *job, const char *name,
			 struct jv *image, struct err *e)
{
	bool mini = signature_key_is_minisign(call->source->public_key);
	cleanup_free char *base = imgapi_base(call->source),
			  *channel = imgapi_channel(call->source, '?');
	cleanup_free char *url = xasprintf("%s/images/%s/manifest.%s%s", base, name,
					   mini ? "minisig" : "sig", channel);
	struct http_job sig = { .url = url, .max = SIGNATURE_MAX };
	int r = ask(call, &sig, e);

	if (r == 0) {
		cleanup_free char *text = signature_to_base64(buf_str(&sig.body), sig.body.len);
		struct jv *v = jv_object();

		jv_set(v, "text", jv_string(buf_str(&job->body)));
		jv_set(v, "signature", jv_string(text));
		jv_set(image, "signed", v);
	} else {
		r = source_fail(call, "InvalidSignature", -EKEYREJECTED, e,
				"image %s has no signature: %s", name, e->msg);
	}
	http_job_done(&sig);
	return r;
}

static int imgapi_get(struct source_call *call, const char *name, struct jv **ret_image,
		      struct err *e)
{
	cleanup_free char *base = imgapi_base(call->source),
			  *channel = imgapi_channel(call->source, '?');
	cleanup_free char *url = xasprintf("%s/images/%s%s", base, name, channel);
	struct http_job job = { .url = url, .max = IMAGE_MANIFEST_MAX };
	cleanup_jv struct jv *image = NULL;
	struct jv *manifest = NULL;
	int r = ask(call, &job, e);

	if (r == 0) {
		r = imgapi_read_image(buf_str(&job.body), job.body.len, name, &manifest, e);
		if (r < 0)
			r = source_fail(call,
					r == -EINVAL ? "ManifestValidation" : "InvalidManifest",
					r, e, "%s", e->msg);
	}
	if (r == 0) {
		image = jv_object();
		jv_set(image, "manifest", manifest);
		jv_set(image, "files", file_of(call->source, name));
		if (call->source->public_key)
			r = add_signature(call, &job, name, image, e);
	}
	http_job_done(&job);
	if (r == 0)
		*ret_image = take_ptr(image);
	return r;
}

const struct source_ops source_imgapi_ops = {
	.type = "imgapi",
	.lists = true,
	.signs = true,
	.takes = imgapi_takes,
	.ping = imgapi_ping,
	.list = imgapi_list,
	.get = imgapi_get,
};
