/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zap.h"

#include "base/alloc.h"

#include <string.h>

#define MICRO        0x8000000000000003ULL
#define HEADER       0x8000000000000001ULL
#define LEAF         0x8000000000000000ULL
#define HEADER_MAGIC 0x2F52AB2ABULL
#define LEAF_MAGIC   0x2AB1EAFU

#define MICRO_HEAD  64U
#define MICRO_ENTRY 64U
#define MICRO_NAME  50U

#define LEAF_HEAD  48U
#define CHUNK      24U
#define CHUNK_DATA 21U
#define CHUNK_END  0xffffU
#define VALUE_MAX  8192U

#define BLOCK_MAX  (1U << 20)
#define BLOCKS_MAX (1U << 18)

enum { CHUNK_ARRAY = 251, CHUNK_ENTRY = 252 };

struct leaf {
	const unsigned char *chunks;
	unsigned int count;
	bool big;
};

static uint16_t get16(const unsigned char *p, bool big)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return big ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const unsigned char *p, bool big)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return big ? __builtin_bswap32(v) : v;
}

static uint64_t get64(const unsigned char *p, bool big)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return big ? __builtin_bswap64(v) : v;
}

uint64_t zap_number(const struct zap_entry *entry)
{
	uint64_t v = 0;

	for (unsigned int i = 0; entry->count && i < entry->int_len; i++)
		v = v << 8 | entry->value[i];
	return v;
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "a table of the ZFS stream is bad: %s", what);
}

int zap_each_micro(const unsigned char *block, size_t len, bool big, zap_fn *each, void *data,
		   struct err *e)
{
	int r = 0;

	if (len < MICRO_HEAD || get64(block, big) != MICRO)
		return bad(e, "it is none");
	for (size_t at = MICRO_HEAD; r == 0 && at + MICRO_ENTRY <= len; at += MICRO_ENTRY) {
		char name[MICRO_NAME + 1] = "";
		unsigned char value[8];
		uint64_t v = __builtin_bswap64(get64(block + at, big));
		struct zap_entry entry = { name, value, sizeof(value), 1 };

		memcpy(value, &v, sizeof(value));
		memcpy(name, block + at + MICRO_ENTRY - MICRO_NAME, MICRO_NAME);
		if (name[0])
			r = each(data, &entry, e);
	}
	return r;
}

/* Follow a chain of chunks; it cannot be longer than there are chunks. */
static int read_array(const struct leaf *leaf, unsigned int chunk, unsigned char *out,
		      size_t len, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		const unsigned char *c = leaf->chunks + (size_t)chunk * CHUNK;
		size_t n = len - done < CHUNK_DATA ? len - done : CHUNK_DATA;

		if (chunk >= leaf->count || c[0] != CHUNK_ARRAY)
			return bad(e, "a chain of chunks is broken");
		memcpy(out + done, c + 1, n);
		done += n;
		chunk = get16(c + CHUNK - 2, leaf->big);
	}
	return 0;
}

static int read_entry(const struct leaf *leaf, const unsigned char *c, zap_fn *each, void *data,
		      struct err *e)
{
	char name[ZAP_NAME_MAX + 1] = "";
	unsigned char value[VALUE_MAX];
	struct zap_entry entry = { name, value, c[1], get16(c + 10, leaf->big) };
	size_t name_len = get16(c + 6, leaf->big);
	int r;

	if (entry.int_len != 1 && entry.int_len != 2 && entry.int_len != 4 &&
	    entry.int_len != 8)
		return bad(e, "numbers of an impossible size");
	if (name_len < 2 || name_len > sizeof(name) || entry.int_len * entry.count > VALUE_MAX)
		return bad(e, "a name or a value is too long");
	r = read_array(leaf, get16(c + 4, leaf->big), (unsigned char *)name, name_len, e);
	if (r == 0)
		r = read_array(leaf, get16(c + 8, leaf->big), value,
			       (size_t)entry.int_len * entry.count, e);
	if (r < 0)
		return r;
	if (strnlen(name, name_len) + 1 != name_len)
		return bad(e, "a name does not end where it should");
	return each(data, &entry, e);
}

static int read_leaf(const unsigned char *block, uint32_t size, bool big, zap_fn *each,
		     void *data, struct err *e)
{
	const struct leaf leaf = { .chunks = block + LEAF_HEAD + size / 16,
				   .count = (size - size / 16) / CHUNK - 2,
				   .big = big };
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < leaf.count; i++) {
		const unsigned char *c = leaf.chunks + (size_t)i * CHUNK;

		if (c[0] == CHUNK_ENTRY)
			r = read_entry(&leaf, c, each, data, e);
	}
	return r;
}

/* Block N; what lies beyond the end is zeros. 0: there is none any more. */
static int read_block(int fd, uint32_t size, unsigned int n, unsigned char *block,
		      struct err *e)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, block + done, size - done,
				    (off_t)((uint64_t)n * size + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "cannot read a table of the ZFS stream");
		if (got == 0)
			break;
		done += (size_t)got;
	}
	memset(block + done, 0, size - done);
	return done > 0;
}

static int read_fat(int fd, uint32_t size, bool big, unsigned char *block, zap_fn *each,
		    void *data, struct err *e)
{
	int r = 0;

	if (get64(block + 8, big) != HEADER_MAGIC || size < 512)
		return bad(e, "its magic number is wrong");
	for (unsigned int n = 1; r == 0 && n < BLOCKS_MAX; n++) {
		r = read_block(fd, size, n, block, e);
		if (r <= 0)
			return r;
		r = 0;
		if (get64(block, big) == LEAF && get32(block + 24, big) == LEAF_MAGIC)
			r = read_leaf(block, size, big, each, data, e);
	}
	return r < 0 ? r : bad(e, "it has too many blocks");
}

int zap_each(int fd, uint32_t block_size, bool big, zap_fn *each, void *data, struct err *e)
{
	cleanup_free unsigned char *block = NULL;
	int r;

	if (block_size < MICRO_HEAD || block_size > BLOCK_MAX)
		return bad(e, "its blocks are too large");
	block = xmalloc(block_size);
	r = read_block(fd, block_size, 0, block, e);
	if (r <= 0)
		return r < 0 ? r : bad(e, "it is empty");
	if (get64(block, big) == HEADER)
		return read_fat(fd, block_size, big, block, each, data, e);
	return zap_each_micro(block, block_size, big, each, data, e);
}
