/* SPDX-License-Identifier: MIT */
#include "libformat/squashfs/squashfs_private.h"

#include "base/macro.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define XZ_MEMORY ((uint64_t)64 << 20)

enum { GZIP = 1, LZMA, LZO, XZ, LZ4, ZSTD };

static bool unpack_gzip(const unsigned char *in, size_t in_len, unsigned char *out, size_t cap,
			size_t *ret_len)
{
	uLongf len = (uLongf)cap;

	if (uncompress(out, &len, in, (uLong)in_len) != Z_OK)
		return false;
	*ret_len = len;
	return true;
}

static bool unpack_xz(const unsigned char *in, size_t in_len, unsigned char *out, size_t cap,
		      size_t *ret_len)
{
	uint64_t memory = XZ_MEMORY;
	size_t at = 0;

	*ret_len = 0;
	return lzma_stream_buffer_decode(&memory, 0, NULL, in, &at, in_len, out, ret_len,
					 cap) == LZMA_OK;
}

static bool unpack_lz4(const unsigned char *in, size_t in_len, unsigned char *out, size_t cap,
		       size_t *ret_len)
{
	int n = LZ4_decompress_safe((const char *)in, (char *)out, (int)in_len, (int)cap);

	*ret_len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool unpack_zstd(const unsigned char *in, size_t in_len, unsigned char *out, size_t cap,
			size_t *ret_len)
{
	*ret_len = ZSTD_decompress(out, cap, in, in_len);
	return !ZSTD_isError(*ret_len);
}

static const struct {
	const char *name;
	bool (*unpack)(const unsigned char *in, size_t in_len, unsigned char *out, size_t cap,
		       size_t *ret_len);
} hows[] = {
	[GZIP] = { "gzip", unpack_gzip }, [LZMA] = { "lzma", NULL },
	[LZO] = { "lzo", NULL },          [XZ] = { "xz", unpack_xz },
	[LZ4] = { "lz4", unpack_lz4 },    [ZSTD] = { "zstd", unpack_zstd },
};

const char *squash_how_name(unsigned int how)
{
	return how < ARRAY_SIZE(hows) ? hows[how].name : NULL;
}

bool squash_can_unpack(unsigned int how)
{
	return how < ARRAY_SIZE(hows) && hows[how].unpack;
}

bool squash_unpack(unsigned int how, const unsigned char *in, size_t in_len, unsigned char *out,
		   size_t cap, size_t *ret_len)
{
	return hows[how].unpack(in, in_len, out, cap, ret_len);
}
