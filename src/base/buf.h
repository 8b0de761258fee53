/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing run of bytes, always followed by a '\0'.
 *
 * Start with BUF_INIT (or zeroed memory); end with buf_done(), or hand the
 * memory on with buf_take(). A buffer has a hard maximum, so that what feeds it
 * is bounded: growing past it aborts, callers check buf_room() where the amount
 * is not theirs to choose.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>

#define BUF_MAX ((size_t)256 << 20)

struct buf {
	char *data; /* NULL until the first byte is added */
	size_t len;
	size_t cap;
};

#define BUF_INIT             \
	{                    \
		.data = NULL \
	}
#define cleanup_buf cleanup_with(buf_done)

void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* empties, keeps the memory */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
size_t buf_room(const struct buf *b);     /* bytes that may still be added */
const char *buf_str(const struct buf *b); /* "" when empty, never NULL */
char *buf_take(struct buf *b);            /* the caller frees; B is empty afterwards */
