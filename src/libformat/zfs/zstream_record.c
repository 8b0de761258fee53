/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zstream_private.h"

#include "base/alloc.h"
#include "libformat/zfs/zdecompress.h"

#define SECTOR       512U
#define BLOCK_USUAL  (128U << 10)
#define SLOTS_MAX    32U
#define DNODE_CORE   192U /* what of a dnode's slots is not bonus */
#define EMBEDDED_MAX 112U
#define OBJECT_SPILL 4U
#define SPILL_SAME   4U
#define OFFSET_MAX   ((uint64_t)INT64_MAX)

static int check_object(const struct zstream *z, uint64_t object, struct err *e)
{
	if (object >= 1 && object <= ZSTREAM_OBJECT_MAX)
		return 0;
	return zstream_bad(z, -EINVAL, e, "object %#llx is out of range",
			   (unsigned long long)object);
}

static int check_range(const struct zstream *z, uint64_t offset, uint64_t len, struct err *e)
{
	if (offset <= OFFSET_MAX && len <= OFFSET_MAX - offset)
		return 0;
	return zstream_bad(z, -EINVAL, e,
			   "offset %#llx and length %#llx are too large together",
			   (unsigned long long)offset, (unsigned long long)len);
}

static int check_block(const struct zstream *z, uint64_t size, struct err *e)
{
	uint64_t max = z->features & ZFEATURE_LARGE_BLOCK ? ZSTREAM_BLOCK_MAX : BLOCK_USUAL;

	if (size >= SECTOR && size <= max)
		return 0;
	return zstream_bad(z, -ERANGE, e, "a block of %llu bytes is not within %u to %llu",
			   (unsigned long long)size, SECTOR, (unsigned long long)max);
}

static bool is_plain(unsigned int how)
{
	return how == ZCOMPRESS_NONE || how == ZCOMPRESS_OFF;
}

/* May a block be compressed in this way? */
static int check_compression(const struct zstream *z, unsigned int how, struct err *e)
{
	if (how == ZCOMPRESS_LZ4 && !(z->features & ZFEATURE_LZ4))
		return zstream_bad(z, -EINVAL, e, "lz4 in a stream that says it has none");
	if (how == ZCOMPRESS_ZSTD && !(z->features & ZFEATURE_ZSTD))
		return zstream_bad(z, -EINVAL, e, "zstd in a stream that says it has none");
	if (how > ZCOMPRESS_ZSTD || how < ZCOMPRESS_LZJB || how == 4)
		return zstream_bad(z, -EINVAL, e, "unknown compression %u", how);
	return 0;
}

static int unpack(struct zstream *z, unsigned int how, const unsigned char *in, size_t in_len,
		  size_t out_len, struct err *e)
{
	struct err why;

	if (out_len > z->plain_cap) {
		z->plain = xrealloc_array(z->plain, out_len, 1);
		z->plain_cap = out_len;
	}
	if (zdecompress(how, in, in_len, z->plain, out_len, &why) < 0)
		return zstream_bad(z, -EINVAL, e, "%s", why.msg);
	return 0;
}

/* A payload of LEN bytes that are to be SIZE, compressed or not. */
static int take_block(struct zstream *z, unsigned int how, uint64_t len, uint64_t size,
		      const unsigned char **ret, struct err *e)
{
	int r;

	if (how == 0)
		return zstream_payload(z, size, ret, e);
	if (!(z->features & ZFEATURE_COMPRESSED))
		return zstream_bad(z, -EINVAL, e,
				   "compressed data in a stream that says it has "
				   "none");
	if (len == 0 || len > size)
		return zstream_bad(z, -EINVAL, e, "%llu compressed bytes for %llu",
				   (unsigned long long)len, (unsigned long long)size);
	if (how == ZCOMPRESS_OFF)
		return len == size ? zstream_payload(z, size, ret, e)
				   : zstream_bad(z, -EINVAL, e, "plain data of another length");
	r = check_compression(z, how, e);
	if (r == 0)
		r = zstream_payload(z, len, ret, e);
	if (r == 0)
		r = unpack(z, how, *ret, len, size, e);
	if (r == 0)
		*ret = z->plain;
	return r;
}

static int read_object(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint32_t raw_len = zrec_u32(z, rec, 36);
	uint32_t slots = rec[34] ? rec[34] : 1;
	struct zstream_object o = {
		.number = zrec_u64(z, rec, 8),
		.type = zrec_u32(z, rec, 16),
		.bonus_type = zrec_u32(z, rec, 20),
		.block_size = zrec_u32(z, rec, 24),
		.bonus_len = zrec_u32(z, rec, 28),
		.has_spill = rec[35] & OBJECT_SPILL,
	};
	int r = check_object(z, o.number, e);

	if (r == 0)
		r = check_block(z, o.block_size, e);
	if (r < 0)
		return r;
	if (o.block_size % SECTOR)
		return zstream_bad(z, -EINVAL, e, "blocks of %u bytes", o.block_size);
	if (slots > SLOTS_MAX || slots > ZSTREAM_OBJECT_MAX - o.number)
		return zstream_bad(z, -EINVAL, e, "an object of %u slots", slots);
	if (o.bonus_len > slots * SECTOR - DNODE_CORE || raw_len > slots * SECTOR)
		return zstream_bad(z, -EINVAL, e, "%u bytes of attributes in %u slots",
				   o.bonus_len, slots);
	if (raw_len && raw_len < o.bonus_len)
		return zstream_bad(z, -EINVAL, e, "fewer bytes of attributes than it says");
	r = zstream_payload(z, raw_len ? raw_len : (o.bonus_len + 7) & ~7U, &o.bonus, e);
	return r < 0 ? r : z->sink->ops->object(z->sink->data, &o, e);
}

static int read_free_objects(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t first = zrec_u64(z, rec, 8), count = zrec_u64(z, rec, 16);

	if (first + count < first)
		return zstream_bad(z, -EINVAL, e, "freed objects that are out of range");
	return z->sink->ops->free_objects(z->sink->data, first, count, e);
}

static int read_write(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8), offset = zrec_u64(z, rec, 24);
	uint64_t size = zrec_u64(z, rec, 32);
	const unsigned char *block;
	int r = check_object(z, object, e);

	if (r == 0)
		r = check_block(z, size, e);
	if (r == 0)
		r = check_range(z, offset, size, e);
	if (r == 0)
		r = take_block(z, rec[50], zrec_u64(z, rec, 96), size, &block, e);
	return r < 0 ? r : z->sink->ops->write(z->sink->data, object, offset, block, size, e);
}

static int read_free(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8), offset = zrec_u64(z, rec, 16);
	uint64_t len = zrec_u64(z, rec, 24);
	int r = check_object(z, object, e);

	if (r == 0)
		r = check_range(z, offset, len == ZSTREAM_TO_END ? 0 : len, e);
	return r < 0 ? r : z->sink->ops->free(z->sink->data, object, offset, len, e);
}

/* What was redacted is not there: a hole. */
static int read_redact(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8);
	int r = check_object(z, object, e);

	return r < 0 ? r : check_range(z, zrec_u64(z, rec, 16), zrec_u64(z, rec, 24), e);
}

static int read_byref(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8), offset = zrec_u64(z, rec, 16);
	uint64_t len = zrec_u64(z, rec, 24), guid = zrec_u64(z, rec, 40);
	uint64_t from = zrec_u64(z, rec, 48), from_offset = zrec_u64(z, rec, 56);
	int r = check_object(z, object, e);

	if (r == 0)
		r = check_object(z, from, e);
	if (r == 0)
		r = check_block(z, len, e);
	if (r == 0)
		r = check_range(z, offset, len, e);
	if (r == 0)
		r = check_range(z, from_offset, len, e);
	if (r == 0 && guid != z->head.toguid)
		r = zstream_bad(z, -ENOTSUP, e,
				"data that another snapshot has: send without -D");
	return r < 0 ? r
		     : z->sink->ops->copy(z->sink->data, object, offset, len, from, from_offset,
					  e);
}

static int read_spill(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8), size = zrec_u64(z, rec, 16);
	uint64_t packed = zrec_u64(z, rec, 40);
	const unsigned char *block;
	int r = check_object(z, object, e);

	if (r == 0)
		r = check_block(z, size, e);
	if (r == 0)
		r = take_block(z, packed ? rec[33] : 0, packed, size, &block, e);
	if (r < 0 || (rec[32] & SPILL_SAME))
		return r;
	return z->sink->ops->spill(z->sink->data, object, block, size, e);
}

/* The few bytes that a block compresses to, and zeros up to its length. */
static int read_embedded(struct zstream *z, const unsigned char *rec, struct err *e)
{
	uint64_t object = zrec_u64(z, rec, 8), offset = zrec_u64(z, rec, 16);
	uint64_t len = zrec_u64(z, rec, 24);
	uint32_t plain = zrec_u32(z, rec, 48), packed = zrec_u32(z, rec, 52);
	const unsigned char *bytes;
	int r = check_object(z, object, e);

	if (r == 0)
		r = check_block(z, len, e);
	if (r == 0)
		r = check_range(z, offset, len, e);
	if (r < 0)
		return r;
	if (!(z->features & ZFEATURE_EMBED) || rec[41] != 0)
		return zstream_bad(z, -EINVAL, e, "embedded data that should not be there");
	if (packed > EMBEDDED_MAX || packed == 0 || plain > len || plain == 0)
		return zstream_bad(z, -EINVAL, e, "%u embedded bytes for %u of %llu", packed,
				   plain, (unsigned long long)len);
	if (is_plain(rec[40]) && plain != packed)
		return zstream_bad(z, -EINVAL, e, "plain embedded data of another length");
	r = is_plain(rec[40]) ? 0 : check_compression(z, rec[40], e);
	if (r == 0)
		r = zstream_payload(z, (packed + 7) & ~7U, &bytes, e);
	if (r < 0)
		return r;
	if (len > z->plain_cap) {
		z->plain = xrealloc_array(z->plain, len, 1);
		z->plain_cap = len;
	}
	if (is_plain(rec[40]))
		memcpy(z->plain, bytes, plain);
	else
		r = unpack(z, rec[40], bytes, packed, plain, e);
	if (r < 0)
		return r;
	memset(z->plain + plain, 0, len - plain);
	return z->sink->ops->write(z->sink->data, object, offset, z->plain, len, e);
}

static int read_range(struct zstream *z, const unsigned char *rec, struct err *e)
{
	(void)rec;
	return zstream_bad(z, -ENOTSUP, e, "a record of encrypted streams");
}

int zstream_record(struct zstream *z, const unsigned char rec[ZREC_SIZE], enum zrec_type type,
		   struct err *e)
{
	static int (*const read[ZREC_MAX_])(struct zstream *, const unsigned char *,
					    struct err *) = {
		[ZREC_OBJECT] = read_object,
		[ZREC_FREEOBJECTS] = read_free_objects,
		[ZREC_WRITE] = read_write,
		[ZREC_FREE] = read_free,
		[ZREC_WRITE_BYREF] = read_byref,
		[ZREC_SPILL] = read_spill,
		[ZREC_WRITE_EMBEDDED] = read_embedded,
		[ZREC_OBJECT_RANGE] = read_range,
		[ZREC_REDACT] = read_redact,
	};

	return read[type](z, rec, e);
}
