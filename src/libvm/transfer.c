/* SPDX-License-Identifier: MIT */
#include "libvm/transfer.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <stdio.h>
#include <string.h>

#define NS INT64_C(1000000000)

static const char *const fs_names[STORE_FS_MAX_] = { "root", "data" };

void transfer_done(struct transfer *t)
{
	free(t->streams);
	*t = (struct transfer){ .count = 0 };
}

/* Whole seconds, and what is left: a number of JSON holds not all of it at once. */
static void put_time(struct jv *o, int64_t ns)
{
	jv_set(o, "created_at", jv_int(ns / NS));
	jv_set(o, "created_ns", jv_int(ns % NS));
}

/* -1: it is no time. */
static int64_t take_time(const struct jv *o)
{
	int64_t s = jv_get_int(o, "created_at", 0), ns = jv_get_int(o, "created_ns", 0);

	return s < 0 || s > INT64_MAX / NS - 1 || ns < 0 || ns >= NS ? -1 : s * NS + ns;
}

static struct jv *stream_to_json(const struct transfer *t, const struct transfer_stream *s)
{
	struct jv *o = jv_object();

	jv_set(o, "fs", jv_string(fs_names[s->fs]));
	jv_set(o, "snapshot", *s->snapshot ? jv_string(s->snapshot) : jv_null());
	put_time(o, s->created_ns);
	if (s->has_after)
		jv_set(o, "after", jv_int((int64_t)s->after));
	if (s->has_base)
		jv_set(o, "base", jv_string(t->from));
	return o;
}

struct jv *transfer_to_json(const struct transfer *t)
{
	struct jv *head = jv_object(), *streams = jv_array();

	jv_set(head, "id", jv_string(t->id));
	jv_set(head, "uuid", jv_string(t->vm));
	jv_set(head, "incremental_from", *t->from ? jv_string(t->from) : jv_null());
	if (*t->from) {
		struct jv *made = jv_object();

		put_time(made, t->from_ns);
		jv_set(head, "incremental_from_made", made);
	}
	for (size_t i = 0; i < t->count; i++)
		jv_push(streams, stream_to_json(t, &t->streams[i]));
	jv_set(head, "streams", streams);
	return head;
}

static int bad(size_t i, const char *member, const char *why, struct err *e)
{
	return err_set(e, -EBADMSG, "/streams/%zu/%s: %s", i, member, why);
}

static int take_fs(const struct jv *o, size_t i, struct transfer_stream *s, struct err *e)
{
	const char *name = jv_get_string(o, "fs");

	for (enum store_fs fs = 0; fs < STORE_FS_MAX_; fs++)
		if (name && strcmp(name, fs_names[fs]) == 0) {
			s->fs = fs;
			return 0;
		}
	return bad(i, "fs", "is neither 'root' nor 'data'", e);
}

static int take_origin(const struct jv *o, const struct transfer *t, size_t i,
		       struct transfer_stream *s, struct err *e)
{
	const char *base = jv_get_string(o, "base");
	int64_t after = jv_get_int(o, "after", -1);

	if (jv_get(o, "after")) {
		if (after < 0 || (uint64_t)after >= i || t->streams[after].fs != s->fs)
			return bad(i, "after", "is no earlier stream of the same kind", e);
		s->has_after = true;
		s->after = (size_t)after;
	} else if (base) {
		if (!*t->from || strcmp(base, t->from) != 0)
			return bad(i, "base", "is not what the stream is incremental from", e);
		s->has_base = true;
	}
	return 0;
}

/* SEEN has "FS NAME" of those before; a second of one would replace the first. */
static int take_stream(const struct jv *o, const struct transfer *t, size_t i, struct jv *seen,
		       struct transfer_stream *s, struct err *e)
{
	const char *snapshot = jv_get_string(o, "snapshot");
	cleanup_free char *key = NULL;
	int r;

	*s = (struct transfer_stream){ .created_ns = take_time(o) };
	r = take_fs(o, i, s, e);
	if (r == 0)
		r = take_origin(o, t, i, s, e);
	if (r < 0)
		return r;
	if (snapshot && !store_snapshot_name_is_valid(snapshot))
		return bad(i, "snapshot", "is no name", e);
	if (s->created_ns < 0)
		return bad(i, "created_at", "is no time", e);
	(void)snprintf(s->snapshot, sizeof(s->snapshot), "%s", snapshot ? snapshot : "");
	key = xasprintf("%s %s", fs_names[s->fs], s->snapshot);
	if (jv_get(seen, key))
		return bad(i, "snapshot", "is there twice", e);
	jv_set(seen, key, jv_bool(true));
	return 0;
}

static int take_streams(const struct jv *list, struct transfer *t, struct err *e)
{
	cleanup_jv struct jv *seen = jv_object();
	int r = 0;

	if (jv_type(list) != JV_ARRAY || jv_len(list) == 0 ||
	    jv_len(list) > TRANSFER_STREAMS_MAX)
		return err_set(e, -EBADMSG, "/streams: must be an array of 1 to %d",
			       TRANSFER_STREAMS_MAX);
	t->streams = xcalloc(jv_len(list), sizeof(*t->streams));
	for (size_t i = 0; r == 0 && i < jv_len(list); i++) {
		r = take_stream(jv_at(list, i), t, i, seen, &t->streams[i], e);
		t->count = i + 1;
	}
	if (r == 0 && !jv_get(seen, "root "))
		r = err_set(e, -EBADMSG, "/streams: none is the root as it is");
	return r;
}

int transfer_from_json(const struct jv *head, struct transfer *ret, struct err *e)
{
	const char *id = jv_get_string(head, "id"), *vm = jv_get_string(head, "uuid");
	const char *from = jv_get_string(head, "incremental_from");
	cleanup_transfer struct transfer t = { .count = 0 };
	int r;

	if (!id || !uuid_is_valid(id))
		return err_set(e, -EBADMSG, "/id: is no UUID");
	if (!vm || !uuid_is_valid(vm))
		return err_set(e, -EBADMSG, "/uuid: is no UUID");
	if (from && !store_snapshot_name_is_valid(from))
		return err_set(e, -EBADMSG, "/incremental_from: is no name of a snapshot");
	t.from_ns = from ? take_time(jv_get(head, "incremental_from_made")) : 0;
	if (t.from_ns < 0)
		return err_set(e, -EBADMSG, "/incremental_from_made: is no time");
	(void)snprintf(t.id, sizeof(t.id), "%.36s", id);
	(void)snprintf(t.vm, sizeof(t.vm), "%.36s", vm);
	(void)snprintf(t.from, sizeof(t.from), "%s", from ? from : "");
	r = take_streams(jv_get(head, "streams"), &t, e);
	if (r < 0)
		return r;
	*ret = t;
	t = (struct transfer){ .count = 0 };
	return 0;
}

/* ---- tokens --------------------------------------------------------------------- */

static bool is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text) && strlen(text) == 64;
}

int transfer_token_parse(const char *token, char ret_id[static UUID_STR],
			 struct transfer_point *ret, struct err *e)
{
	struct transfer_point p = { .index = 0 };
	unsigned long long index, offset;
	char id[UUID_STR], chain[80] = "";
	int n = 0;

	/* scanf takes signs and blanks for parts of a number. */
	if (strlen(token) < UUID_LEN ||
	    strspn(token + UUID_LEN, ":0123456789abcdef") != strlen(token + UUID_LEN) ||
	    sscanf(token, "%36[0-9a-f-]:%5llu:%19llu:%64[0-9a-f]%n", id, &index, &offset, chain,
		   &n) < 3 ||
	    (n == 0 && offset != 0) || (n && token[n]) || !uuid_is_valid(id) ||
	    (offset && !is_hex(chain)))
		return err_set(e, -EINVAL,
			       "'%s' is no token; 'vmadm receive' prints it when it is cut off",
			       token);
	p.index = index;
	p.offset = offset;
	if (offset)
		(void)snprintf(p.chain, sizeof(p.chain), "%.64s", chain);
	(void)snprintf(ret_id, UUID_STR, "%s", id);
	*ret = p;
	return 0;
}

char *transfer_token(const char *id, const struct transfer_point *p)
{
	return xasprintf("%s:%zu:%llu:%s", id, p->index, (unsigned long long)p->offset,
			 p->offset ? p->chain : "");
}

void transfer_chain(struct transfer_point *p, const void *piece, size_t len)
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);

	digest_add(d, p->chain, strlen(p->chain));
	digest_add(d, piece, len);
	digest_hex(d, p->chain);
	p->offset += len;
}
