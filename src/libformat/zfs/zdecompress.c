/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zdecompress.h"

#include <endian.h>
#include <lz4.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define ZLE_LITERALS  64
#define LZJB_MATCH    3 /* the shortest */
#define LZJB_DISTANCE 0x3ff
#define ZSTD_HEADER   8 /* length, version and level */
#define ZSTD_MAGIC    4

/* The length that lz4 and zstd begin with; what comes after is padding. */
static bool take_length(const unsigned char *in, size_t in_len, size_t header, size_t *ret)
{
	uint32_t len;

	if (in_len < header)
		return false;
	memcpy(&len, in, sizeof(len));
	*ret = be32toh(len);
	return *ret <= in_len - header;
}

static bool plain_lz4(const unsigned char *in, size_t in_len, unsigned char *out,
		      size_t out_len)
{
	size_t len;

	return take_length(in, in_len, 4, &len) &&
	       LZ4_decompress_safe((const char *)in + 4, (char *)out, (int)len, (int)out_len) ==
		       (int)out_len;
}

/* The frame comes without its magic number; a stream decoder takes the two one by one. */
static bool plain_zstd(const unsigned char *in, size_t in_len, unsigned char *out,
		       size_t out_len)
{
	ZSTD_inBuffer magic = { "\x28\xb5\x2f\xfd", ZSTD_MAGIC, 0 };
	ZSTD_outBuffer plain = { out, out_len, 0 };
	ZSTD_inBuffer frame = { in + ZSTD_HEADER, 0, 0 };
	ZSTD_DStream *d;
	size_t r;

	if (!take_length(in, in_len, ZSTD_HEADER, &frame.size))
		return false;
	d = ZSTD_createDStream();
	if (!d)
		return false;
	(void)ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 25);
	r = ZSTD_decompressStream(d, &plain, &magic);
	while (!ZSTD_isError(r) && r != 0 && frame.pos < frame.size && plain.pos < out_len)
		r = ZSTD_decompressStream(d, &plain, &frame);
	(void)ZSTD_freeDStream(d);
	return !ZSTD_isError(r) && plain.pos == out_len;
}

static bool plain_gzip(const unsigned char *in, size_t in_len, unsigned char *out,
		       size_t out_len)
{
	uLongf len = (uLongf)out_len;

	return uncompress(out, &len, in, (uLong)in_len) == Z_OK && len == out_len;
}

static bool plain_zle(const unsigned char *in, size_t in_len, unsigned char *out,
		      size_t out_len)
{
	size_t i = 0, o = 0;

	while (i < in_len && o < out_len) {
		size_t n = in[i++];
		bool literal = n < ZLE_LITERALS;

		n = literal ? n + 1 : n - ZLE_LITERALS + 1;
		if (n > out_len - o || (literal && n > in_len - i))
			return false;
		if (literal)
			memcpy(out + o, in + i, n);
		else
			memset(out + o, 0, n);
		i += literal ? n : 0;
		o += n;
	}
	return o == out_len;
}

static bool plain_lzjb(const unsigned char *in, size_t in_len, unsigned char *out,
		       size_t out_len)
{
	unsigned int control = 0, bit = 8;
	size_t i = 0, o = 0;

	while (o < out_len) {
		size_t n, distance;

		if (bit == 8) {
			if (i == in_len)
				return false;
			control = in[i++];
			bit = 0;
		}
		if (!(control >> bit++ & 1)) {
			if (i == in_len)
				return false;
			out[o++] = in[i++];
			continue;
		}
		if (in_len - i < 2)
			return false;
		n = (in[i] >> 2) + LZJB_MATCH;
		distance = ((size_t)in[i] << 8 | in[i + 1]) & LZJB_DISTANCE;
		i += 2;
		if (distance == 0 || distance > o)
			return false;
		for (; n > 0 && o < out_len; n--, o++)
			out[o] = out[o - distance];
	}
	return true;
}

int zdecompress(unsigned int how, const unsigned char *in, size_t in_len, unsigned char *out,
		size_t out_len, struct err *e)
{
	bool good;

	if (how == ZCOMPRESS_LZJB)
		good = plain_lzjb(in, in_len, out, out_len);
	else if (how >= ZCOMPRESS_GZIP_1 && how <= ZCOMPRESS_GZIP_9)
		good = plain_gzip(in, in_len, out, out_len);
	else if (how == ZCOMPRESS_ZLE)
		good = plain_zle(in, in_len, out, out_len);
	else if (how == ZCOMPRESS_LZ4)
		good = plain_lz4(in, in_len, out, out_len);
	else if (how == ZCOMPRESS_ZSTD)
		good = plain_zstd(in, in_len, out, out_len);
	else
		return err_set(e, -EINVAL, "unknown compression %u", how);
	return good ? 0 : err_set(e, -EINVAL, "the compressed data is damaged");
}
