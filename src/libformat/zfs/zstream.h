/* SPDX-License-Identifier: MIT */
/*
 * zstream.h - the records of a ZFS send stream, checked, one call each.
 *
 * Both byte orders; checksums (Fletcher-4) verified where the sender made them; data
 * decompressed. Nothing is believed: every length, offset and object number is bounded
 * before a call is made, and memory is bounded by the two largest blocks that there
 * are (16 MiB each). docs/zfs-streams.md has the format.
 *
 * Runs in the writer process of extract.h.
 */
#pragma once

#include "libformat/input.h"

#define ZSTREAM_FILESYSTEM 2
#define ZSTREAM_ZVOL       3
#define ZSTREAM_OBJECT_MAX (((uint64_t)1 << 48) - 1)
#define ZSTREAM_BLOCK_MAX  (16U << 20)
#define ZSTREAM_TO_END     UINT64_MAX /* a length */

struct zstream_head {
	uint32_t type;
	bool big; /* byte order: what is in blocks and bonus buffers has it as well */
	uint64_t toguid;
	uint64_t fromguid; /* 0: a full stream */
};

/* A dnode. */
struct zstream_object {
	uint64_t number;
	uint32_t type;
	uint32_t bonus_type;
	uint32_t block_size;
	uint32_t bonus_len;
	bool has_spill;
	const unsigned char *bonus; /* until the call returns */
};

/* What a stream does, in its order. DATA is valid until the call returns. */
struct zstream_ops {
	int (*begin)(void *data, const struct zstream_head *head, struct err *e);
	int (*object)(void *data, const struct zstream_object *object, struct err *e);
	int (*free_objects)(void *data, uint64_t first, uint64_t count, struct err *e);
	int (*write)(void *data, uint64_t object, uint64_t offset, const void *block,
		     size_t len, struct err *e);
	/* The same bytes as another object of this stream has. */
	int (*copy)(void *data, uint64_t object, uint64_t offset, uint64_t len, uint64_t from,
		    uint64_t from_offset, struct err *e);
	int (*free)(void *data, uint64_t object, uint64_t offset, uint64_t len, struct err *e);
	int (*spill)(void *data, uint64_t object, const void *block, size_t len, struct err *e);
};

/* Whom to call. begin() may change it. */
struct zstream_sink {
	const struct zstream_ops *ops;
	void *data;
};

/* Read IN to its end. 0: a whole stream of one snapshot, and its sums are right. */
ATTR_MUST_CHECK int zstream_read(struct image_input *in, const struct zstream_sink *sink,
				 struct err *e);
