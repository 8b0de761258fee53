/* SPDX-License-Identifier: MIT */
/*
 * btrfs_encoded.c - what a file system sent as it has it: compressed extents, of version 2.
 *
 *	an extent, unpacked:  |<------------- unencoded_len, at most 128 KiB ------------->|
 *	                               |<-- unencoded_file_len -->| goes to the file
 *	                      |<------>| unencoded_offset
 *
 * The data may end with the rest of a sector. What it unpacks to may be shorter than the
 * extent: the rest is zeros.
 */
#include "libformat/btrfs/btrfs_private.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN = 0, ZLIB = 1, ZSTD = 2, LZO_FIRST = 3, LZO_LAST = 7 };

static bool unzlib(const struct stream_value *in, uint8_t *out, size_t len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in->data,
		       .avail_in = (uInt)in->len,
		       .next_out = out,
		       .avail_out = (uInt)len };
	int r;

	if (inflateInit(&z) != Z_OK)
		return false;
	r = inflate(&z, Z_FINISH);
	(void)inflateEnd(&z);
	return r == Z_STREAM_END;
}

static bool unzstd(const struct stream_value *in, uint8_t *out, size_t len)
{
	ZSTD_inBuffer from = { in->data, in->len, 0 };
	ZSTD_outBuffer to = { out, len, 0 };
	ZSTD_DStream *d = ZSTD_createDStream();
	size_t r = 1;

	if (!d)
		return false;
	(void)ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 20);
	while (r != 0 && !ZSTD_isError(r)) {
		size_t was_in = from.pos, was_out = to.pos;

		r = ZSTD_decompressStream(d, &to, &from);
		if (from.pos == was_in && to.pos == was_out)
			break;
	}
	(void)ZSTD_freeDStream(d);
	return r == 0;
}

static int unpack(const struct stream_cmd *c, uint64_t how, uint8_t *out, size_t len,
		  struct err *e)
{
	const struct stream_value *in = &c->attrs[ATTR_DATA];
	bool good;

	if (how >= LZO_FIRST && how <= LZO_LAST)
		return err_set(e, -ENOTSUP,
			       "it has data that LZO compressed: 'btrfs send' without "
			       "--compressed-data sends it plain");
	if (how == PLAIN) {
		good = in->len <= len;
		if (good)
			memcpy(out, in->data, in->len);
	} else {
		good = how == ZLIB ? unzlib(in, out, len) : how == ZSTD && unzstd(in, out, len);
	}
	return good ? 0
		    : err_set(e, -EINVAL, "a compressed extent (kind %llu) is damaged",
			      (unsigned long long)how);
}

static int number_or_zero(const struct stream_cmd *c, enum stream_attr attr, uint64_t *ret,
			  struct err *e)
{
	*ret = 0;
	return c->attrs[attr].data ? stream_number(c, attr, ret, e) : 0;
}

int btrfs_decode(struct stream_cmd *c, uint8_t *buf, struct err *e)
{
	uint64_t len, whole, offset, how, encryption;
	int r = stream_number(c, ATTR_UNENCODED_FILE_LEN, &len, e);

	if (r == 0)
		r = stream_number(c, ATTR_UNENCODED_LEN, &whole, e);
	if (r == 0)
		r = stream_number(c, ATTR_UNENCODED_OFFSET, &offset, e);
	if (r == 0)
		r = number_or_zero(c, ATTR_COMPRESSION, &how, e);
	if (r == 0)
		r = number_or_zero(c, ATTR_ENCRYPTION, &encryption, e);
	if (r < 0)
		return r;
	if (encryption)
		return err_set(e, -ENOTSUP, "it has encrypted data");
	if (!c->attrs[ATTR_DATA].data || whole > BTRFS_ENCODED_MAX || offset > whole ||
	    len > whole - offset)
		return err_set(e, -EINVAL, "a compressed extent's lengths do not fit");
	memset(buf, 0, BTRFS_ENCODED_MAX);
	r = unpack(c, how, buf, (size_t)whole, e);
	c->command = STREAM_WRITE;
	c->attrs[ATTR_DATA] = (struct stream_value){ buf + offset, (size_t)len };
	return r;
}
