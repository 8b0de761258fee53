/* SPDX-License-Identifier: MIT */
#include "libvm/frames.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libdigest/digest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SIZE  16
#define FRAME_SIZE 12

static const char magic[8] = { 'D', 'A', 'I', 'S', 'V', 'M', '\r', '\n' };

static const char kinds[FRAME_KIND_MAX_][5] = { "HEAD", "STRM", "DATA", "ENDS", "TAIL" };

struct frames {
	int fd;
	bool begun;
	uint64_t bytes;
	struct digest *digest;
	uint8_t *data; /* of the frame that was read last */
	size_t room;
};

static struct frames *frames_new(int fd)
{
	struct frames *f = xcalloc(1, sizeof(*f));

	f->fd = fd;
	f->digest = digest_new(DIGEST_SHA256);
	return f;
}

struct frames *frames_writer(int fd)
{
	return frames_new(fd);
}

struct frames *frames_reader(int fd)
{
	return frames_new(fd);
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	digest_free(f->digest);
	free(f->data);
	free(f);
}

void frames_free_p(struct frames **f)
{
	frames_free(*f);
	*f = NULL;
}

uint64_t frames_bytes(const struct frames *f)
{
	return f->bytes;
}

static void put_number(uint8_t *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(n >> (8 * i));
}

static uint32_t get_number(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint32_t frame_crc(const uint8_t *head, const void *data, size_t len)
{
	uint32_t crc = crc32c(~0U, head, 8);

	return ~crc32c(crc, data, len);
}

static size_t room_of(enum frame_kind kind)
{
	return kind == FRAME_HEAD ? FRAME_HEADER_MAX : FRAME_MAX;
}

/* ---- writing ------------------------------------------------------------------- */

static int put_bytes(struct frames *f, const void *data, size_t len, struct err *e)
{
	int r = file_write_fd(f->fd, data, len);

	if (r < 0)
		return err_set(e, r, "cannot write the stream: %s", strerrordesc_np(-r));
	digest_add(f->digest, data, len);
	f->bytes += len;
	return 0;
}

static int put_head(struct frames *f, struct err *e)
{
	uint8_t head[HEAD_SIZE] = { 0 };

	memcpy(head, magic, sizeof(magic));
	put_number(head + sizeof(magic), FRAMES_VERSION);
	f->begun = true;
	return put_bytes(f, head, sizeof(head), e);
}

int frames_put(struct frames *f, enum frame_kind kind, const void *data, size_t len,
	       struct err *e)
{
	uint8_t head[FRAME_SIZE];
	int r = f->begun ? 0 : put_head(f, e);

	if (r == 0 && len > room_of(kind))
		r = err_set(e, -EFBIG, "%zu bytes are too many for a frame", len);
	if (r < 0)
		return r;
	memcpy(head, kinds[kind], 4);
	put_number(head + 4, (uint32_t)len);
	put_number(head + 8, frame_crc(head, data, len));
	r = put_bytes(f, head, sizeof(head), e);
	return r < 0 ? r : put_bytes(f, data, len, e);
}

int frames_put_json(struct frames *f, enum frame_kind kind, const struct jv *object,
		    struct err *e)
{
	cleanup_free char *text = jv_dump(object, 0);

	return frames_put(f, kind, text, strlen(text), e);
}

int frames_put_tail(struct frames *f, struct err *e)
{
	cleanup_jv struct jv *tail = jv_object();
	char hex[DIGEST_HEX_MAX];

	digest_hex(f->digest, hex);
	digest_free(f->digest);
	f->digest = digest_new(DIGEST_SHA256);
	jv_set(tail, "sha256", jv_string(hex));
	return frames_put_json(f, FRAME_TAIL, tail, e);
}

/* ---- reading ------------------------------------------------------------------- */

static int get_bytes(struct frames *f, uint8_t *data, size_t len, struct err *e)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(f->fd, data + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the stream");
		if (n == 0)
			return err_set(e, -EPIPE,
				       "the stream ends after %llu bytes, before its "
				       "end",
				       (unsigned long long)(f->bytes + have));
		have += (size_t)n;
	}
	f->bytes += len;
	return 0;
}

static int get_head(struct frames *f, struct err *e)
{
	uint8_t head[HEAD_SIZE];
	int r = get_bytes(f, head, sizeof(head), e);

	if (r < 0)
		return r;
	if (memcmp(head, magic, sizeof(magic)) != 0)
		return err_set(e, -EBADMSG, "this is not what 'vmadm send' writes");
	if (get_number(head + sizeof(magic)) != FRAMES_VERSION)
		return err_set(e, -EBADMSG, "a stream of version %u; version %d is known",
			       get_number(head + sizeof(magic)), FRAMES_VERSION);
	digest_add(f->digest, head, sizeof(head));
	f->begun = true;
	return 0;
}

static int take_kind(const struct frames *f, const uint8_t *head, enum frame_kind *ret,
		     struct err *e)
{
	for (enum frame_kind k = 0; k < FRAME_KIND_MAX_; k++)
		if (memcmp(head, kinds[k], 4) == 0) {
			*ret = k;
			return 0;
		}
	return err_set(e, -EBADMSG, "byte %llu of the stream: no frame begins here",
		       (unsigned long long)(f->bytes - FRAME_SIZE));
}

/* The TAIL is not in what it sums up. */
static int check_tail(struct frames *f, const uint8_t *data, size_t len, struct err *e)
{
	cleanup_jv struct jv *tail = NULL;
	char hex[DIGEST_HEX_MAX];
	const char *told;
	int r = jv_parse((const char *)data, len, "TAIL", &tail, e);

	if (r < 0)
		return r;
	digest_hex(f->digest, hex);
	digest_free(f->digest);
	f->digest = digest_new(DIGEST_SHA256);
	told = jv_get_string(tail, "sha256");
	if (!told || strcmp(told, hex) != 0)
		return err_set(e, -EBADMSG, "the SHA-256 of the whole stream is wrong");
	return 0;
}

int frames_get(struct frames *f, enum frame_kind *ret_kind, const uint8_t **ret_data,
	       size_t *ret_len, struct err *e)
{
	uint8_t head[FRAME_SIZE];
	enum frame_kind kind = 0;
	size_t len;
	int r = f->begun ? 0 : get_head(f, e);

	if (r == 0)
		r = get_bytes(f, head, sizeof(head), e);
	if (r == 0)
		r = take_kind(f, head, &kind, e);
	if (r < 0)
		return r;
	len = get_number(head + 4);
	if (len > room_of(kind))
		return err_set(e, -EBADMSG, "a %s frame of %zu bytes", kinds[kind], len);
	if (len + 1 > f->room) {
		f->data = xrealloc_array(f->data, len + 1, 1);
		f->room = len + 1;
	}
	r = get_bytes(f, f->data, len, e);
	if (r < 0)
		return r;
	f->data[len] = '\0';
	if (frame_crc(head, f->data, len) != get_number(head + 8))
		return err_set(e, -EBADMSG,
			       "byte %llu of the stream: the checksum of a %s frame "
			       "is wrong",
			       (unsigned long long)(f->bytes - len - FRAME_SIZE), kinds[kind]);
	if (kind == FRAME_TAIL)
		r = check_tail(f, f->data, len, e);
	else
		digest_add(f->digest, head, sizeof(head));
	if (kind != FRAME_TAIL)
		digest_add(f->digest, f->data, len);
	if (r < 0)
		return r;
	*ret_kind = kind;
	*ret_data = f->data;
	*ret_len = len;
	return 0;
}

int frames_get_json(struct frames *f, enum frame_kind kind, struct jv **ret_object,
		    struct err *e)
{
	cleanup_jv struct jv *object = NULL;
	enum frame_kind got;
	const uint8_t *data;
	size_t len;
	int r = frames_get(f, &got, &data, &len, e);

	if (r < 0)
		return r;
	if (got != kind)
		return err_set(e, -EBADMSG, "a %s frame in the place of %s", kinds[got],
			       kinds[kind]);
	r = jv_parse((const char *)data, len, kinds[kind], &object, e);
	if (r < 0)
		return r;
	if (jv_type(object) != JV_OBJECT)
		return err_set(e, -EBADMSG, "a %s frame without an object", kinds[kind]);
	*ret_object = take_ptr(object);
	return 0;
}
