/* SPDX-License-Identifier: MIT */
#include "libimg/publish.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libhttp/send.h"
#include "libimg/helper.h"
#include "libimg/push.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_ ((size_t)64 << 10)

/* ---- in the helper ---------------------------------------------------------- */

struct talk {
	const struct publish_request *req;
	const struct jv *file; /* files[0] */
	const char *uuid;
	struct http_policy policy;
	char *base; /* of all addresses */
	int outfd;
	uint64_t told;
	struct oci_file packed; /* for a registry */
	char code[IMGAPI_CODE_MAX];
};

/* One line of JSON: what the caller is to know. */
static void tell(struct talk *t, const char *key, struct jv *value)
{
	cleanup_jv struct jv *v = jv_object();
	cleanup_free char *text = NULL;
	cleanup_free char *line = NULL;

	jv_set(v, key, value);
	text = jv_dump(v, 0);
	line = xasprintf("%s\n", text);
	if (file_write_fd(t->outfd, line, strlen(line)) < 0)
		_exit(1); /* nobody listens */
}

static void say(struct talk *t, char *line)
{
	tell(t, "say", jv_string(line));
	free(line);
}

static void on_progress(void *data, uint64_t done)
{
	struct talk *t = data;

	if (done - t->told < ((uint64_t)256 << 10))
		return;
	t->told = done;
	tell(t, "done", jv_int((int64_t)done));
}

/* METHOD of /images/UUID and REST. What it answers, new, or NULL where that is nothing. */
static int ask(struct talk *t, struct http_send *s, const char *rest, struct jv **ret,
	       struct err *e)
{
	static const char *const json[] = { "Content-Type: application/json",
					    "Accept: application/json", NULL };
	static const char *const bytes[] = { "Content-Type: application/octet-stream",
					     "Accept: application/json", NULL };
	const struct http_peer peer = { .headers = s->fd < 0 ? json : bytes };
	cleanup_free char *url = xasprintf("%s/images/%s%s", t->base, t->uuid, rest);
	int r;

	s->url = url;
	s->peer = &peer;
	r = http_send(s, &t->policy, e);
	s->url = NULL;
	s->peer = NULL;
	if (r < 0)
		(void)snprintf(t->code, sizeof(t->code), "ClientError");
	else if (s->status < 200 || s->status > 299)
		r = imgapi_read_error(buf_str(&s->body), s->body.len, s->status, t->code, e);
	else if (ret)
		r = jv_parse(buf_str(&s->body), s->body.len, "the server's answer", ret, e);
	buf_done(&s->body);
	s->body = (struct buf)BUF_INIT;
	return r;
}

static const char *field(const struct jv *v, const char *key)
{
	const char *text = jv_get_string(v, key);

	return text ? text : "?";
}

static int import(struct talk *t, struct err *e)
{
	cleanup_free char *text = jv_dump(t->req->manifest, 0);
	cleanup_jv struct jv *answer = NULL;
	struct http_send s = { .method = "POST", .fd = -1, .text = text };
	int r = ask(t, &s, "?action=import", &answer, e);

	if (r == 0)
		say(t, xasprintf("Imported image %s (%s, %s, state=%s)", t->uuid,
				 field(answer, "name"), field(answer, "version"),
				 field(answer, "state")));
	return r;
}

/* What arrived must be what was sent. */
static int check_file(struct talk *t, const struct jv *answer, struct err *e)
{
	const struct jv *is = jv_at(jv_get(answer, "files"), 0);
	int64_t size = jv_get_int(t->file, "size", -1);

	if (strcmp(field(is, "sha1"), field(t->file, "sha1")) == 0 &&
	    jv_get_int(is, "size", -2) == size)
		return 0;
	(void)snprintf(t->code, sizeof(t->code), "UploadError");
	return err_set(e, -EBADMSG,
		       "the server has %lld bytes with SHA-1 %.64s, sent were %lld with %s",
		       (long long)jv_get_int(is, "size", -1), field(is, "sha1"),
		       (long long)size, field(t->file, "sha1"));
}

static int add_file(struct talk *t, struct err *e)
{
	cleanup_free char *rest =
		xasprintf("/file?compression=%s&sha1=%s", field(t->file, "compression"),
			  field(t->file, "sha1"));
	cleanup_jv struct jv *answer = NULL;
	struct http_send s = { .method = "PUT",
			       .fd = t->req->fd,
			       .size = (uint64_t)jv_get_int(t->file, "size", 0),
			       .progress = on_progress,
			       .data = t };
	int r = ask(t, &s, rest, &answer, e);

	if (r == 0)
		r = check_file(t, answer, e);
	if (r == 0)
		say(t, xasprintf("Added file \"%s\" (compression \"%s\") to image %s",
				 t->req->name, field(t->file, "compression"), t->uuid));
	return r;
}

static int activate(struct talk *t, struct err *e)
{
	struct http_send s = { .method = "POST", .fd = -1, .text = "" };
	int r = ask(t, &s, "?action=activate", NULL, e);

	if (r == 0)
		say(t, xasprintf("Activated image %s", t->uuid));
	return r;
}

static void take_back(struct talk *t)
{
	struct http_send s = { .method = "DELETE", .fd = -1 };
	char code[IMGAPI_CODE_MAX];
	struct err why = { 0 };

	memcpy(code, t->code, sizeof(code));
	if (ask(t, &s, "", NULL, &why) < 0)
		say(t, xasprintf("image %s stays on the server, not activated: %s", t->uuid,
				 why.msg));
	memcpy(t->code, code, sizeof(code));
}

static void say_line(void *data, const char *line)
{
	say(data, xstrdup(line));
}

static int push(struct talk *t, struct err *e)
{
	struct source_call call = { .source = t->req->registry, .policy = t->req->policy };
	const struct push_request req = { .call = &call,
					  .repo = t->req->ref->repo,
					  .tag = t->req->ref->tag,
					  .manifest = t->req->manifest,
					  .file = &t->packed,
					  .fd = t->req->fd,
					  .say = say_line,
					  .progress = on_progress,
					  .data = t };
	int r = push_image(&req, e);

	(void)snprintf(t->code, sizeof(t->code), "%s",
		       call.code[0] ? call.code : "ClientError");
	return r;
}

static int publish_to_imgapi(struct talk *t, struct err *e)
{
	int r = import(t, e);

	if (r < 0)
		return r;
	r = add_file(t, e);
	if (r == 0)
		r = activate(t, e);
	if (r < 0)
		take_back(t);
	return r;
}

static void helper(void *data, int outfd)
{
	struct talk *t = data;
	struct err e = { 0 };
	int r;

	t->outfd = outfd;
	r = t->req->registry ? push(t, &e) : publish_to_imgapi(t, &e);
	tell(t, "code", jv_string(t->code));
	tell(t, "error", jv_string(e.msg));
	tell(t, "result", jv_int(r));
}

/* ---- in the caller ---------------------------------------------------------- */

/* Of a process that reads foreign answers: to be shown, not to be obeyed. */
static void tidy(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (iscntrl(*p) && *p != '\n')
			*p = '?';
}

struct heard {
	bool ended;
	int result;
	char code[IMGAPI_CODE_MAX], msg[ERR_MSG_MAX];
};

static void hear(const struct publish_request *req, const char *line, struct heard *h)
{
	cleanup_jv struct jv *v = NULL;
	struct err ignored;

	if (jv_parse(line, strlen(line), "helper", &v, &ignored) < 0)
		return;
	if (jv_get(v, "done") && req->progress)
		req->progress(req->data, (uint64_t)jv_get_int(v, "done", 0));
	if (jv_get_string(v, "say")) {
		cleanup_free char *text = xstrdup(jv_get_string(v, "say"));

		tidy(text);
		req->say(req->data, text);
	}
	if (jv_get_string(v, "code"))
		(void)snprintf(h->code, sizeof(h->code), "%s", jv_get_string(v, "code"));
	if (jv_get_string(v, "error"))
		(void)snprintf(h->msg, sizeof(h->msg), "%s", jv_get_string(v, "error"));
	if (jv_get(v, "result")) {
		h->result = (int)jv_get_int(v, "result", -EIO);
		h->ended = true;
	}
}

static void listen_to(const struct publish_request *req, int fd, struct heard *h)
{
	cleanup_free char *line = NULL;
	FILE *f = fdopen(fd, "re");
	size_t cap = 0;
	ssize_t n;

	while (f && (n = getline(&line, &cap, f)) > 0 && (size_t)n < LINE_MAX_)
		hear(req, line, h);
	if (f)
		(void)fclose(f);
	tidy(h->code);
	tidy(h->msg);
}

/* What the file is, and whether a registry takes it. */
static int look_at_file(struct talk *t, char code[IMGAPI_CODE_MAX], struct err *e)
{
	int r = push_measure(t->req->fd, &t->packed, e);

	(void)snprintf(code, IMGAPI_CODE_MAX, "FileSystem");
	if (r == 0) {
		r = oci_check_pushable(t->req->manifest, &t->packed, e);
		(void)snprintf(code, IMGAPI_CODE_MAX, r < 0 ? "NotSupported" : "ClientError");
	}
	return r;
}

int publish(const struct publish_request *req, char code[IMGAPI_CODE_MAX], struct err *e)
{
	struct talk t = { .req = req,
			  .file = jv_at(jv_get(req->manifest, "files"), 0),
			  .uuid = jv_get_string(req->manifest, "uuid"),
			  .policy = { .agent = req->agent } };
	cleanup_free char *base = xstrdup(req->url);
	cleanup_helper struct helper h = HELPER_INIT;
	struct heard heard = { .result = -EIO };
	int fd, r;

	for (size_t n = strlen(base); n && base[n - 1] == '/'; n--)
		base[n - 1] = '\0';
	t.base = base;
	(void)snprintf(code, IMGAPI_CODE_MAX, "ClientError");
	r = req->registry ? look_at_file(&t, code, e) : 0;
	if (r == 0)
		r = helper_start(helper, &t, &req->fd, 1, 0, &h, e);
	if (r < 0)
		return r;
	fd = take_fd(h.fd);
	listen_to(req, fd, &heard);
	r = helper_wait(&h, e);
	if (r < 0 || heard.result == 0)
		return r < 0 ? r : heard.ended ? 0 : err_set(e, -EIO, "no answer");
	if (heard.code[0])
		(void)snprintf(code, IMGAPI_CODE_MAX, "%s", heard.code);
	return err_set(e, heard.result < 0 ? heard.result : -EIO, "%s", heard.msg);
}
