/* SPDX-License-Identifier: MIT */
#include "libpublish/publish.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libpublish/publish_private.h"
#include "libpublish/push.h"
#include "libsandbox/helper.h"
#include "libsource/source_auth.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_ ((size_t)64 << 10)

/* ---- in the helper ---------------------------------------------------------- */

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

void talk_say(struct talk *t, char *line)
{
	tell(t, "say", jv_string(line));
	free(line);
}

void talk_progress(void *data, uint64_t done)
{
	struct talk *t = data;

	if (done - t->told < ((uint64_t)256 << 10))
		return;
	t->told = done;
	tell(t, "done", jv_int((int64_t)done));
}

static void say_line(void *data, const char *line)
{
	talk_say(data, xstrdup(line));
}

static int push(struct talk *t, struct err *e)
{
	struct source_call call = { .source = t->req->server, .policy = t->req->policy };
	const struct push_request req = { .call = &call,
					  .repo = t->req->ref->repo,
					  .tag = t->req->ref->tag,
					  .manifest = t->req->manifest,
					  .file = &t->packed,
					  .fd = t->req->fd,
					  .say = say_line,
					  .progress = talk_progress,
					  .data = t };
	int r = push_image(&req, e);

	(void)snprintf(t->code, sizeof(t->code), "%s",
		       call.code[0] ? call.code : "ClientError");
	return r;
}

static void helper(void *data, int outfd)
{
	struct talk *t = data;
	struct err e = { 0 };
	int r;

	t->outfd = outfd;
	r = t->step == PUBLISH_PUSH ? push(t, &e) : publish_to_imgapi(t, &e);
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

static int conclude(const struct heard *h, char code[IMGAPI_CODE_MAX], struct err *e)
{
	if (h->result == 0)
		return h->ended ? 0 : err_set(e, -EIO, "no answer");
	if (h->code[0])
		(void)snprintf(code, IMGAPI_CODE_MAX, "%s", h->code);
	return err_set(e, h->result < 0 ? h->result : -EIO, "%s", h->msg);
}

/* One step in a helper of its own, signed now. */
static int run(struct talk *t, enum publish_step step, char code[IMGAPI_CODE_MAX],
	       struct err *e)
{
	cleanup_helper struct helper h = HELPER_INIT;
	struct heard heard = { .result = -EIO };
	int fd, r;

	t->step = step;
	(void)snprintf(code, IMGAPI_CODE_MAX, "ConfigError");
	r = source_auth_sign(t->req->server->auth, e);
	if (r < 0)
		return r;
	(void)snprintf(code, IMGAPI_CODE_MAX, "ClientError");
	r = helper_start(helper, t, &t->req->fd, 1, 0, &h, e);
	if (r < 0)
		return r;
	fd = take_fd(h.fd);
	listen_to(t->req, fd, &heard);
	r = helper_wait(&h, e);
	return r < 0 ? r : conclude(&heard, code, e);
}

static int run_all(struct talk *t, char code[IMGAPI_CODE_MAX], struct err *e)
{
	char ignored[IMGAPI_CODE_MAX];
	struct err why;
	int r = run(t, PUBLISH_IMPORT, code, e);

	if (r < 0)
		return r;
	r = run(t, PUBLISH_FILE, code, e);
	if (r == 0)
		r = run(t, PUBLISH_ACTIVATE, code, e);
	if (r < 0)
		(void)!run(t, PUBLISH_TAKE_BACK, ignored, &why);
	return r;
}

int publish(const struct publish_request *req, char code[IMGAPI_CODE_MAX], struct err *e)
{
	struct talk t = { .req = req,
			  .file = jv_at(jv_get(req->manifest, "files"), 0),
			  .uuid = jv_get_string(req->manifest, "uuid") };
	int r;

	if (!req->ref)
		return run_all(&t, code, e);
	r = look_at_file(&t, code, e);
	return r < 0 ? r : run(&t, PUBLISH_PUSH, code, e);
}
