/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zstream.h"

#include "base/alloc.h"
#include "libformat/zfs/zstream_private.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

#define READ_AHEAD ((size_t)1 << 20)
#define MAGIC      0x2F5bacbacULL

#define BEGIN_PAYLOAD_MAX (1U << 20) /* properties in a list, which is not read */

enum { HEADER_SUBSTREAM = 1, HEADER_COMPOUND = 2 };

/* clang-format off */
static const struct {
	unsigned int bit;
	const char *refused; /* NULL: understood */
} features[] = {
	{ 0, NULL }, { 1, NULL }, { 2, NULL },	/* dedup, its properties, spill blocks */
	{ 16, NULL }, { 17, NULL },		/* embedded data, lz4 */
	{ 19, NULL },				/* large blocks */
	{ 20, "is the rest of one that was interrupted" },
	{ 21, NULL },				/* redacted: holes, as their sender wants it */
	{ 22, NULL }, { 23, NULL },		/* compressed, large dnodes */
	{ 24, "is raw, and its data may be encrypted: send it without -w" },
	{ 25, NULL }, { 26, NULL }, { 27, NULL }, /* zstd, holds, a switch to large blocks */
	{ 28, NULL }, { 29, NULL },		/* long names, large micro ZAPs */
};
/* clang-format on */

int zstream_bad(const struct zstream *z, int code, struct err *e, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, code, "the ZFS stream is bad at record %llu: %s",
		       (unsigned long long)z->records, text);
}

/* ---- bytes ---------------------------------------------------------------- */

/* At least N bytes in one piece, fewer at the end. */
static int fill(struct zstream *z, size_t n, struct err *e)
{
	if (z->len - z->at >= n)
		return 0;
	memmove(z->buf, z->buf + z->at, z->len - z->at);
	z->len -= z->at;
	z->at = 0;
	if (n > z->cap) {
		z->cap = n + READ_AHEAD;
		z->buf = xrealloc_array(z->buf, z->cap, 1);
	}
	while (z->len < n) {
		ssize_t got = image_input_read(z->in, z->buf + z->len, z->cap - z->len);

		if (got < 0)
			return err_sys(e, "cannot read the image");
		if (got == 0)
			break;
		z->len += (size_t)got;
	}
	return 0;
}

static void add_words(uint64_t sum[4], const unsigned char *p, size_t len, bool swap)
{
	uint64_t a = sum[0], b = sum[1], c = sum[2], d = sum[3];

	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint32_t w;

		memcpy(&w, p + i, sizeof(w));
		a += swap ? __builtin_bswap32(w) : w;
		b += a;
		c += b;
		d += c;
	}
	sum[0] = a;
	sum[1] = b;
	sum[2] = c;
	sum[3] = d;
}

void zstream_sum(bool big, uint64_t sum[4], const unsigned char *p, size_t len)
{
	/* Two loops, neither of which asks. */
	if (big)
		add_words(sum, p, len, true);
	else
		add_words(sum, p, len, false);
}

static void add_sum(struct zstream *z, const unsigned char *p, size_t len)
{
	zstream_sum(z->head.big, z->sum, p, len);
}

int zstream_payload(struct zstream *z, size_t len, const unsigned char **ret_bytes,
		    struct err *e)
{
	int r;

	if (len % 4)
		return zstream_bad(z, -EINVAL, e,
				   "%zu bytes of data, which is no whole number "
				   "of words",
				   len);
	r = fill(z, len, e);
	if (r < 0)
		return r;
	if (z->len - z->at < len)
		return zstream_bad(z, -EINVAL, e, "the stream ends inside of its data");
	*ret_bytes = z->buf + z->at;
	add_sum(z, *ret_bytes, len);
	z->at += len;
	return 0;
}

/* ---- framing -------------------------------------------------------------- */

static int check_features(const struct zstream *z, struct err *e)
{
	uint64_t left = z->features;

	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		uint64_t bit = 1ULL << features[i].bit;

		if ((left & bit) && features[i].refused)
			return err_set(e, -ENOTSUP, "the ZFS stream %s", features[i].refused);
		left &= ~bit;
	}
	return left ? err_set(e, -ENOTSUP,
			      "the ZFS stream uses features that are not known here "
			      "(%#llx)",
			      (unsigned long long)left)
		    : 0;
}

static int read_order(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t magic;

	memcpy(&magic, rec + 8, sizeof(magic));
	if (le64toh(magic) != MAGIC && be64toh(magic) != MAGIC)
		return zstream_bad(z, -EINVAL, e,
				   "it does not begin with the magic number of ZFS");
	z->head.big = be64toh(magic) == MAGIC;
	return 0;
}

/* The outer BEGIN of a stream of streams: properties, and an END at once. */
static int begin_compound(struct zstream *z, struct err *e)
{
	if (z->compound)
		return zstream_bad(z, -EINVAL, e, "a stream of streams in another");
	z->compound = true;
	return 0;
}

static int begin_snapshot(struct zstream *z, const unsigned char *rec, struct err *e)
{
	z->head.type = zrec_u32(z, rec, 32);
	z->head.toguid = zrec_u64(z, rec, 40);
	z->head.fromguid = zrec_u64(z, rec, 48);
	if (z->done)
		return err_set(e, -ENOTSUP,
			       "the ZFS stream has more than one snapshot: an image "
			       "is one");
	if (z->head.type != ZSTREAM_FILESYSTEM && z->head.type != ZSTREAM_ZVOL)
		return err_set(e, -ENOTSUP,
			       "the ZFS stream is neither of a file system nor of a "
			       "volume (type %u)",
			       z->head.type);
	return z->sink->ops->begin(z->sink->data, &z->head, e);
}

static int read_begin(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t version;
	const unsigned char *ignored;
	uint32_t len;
	int r = read_order(z, rec, e);

	if (r < 0)
		return r;
	memset(z->sum, 0, sizeof(z->sum));
	add_sum(z, rec, ZREC_SIZE);
	len = zrec_u32(z, rec, 4);
	version = zrec_u64(z, rec, 16);
	z->features = version >> 2;
	z->checked = false;
	z->begun = true;
	r = check_features(z, e);
	if (r < 0)
		return r;
	if (len > BEGIN_PAYLOAD_MAX)
		return zstream_bad(z, -ERANGE, e, "properties of %u bytes", len);
	if ((version & 3) == HEADER_COMPOUND)
		r = begin_compound(z, e);
	else if ((version & 3) == HEADER_SUBSTREAM)
		r = begin_snapshot(z, rec, e);
	else
		r = zstream_bad(z, -EINVAL, e, "a header of unknown kind");
	return r < 0 ? r : zstream_payload(z, len, &ignored, e);
}

static bool sum_is(const struct zstream *z, const unsigned char *at, const uint64_t sum[4])
{
	for (size_t i = 0; i < 4; i++)
		if (zrec_u64(z, at, 8 * i) != sum[i])
			return false;
	return true;
}

static bool is_zero(const unsigned char *p, size_t len)
{
	while (len > 0 && *p == 0)
		p++, len--;
	return len == 0;
}

/* What came before a record, and the record itself. */
static int check_sum(struct zstream *z, const unsigned char *rec, struct err *e)
{
	const unsigned char *sum = rec + ZREC_SUM_AT;

	memcpy(z->sum_before, z->sum, sizeof(z->sum));
	add_sum(z, rec, ZREC_SUM_AT);
	/* Old senders make none; a new one makes all of them. */
	if (is_zero(sum, ZREC_SUM_SIZE) && !z->checked) {
		add_sum(z, sum, ZREC_SUM_SIZE);
		return 0;
	}
	z->checked = true;
	if (!sum_is(z, sum, z->sum))
		return zstream_bad(z, -EBADMSG, e,
				   "the checksum is wrong: the stream is damaged "
				   "here, or in the data just before");
	add_sum(z, sum, ZREC_SUM_SIZE);
	return 0;
}

static int read_end(struct zstream *z, const unsigned char *rec, struct err *e)
{
	bool outer = z->compound && !z->head.type;

	if (!sum_is(z, rec + 8, z->sum_before))
		return zstream_bad(z, -EBADMSG, e, "the checksum of the whole stream is wrong");
	if (!outer && zrec_u64(z, rec, 40) != z->head.toguid)
		return zstream_bad(z, -EINVAL, e, "the end of another stream");
	z->begun = false;
	z->done = !outer;
	return 0;
}

/* 1 when the stream is over. */
static int read_record(struct zstream *z, struct err *e)
{
	unsigned char rec[ZREC_SIZE];
	uint32_t type;
	int r = fill(z, ZREC_SIZE, e);

	if (r < 0)
		return r;
	z->records++;
	if (z->len - z->at < ZREC_SIZE)
		return zstream_bad(z, -EINVAL, e, "the stream ends before its end record");
	memcpy(rec, z->buf + z->at, ZREC_SIZE);
	z->at += ZREC_SIZE;
	if (!z->begun && z->compound && z->done && zrec_u32(z, rec, 0) == ZREC_END)
		return 1;
	if (!z->begun) {
		/* The byte order shows in it. */
		if (!is_zero(rec, 4))
			return zstream_bad(z, -EINVAL, e,
					   "the first record does not begin a stream");
		return read_begin(z, rec, e);
	}
	type = zrec_u32(z, rec, 0);
	if (type >= ZREC_MAX_ || type == ZREC_BEGIN)
		return zstream_bad(z, -EINVAL, e, "an unexpected record (type %u)", type);
	if (z->compound && !z->head.type && type != ZREC_END)
		return zstream_bad(z, -EINVAL, e, "a record outside of a snapshot");
	r = check_sum(z, rec, e);
	if (r < 0)
		return r;
	if (type != ZREC_END)
		return zstream_record(z, rec, (enum zrec_type)type, e);
	r = read_end(z, rec, e);
	return r < 0 ? r : z->done && !z->compound;
}

int zstream_read(struct image_input *in, const struct zstream_sink *sink, struct err *e)
{
	struct zstream z = { .in = in, .sink = sink };
	int r;

	z.cap = READ_AHEAD;
	z.buf = xmalloc(z.cap);
	do
		r = read_record(&z, e);
	while (r == 0);
	if (r > 0)
		r = image_input_drain(in, e);
	free(z.buf);
	free(z.plain);
	return r;
}
