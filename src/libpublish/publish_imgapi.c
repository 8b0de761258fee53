/* SPDX-License-Identifier: MIT */
/*
 * publish_imgapi.c - the requests by which an IMGAPI takes an image. Runs in helpers.
 */
#include "libpublish/publish_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libhttp/send.h"

#include <stdio.h>
#include <string.h>

static const char *field(const struct jv *v, const char *key)
{
	const char *text = jv_get_string(v, key);

	return text ? text : "?";
}

/* 0: the answer is one of success. */
static int read_answer(struct talk *t, struct http_send *s, struct jv **ret, struct err *e)
{
	if (s->status < 200 || s->status > 299) {
		int r = imgapi_read_error(buf_str(&s->body), s->body.len, s->status, t->code,
					  e);

		/* Without words of its own the server is no IMGAPI, or something is before it.
		 */
		return strcmp(t->code, "ClientError") == 0 ? err_wrap(e, r, "'%s'", s->url) : r;
	}
	return ret ? jv_parse(buf_str(&s->body), s->body.len, "the server's answer", ret, e)
		   : 0;
}

/* METHOD of /images/UUID and REST. What it answers, new, or NULL where that is nothing. */
static int ask(struct talk *t, struct http_send *s, const char *rest, struct jv **ret,
	       struct err *e)
{
	static const char *const json[] = { "Content-Type: application/json",
					    "Accept: application/json", "Accept-Version: ~2",
					    NULL };
	static const char *const bytes[] = { "Content-Type: application/octet-stream",
					     "Accept: application/json", "Accept-Version: ~2",
					     NULL };
	const struct http_peer peer = source_peer(t->req->server, s->fd < 0 ? json : bytes);
	cleanup_free char *base = imgapi_base(t->req->server);
	cleanup_free char *channel =
		imgapi_channel(t->req->server, strchr(rest, '?') ? '&' : '?');
	cleanup_free char *url = xasprintf("%s/images/%s%s%s", base, t->uuid, rest, channel);
	int r;

	s->url = url;
	s->peer = &peer;
	r = http_send(s, t->req->policy, e);
	s->peer = NULL;
	(void)snprintf(t->code, sizeof(t->code), "ClientError");
	if (r == 0)
		r = read_answer(t, s, ret, e);
	s->url = NULL;
	buf_done(&s->body);
	s->body = (struct buf)BUF_INIT;
	return r;
}

/* ---- the manifest ----------------------------------------------------------- */

/*
 * Is what is there what a publish left that was cut short? It is gone on with: the file is
 * sent anew, and must be whole.
 */
static bool is_left_over(struct talk *t)
{
	struct http_send s = { .method = "GET", .fd = -1 };
	cleanup_jv struct jv *is = NULL;
	struct err ignored;

	return ask(t, &s, "", &is, &ignored) == 0 && strcmp(field(is, "uuid"), t->uuid) == 0 &&
	       strcmp(field(is, "state"), "unactivated") == 0 &&
	       strcmp(field(is, "name"), field(t->req->manifest, "name")) == 0 &&
	       strcmp(field(is, "version"), field(t->req->manifest, "version")) == 0;
}

static int import(struct talk *t, struct err *e)
{
	cleanup_free char *text = jv_dump(t->req->manifest, 0);
	cleanup_jv struct jv *answer = NULL;
	struct http_send s = { .method = "POST", .fd = -1, .text = text };
	char code[IMGAPI_CODE_MAX];
	int r = ask(t, &s, "?action=import", &answer, e);

	if (r == 0) {
		talk_say(t, xasprintf("Imported image %s (%s, %s, state=%s)", t->uuid,
				      field(answer, "name"), field(answer, "version"),
				      field(answer, "state")));
		return 0;
	}
	memcpy(code, t->code, sizeof(code));
	if (strcmp(code, "ImageUuidAlreadyExists") == 0 && is_left_over(t)) {
		talk_say(t, xasprintf("Image %s is there, not activated: going on with it",
				      t->uuid));
		return 0;
	}
	memcpy(t->code, code, sizeof(code));
	return r;
}

/* ---- the file --------------------------------------------------------------- */

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
			       .progress = talk_progress,
			       .data = t };
	int r = ask(t, &s, rest, &answer, e);

	if (r == 0)
		r = check_file(t, answer, e);
	if (r == 0)
		talk_say(t, xasprintf("Added file \"%s\" (compression \"%s\") to image %s",
				      t->req->name, field(t->file, "compression"), t->uuid));
	return r;
}

/* ---- its state -------------------------------------------------------------- */

static int activate(struct talk *t, struct err *e)
{
	struct http_send s = { .method = "POST", .fd = -1, .text = "" };
	int r = ask(t, &s, "?action=activate", NULL, e);

	if (r == 0)
		talk_say(t, xasprintf("Activated image %s", t->uuid));
	return r;
}

static int take_back(struct talk *t, struct err *e)
{
	struct http_send s = { .method = "DELETE", .fd = -1 };
	int r = ask(t, &s, "", NULL, e);

	if (r < 0)
		talk_say(t, xasprintf("image %s stays on the server, not activated: %s",
				      t->uuid, e->msg));
	return r;
}

int publish_to_imgapi(struct talk *t, struct err *e)
{
	switch (t->step) {
	case PUBLISH_IMPORT:
		return import(t, e);
	case PUBLISH_FILE:
		return add_file(t, e);
	case PUBLISH_ACTIVATE:
		return activate(t, e);
	default:
		return take_back(t, e);
	}
}
