/* SPDX-License-Identifier: MIT */
/*
 * frames.h - what "vmadm send" writes, as bytes: docs/send-stream.md.
 *
 *	"DAISVM\r\n" VERSION(4) 0(4)     then frames:
 *	KIND(4) LENGTH(4) CRC(4) PAYLOAD
 *
 * The last frame, TAIL, holds the SHA-256 of all before it. A reader takes what it
 * reads for foreign: sizes are bounded before memory is taken.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct jv;

#define FRAMES_VERSION   1
#define FRAME_MAX        ((size_t)1 << 20) /* bytes of a payload */
#define FRAME_HEADER_MAX ((size_t)8 << 20) /* of HEAD's, with a record in it */

enum frame_kind {
	FRAME_HEAD,   /* JSON: the VM, and which streams follow */
	FRAME_STREAM, /* JSON: one begins */
	FRAME_DATA,
	FRAME_END,  /* JSON: it has ended, with its length and SHA-256 */
	FRAME_TAIL, /* JSON: the SHA-256 of all before */
	FRAME_KIND_MAX_,
};

/* Both ends; ends with frames_done(). */
struct frames;
struct frames *frames_writer(int fd);
struct frames *frames_reader(int fd);
void frames_free(struct frames *f);
void frames_free_p(struct frames **f);
#define cleanup_frames cleanup_with(frames_free_p)

ATTR_MUST_CHECK int frames_put(struct frames *f, enum frame_kind kind, const void *data,
			       size_t len, struct err *e);
ATTR_MUST_CHECK int frames_put_json(struct frames *f, enum frame_kind kind,
				    const struct jv *object, struct err *e);
/* The last one, made by this call. */
ATTR_MUST_CHECK int frames_put_tail(struct frames *f, struct err *e);

/*
 * The next frame. *RET_DATA is valid until the next call. -EPIPE: the stream ended
 * where a frame begins or in it; -EBADMSG: it is no stream, or damaged. A TAIL has been
 * held against all that was read.
 */
ATTR_MUST_CHECK int frames_get(struct frames *f, enum frame_kind *ret_kind,
			       const uint8_t **ret_data, size_t *ret_len, struct err *e);
/* It has to be of KIND, with an object. New. */
ATTR_MUST_CHECK int frames_get_json(struct frames *f, enum frame_kind kind,
				    struct jv **ret_object, struct err *e);

/* Bytes so far, for people. */
uint64_t frames_bytes(const struct frames *f);
