/* SPDX-License-Identifier: MIT */
/*
 * zstream_private.h - what zstream.c (bytes, sums, framing) and zstream_record.c (the
 * fields of each record) share.
 */
#pragma once

#include "libformat/zfs/zstream.h"

#include <stdint.h>
#include <string.h>

#define ZREC_SIZE     312U
#define ZREC_SUM_AT   280U
#define ZREC_SUM_SIZE 32U

enum zrec_type {
	ZREC_BEGIN,
	ZREC_OBJECT,
	ZREC_FREEOBJECTS,
	ZREC_WRITE,
	ZREC_FREE,
	ZREC_END,
	ZREC_WRITE_BYREF,
	ZREC_SPILL,
	ZREC_WRITE_EMBEDDED,
	ZREC_OBJECT_RANGE,
	ZREC_REDACT,
	ZREC_MAX_,
};

#define ZFEATURE_EMBED       (1ULL << 16)
#define ZFEATURE_LZ4         (1ULL << 17)
#define ZFEATURE_LARGE_BLOCK (1ULL << 19)
#define ZFEATURE_COMPRESSED  (1ULL << 22)
#define ZFEATURE_ZSTD        (1ULL << 25)

struct zstream {
	struct image_input *in;
	const struct zstream_sink *sink;
	struct zstream_head head;
	uint64_t features;
	bool compound;    /* wrapped in a stream of streams */
	bool begun;       /* between BEGIN and END */
	bool done;        /* the one snapshot is whole */
	bool checked;     /* the sender makes sums */
	uint64_t records; /* for messages */
	uint64_t sum[4];
	uint64_t sum_before[4]; /* of all before the record */

	unsigned char *buf; /* read ahead: buf[at..len) */
	size_t at, len, cap;
	unsigned char *plain; /* a decompressed block */
	size_t plain_cap;
};

/* The record's bytes; offsets count from its start. */
static inline uint32_t zrec_u32(const struct zstream *z, const unsigned char *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p + at, sizeof(v));
	return z->head.big ? __builtin_bswap32(v) : v;
}

static inline uint64_t zrec_u64(const struct zstream *z, const unsigned char *p, size_t at)
{
	uint64_t v;

	memcpy(&v, p + at, sizeof(v));
	return z->head.big ? __builtin_bswap64(v) : v;
}

/* Fletcher-4 of words in byte order BIG, on and on; LEN is a multiple of four. */
void zstream_sum(bool big, uint64_t sum[4], const unsigned char *p, size_t len);
/* LEN bytes that follow, in one piece, summed; valid until the next call. */
ATTR_MUST_CHECK int zstream_payload(struct zstream *z, size_t len,
				    const unsigned char **ret_bytes, struct err *e);
int zstream_bad(const struct zstream *z, int code, struct err *e, const char *fmt, ...)
	ATTR_PRINTF(4, 5);

/* Any record but BEGIN and END: its fields checked, its payload read, its call made. */
ATTR_MUST_CHECK int zstream_record(struct zstream *z, const unsigned char rec[ZREC_SIZE],
				   enum zrec_type type, struct err *e);
