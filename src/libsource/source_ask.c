/* SPDX-License-Identifier: MIT */
/*
 * source_ask.c - ask many sources at once. Each has a helper, which writes one JSON
 * text: { "value": ... }, or { "code", "errno", "message" }.
 */
#include "libsource/source.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libdigest/signature.h"
#include "libmanifest/manifest.h"
#include "libsandbox/helper.h"
#include "libsource/source_auth.h"
#include "libsource/source_ops.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

struct question {
	const struct sources *sources;
	const struct source *source;
	enum source_question what;
	const char *name;
};

/* ---- in the helper -------------------------------------------------------- */

static int dispatch(const struct question *q, struct source_call *call, struct jv **ret,
		    struct err *e)
{
	switch (q->what) {
	case SOURCE_LIST:
		return q->source->ops->list(call, ret, e);
	case SOURCE_GET:
		return q->source->ops->get(call, q->name, ret, e);
	case SOURCE_PING:
	default:
		*ret = jv_bool(true);
		return q->source->ops->ping(call, e);
	}
}

static const char *code_of(int result)
{
	return result == -ENOENT ? "ImageNotFound" : "ClientError";
}

/* Somebody waits for a few words: less patience than files get. */
static struct http_policy patience(const struct question *q)
{
	struct http_policy p = q->sources->http;
	unsigned int most = q->what == SOURCE_PING ? 1 : 3;

	if (p.tries == 0 || p.tries > most)
		p.tries = most;
	return p;
}

static void answer(void *data, int outfd)
{
	const struct question *q = data;
	const struct http_policy policy = patience(q);
	struct source_call call = { .source = q->source, .policy = &policy };
	cleanup_jv struct jv *out = jv_object();
	cleanup_free char *text = NULL;
	struct jv *value = NULL;
	struct err e = { 0 };
	int r = dispatch(q, &call, &value, &e);

	if (r == 0) {
		jv_set(out, "value", value);
	} else {
		jv_set(out, "code", jv_string(call.code[0] ? call.code : code_of(r)));
		jv_set(out, "errno", jv_int(r));
		jv_set(out, "message", jv_string(e.msg));
	}
	text = jv_dump(out, 0);
	if (file_write_fd(outfd, text, strlen(text)) < 0)
		_exit(1); /* nobody listens */
}

/* ---- in the caller -------------------------------------------------------- */

struct asked {
	struct helper helper;
	struct buf said;
	bool too_much;
};

static void fail(struct source_answer *a, const char *code, int result, const char *text)
{
	jv_unref(a->value);
	a->value = NULL;
	(void)snprintf(a->code, sizeof(a->code), "%s", code);
	a->result = err_set(&a->err, result, "%s", text);
}

/* Names and words that came from a server end on a terminal. Its fields have a line each. */
static void tidy(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text) && strncmp(text, "\n    ", 5) != 0)
			*text = '?';
}

/* What is not a server's own words is told with the source: there may be several. */
static void name_source(struct source_answer *a)
{
	static const char *const ours[] = { "ClientError", "InvalidManifest" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(a->code, ours[i]) == 0 && !strstr(a->err.msg, a->source->url))
			(void)err_wrap(&a->err, a->result, "image source \"%.200s\"",
				       a->source->url);
}

static void take_failure(struct source_answer *a, const struct jv *v)
{
	const char *code = jv_get_string(v, "code"), *text = jv_get_string(v, "message");
	int64_t result = jv_get_int(v, "errno", -EIO);

	fail(a, code ? code : "ClientError", result < 0 && result > -4096 ? (int)result : -EIO,
	     text && *text ? text : "the source gave no reason");
	tidy(a->code);
	tidy(a->err.msg);
}

/* Leave out what nobody could ask for. */
static struct jv *usable(const struct jv *list)
{
	struct jv *kept = jv_array();

	for (size_t i = 0; i < jv_len(list); i++) {
		struct jv *m = jv_at(list, i);
		struct err ignored;
		const char *uuid;

		if (jv_type(m) != JV_OBJECT || manifest_upgrade(m, &ignored) < 0)
			continue;
		uuid = jv_get_string(m, "uuid");
		if (uuid && uuid_is_valid(uuid))
			jv_push(kept, jv_ref(m));
	}
	return kept;
}

/*
 * Only what was signed counts: the manifest is read again from the signed bytes, here and
 * not in the helper, and nothing else that describes images is taken.
 */
static int check_signature(struct source_answer *a, struct err *e)
{
	const struct jv *v = jv_get(a->value, "signed");
	const char *text = jv_get_string(v, "text"), *base64 = jv_get_string(v, "signature");
	cleanup_free unsigned char *sig = NULL;
	struct jv *manifest = NULL;
	size_t len = 0;
	int r;

	if (text && base64)
		sig = signature_from_base64(base64, strlen(base64), &len);
	if (!sig)
		return err_set(e, -EKEYREJECTED,
			       "the image is not signed, and the source has "
			       "a public key");
	r = signature_check(a->source->public_key, text, strlen(text), sig, len, e);
	if (r == 0)
		r = manifest_parse(text, strlen(text), "manifest", &manifest, e);
	if (r < 0)
		return r;
	jv_set(a->value, "manifest", manifest);
	(void)jv_del(a->value, "origins");
	/* SHA-1 does not bind the bytes of the file to a signature. */
	if (!jv_get_string(jv_at(jv_get(manifest, "files"), 0), "sha256"))
		return err_set(e, -EKEYREJECTED,
			       "the signed manifest has no files[0].sha256, so that the file "
			       "is not signed");
	return 0;
}

static void check_value(struct source_answer *a, const struct jv *value,
			enum source_question what, const char *name)
{
	const struct jv *m = jv_get(value, "manifest");
	const char *uuid = jv_get_string(m, "uuid");

	if (what == SOURCE_LIST) {
		a->value = usable(value);
		return;
	}
	a->value = jv_copy(value); /* of which M is the original's */
	if (what != SOURCE_GET)
		return;
	if (a->source->public_key) {
		struct err e = { 0 };
		int r = check_signature(a, &e);

		if (r < 0) {
			fail(a, "InvalidSignature", r, e.msg);
			return;
		}
		m = jv_get(a->value, "manifest");
		uuid = jv_get_string(m, "uuid");
	}
	if (!uuid || !uuid_is_valid(uuid))
		fail(a, "InvalidManifest", -EBADMSG, "the source's answer has no uuid");
	else if (uuid_is_valid(name) && strcmp(uuid, name) != 0)
		fail(a, "InvalidManifest", -EBADMSG,
		     "the source answered with another image than it was asked for");
}

static void conclude(struct source_answer *a, struct asked *asked, enum source_question what,
		     const char *name)
{
	cleanup_jv struct jv *v = NULL;
	struct err e = { 0 };
	int r;

	if (asked->too_much) {
		helper_kill(&asked->helper);
		fail(a, "ClientError", -EFBIG, "the source's answer is too large");
		name_source(a);
		return;
	}
	r = helper_wait(&asked->helper, &e);
	if (r == 0)
		r = jv_parse(buf_str(&asked->said), asked->said.len, "answer", &v, &e);
	if (r < 0)
		fail(a, "InternalError", r, e.msg);
	else if (!jv_get(v, "value"))
		take_failure(a, v);
	else
		check_value(a, jv_get(v, "value"), what, name);
	if (a->result < 0 && what != SOURCE_PING)
		name_source(a);
}

/* True at the end. */
static bool hear(struct asked *asked)
{
	char block[65536];
	ssize_t n = read(asked->helper.fd, block, sizeof(block));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0)
		return true;
	if (asked->said.len + (size_t)n > SOURCE_ANSWER_MAX) {
		asked->too_much = true;
		return true;
	}
	buf_add(&asked->said, block, (size_t)n);
	return false;
}

static void hear_all(struct asked *asked, size_t count)
{
	struct pollfd *fds = xcalloc(count, sizeof(*fds));
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		fds[i] = (struct pollfd){ .fd = asked[i].helper.fd, .events = POLLIN };
		left += fds[i].fd >= 0;
	}
	while (left > 0) {
		if (poll(fds, count, -1) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < count; i++) {
			if (fds[i].fd < 0 || !fds[i].revents || !hear(&asked[i]))
				continue;
			fds[i].fd = -1;
			left--;
		}
	}
	free(fds);
}

void source_ask(const struct sources *s, const struct source *const list[], size_t count,
		enum source_question question, const char *name, struct source_answer answers[])
{
	struct asked *asked = xcalloc(count + 1, sizeof(*asked));

	for (size_t i = 0; i < count; i++) {
		struct question q = { s, list[i], question, name };
		struct err e = { 0 };
		int r;

		asked[i].helper.fd = -1;
		answers[i] = (struct source_answer){ .source = list[i] };
		r = source_auth_sign(list[i]->auth, &e);
		if (r < 0) {
			fail(&answers[i], "ConfigError", r, e.msg);
			continue;
		}
		r = helper_start(answer, &q, NULL, 0, 0, &asked[i].helper, &answers[i].err);
		if (r < 0)
			fail(&answers[i], "InternalError", r, "cannot start a process");
	}
	hear_all(asked, count);
	for (size_t i = 0; i < count; i++) {
		if (asked[i].helper.pid)
			conclude(&answers[i], &asked[i], question, name);
		buf_done(&asked[i].said);
	}
	free(asked);
}

void source_answer_done(struct source_answer *a)
{
	jv_unref(a->value);
	*a = (struct source_answer){ 0 };
}
