/* SPDX-License-Identifier: MIT */
/*
 * answer.c - the two versions of the protocol, one line at a time.
 *
 *	GET key, KEYS, NEGOTIATE V2			version 1: reading only
 *	V2 LENGTH CRC ID VERB BASE64			version 2: PUT and DELETE too
 */
#include "libmdata/mdata.h"

#include "base/alloc.h"
#include "libmdata/base64.h"
#include "libmdata/private.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The line without blanks at its end: those, and a carriage return, mean nothing. */
static size_t trimmed(const char *line, size_t len)
{
	while (len > 0 && is_blank(line[len - 1]))
		len--;
	return len;
}

/* ---- version 1 ----------------------------------------------------------------- */

/* A line that begins with a dot gets another: one dot alone is the end. */
static void add_stuffed(struct buf *out, const char *text, size_t len)
{
	buf_adds(out, "SUCCESS\n");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && (i == 0 || text[i - 1] == '\n'))
			buf_addc(out, '.');
		buf_addc(out, text[i]);
	}
	buf_adds(out, "\n.\n");
}

static void get_v1(const struct jv *vm, const char *rest, size_t len, struct buf *out)
{
	cleanup_free char *key = NULL;
	cleanup_buf struct buf text = BUF_INIT;

	for (; len > 0 && is_blank(*rest); len--)
		rest++;
	/* Behind a zero byte nothing is seen, and no key has one. */
	key = memchr(rest, '\0', len) ? xstrdup("") : xstrndup(rest, len);
	switch (mdata_get(vm, key, &text)) {
	case MDATA_FOUND:
		add_stuffed(out, buf_str(&text), text.len);
		break;
	case MDATA_NOTFOUND:
		buf_adds(out, "NOTFOUND\n");
		break;
	case MDATA_NO_TEXT:
		buf_adds(out, "FAILURE\n");
		break;
	}
}

static bool is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static enum mdata_kind answer_v1(const struct mdata_source *source, const char *line,
				 size_t verb, const char *rest, size_t len, struct buf *out)
{
	cleanup_buf struct buf keys = BUF_INIT;
	bool get = is(line, verb, "GET"), negotiate = is(line, verb, "NEGOTIATE");
	const struct jv *vm = NULL;

	if ((get || negotiate) && len == 0) {
		buf_adds(out, "invalid command\n");
	} else if (negotiate) {
		buf_adds(out, is(rest, len, "V2") ? "V2_OK\n" : "FAILURE\n");
	} else if (get || is(line, verb, "KEYS")) {
		vm = source->vm(source->data, NULL);
		if (!vm) {
			buf_adds(out, "FAILURE\n");
		} else if (get) {
			get_v1(vm, rest, len, out);
		} else {
			mdata_keys(vm, &keys);
			add_stuffed(out, buf_str(&keys), keys.len);
		}
	} else {
		buf_adds(out, "FAILURE\n");
	}
	return MDATA_READ;
}

/* ---- version 2 ----------------------------------------------------------------- */

static void success(struct buf *out, const struct mdata_frame *f, const struct buf *text)
{
	mdata_frame_add(out, f->id, "SUCCESS", buf_str(text), text->len);
}

static void failure(struct buf *out, const struct mdata_frame *f, const char *message)
{
	mdata_frame_add(out, f->id, "FAILURE", message, strlen(message));
}

static enum mdata_kind get_v2(const struct mdata_source *source, const struct mdata_frame *f,
			      struct buf *out)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err e = { 0 };
	const struct jv *vm;

	if (f->payload.len == 0)
		return MDATA_NOTHING;
	vm = source->vm(source->data, &e);
	if (!vm) {
		failure(out, f, e.msg);
		return MDATA_READ;
	}
	switch (memchr(f->payload.data, '\0', f->payload.len)
			? MDATA_NOTFOUND
			: mdata_get(vm, f->payload.data, &text)) {
	case MDATA_FOUND:
		success(out, f, &text);
		break;
	case MDATA_NOTFOUND:
		mdata_frame_add(out, f->id, "NOTFOUND", NULL, 0);
		break;
	case MDATA_NO_TEXT:
		failure(out, f, "");
		break;
	}
	return MDATA_READ;
}

static enum mdata_kind keys_v2(const struct mdata_source *source, const struct mdata_frame *f,
			       struct buf *out)
{
	cleanup_buf struct buf keys = BUF_INIT;
	struct err e = { 0 };
	const struct jv *vm = source->vm(source->data, &e);

	if (!vm) {
		failure(out, f, e.msg);
		return MDATA_READ;
	}
	mdata_keys(vm, &keys);
	success(out, f, &keys);
	return MDATA_READ;
}

static enum mdata_kind change(const struct mdata_source *source, const struct mdata_frame *f,
			      const char *key, const char *value, struct buf *out)
{
	struct err e = { 0 };

	if (source->change(source->data, key, value, &e) < 0)
		failure(out, f, e.msg);
	else
		mdata_frame_add(out, f->id, "SUCCESS", "OK", 2);
	return MDATA_WRITE;
}

static enum mdata_kind delete_v2(const struct mdata_source *source, const struct mdata_frame *f,
				 struct buf *out)
{
	if (f->payload.len == 0)
		return MDATA_NOTHING;
	/* A key with a zero byte cannot be there, and is none that we could name. */
	if (memchr(f->payload.data, '\0', f->payload.len)) {
		mdata_frame_add(out, f->id, "SUCCESS", "OK", 2);
		return MDATA_READ;
	}
	return change(source, f, f->payload.data, NULL, out);
}

/* A word of a PUT, decoded; false: nothing is left of it, or it has a zero byte. */
static bool take_word(const char *text, size_t len, struct buf *ret_word)
{
	base64_decode(ret_word, text, len);
	return ret_word->len > 0 && !memchr(ret_word->data, '\0', ret_word->len);
}

/* The payload is again two words in base64, with one blank between them. */
static enum mdata_kind put_v2(const struct mdata_source *source, const struct mdata_frame *f,
			      struct buf *out)
{
	cleanup_buf struct buf key = BUF_INIT, value = BUF_INIT;
	const char *text = buf_str(&f->payload);
	const char *blank = memchr(text, ' ', f->payload.len);
	const char *end = text + f->payload.len;

	if (!blank || memchr(blank + 1, ' ', (size_t)(end - blank - 1)) ||
	    !take_word(text, (size_t)(blank - text), &key) ||
	    !take_word(blank + 1, (size_t)(end - blank - 1), &value)) {
		failure(out, f, "Invalid PUT Request");
		return MDATA_READ;
	}
	return change(source, f, key.data, value.data, out);
}

static const struct {
	const char *verb;
	enum mdata_kind (*answer)(const struct mdata_source *source,
				  const struct mdata_frame *f, struct buf *out);
} verbs[] = {
	{ "GET", get_v2 },
	{ "KEYS", keys_v2 },
	{ "PUT", put_v2 },
	{ "DELETE", delete_v2 },
};

static enum mdata_kind answer_v2(const struct mdata_source *source, const char *text,
				 size_t len, struct buf *out)
{
	cleanup_frame struct mdata_frame f = { .payload = BUF_INIT };
	cleanup_free char *message = NULL;

	if (!mdata_frame_parse(text, len, &f))
		return MDATA_NOTHING;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(f.verb, verbs[i].verb) == 0)
			return verbs[i].answer(source, &f, out);
	message = xasprintf("Unknown command %s", f.verb);
	failure(out, &f, message);
	return MDATA_READ;
}

enum mdata_kind mdata_answer(const struct mdata_source *source, const char *line, size_t len,
			     struct buf *out)
{
	size_t verb = 0;
	const char *rest;

	len = trimmed(line, len);
	while (verb < len && !is_blank(line[verb]))
		verb++;
	if (verb == 0) {
		buf_adds(out, "invalid command\n");
		return MDATA_READ;
	}
	if (is(line, verb, "V2"))
		return answer_v2(source, line + verb, len - verb, out);
	rest = line + verb + (verb < len);
	return answer_v1(source, line, verb, rest, len - (size_t)(rest - line), out);
}
