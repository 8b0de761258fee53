/* SPDX-License-Identifier: MIT */
/*
 * stage.h - one image on its way into the pool, whatever its bytes come from.
 *
 *	begin (partial) ─ feed: hash, decompress, write ─ end: size and hashes
 *	right? ─ manifest, meta ─ commit (one rename)
 *
 * The caller holds the image's lock exclusively, and its origin's at least shared.
 * Nobody sees the image before the commit; stage_free() without one destroys it.
 */
#pragma once

#include "base/err.h"
#include "libmanifest/manifest_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;
struct stage;
struct store;

#define STAGE_FIRST_MIN 16 /* in which the compression shows */

struct stage_request {
	struct store *store;
	const struct jv *manifest;
	struct manifest_file file;
	const char *name;   /* of the file, for messages */
	const char *source; /* the address of the source; NULL: a local file */
	uint64_t max_bytes; /* of what it unpacks to; 0: the default */
	void (*note)(void *data, const char *line);
	void *data;
};

/* REQUEST is borrowed until stage_free(). */
ATTR_MUST_CHECK int stage_begin(const struct stage_request *request, struct stage **ret_stage,
				struct err *e);
/* The same in what stage_end_into() gave, which it takes in any case. */
ATTR_MUST_CHECK int stage_begin_in(const struct stage_request *request, int rootfd,
				   struct stage **ret_stage, struct err *e);

/* May stage_feed() be called? When not, poll stage_fd() for writing and stage_push(). */
bool stage_is_ready(const struct stage *s);
int stage_fd(const struct stage *s); /* -1: nothing to wait for */
void stage_push(struct stage *s);

/*
 * The next bytes (at least STAGE_FIRST_MIN the first time, if there are): all are hashed, and
 * written as far as the writers take them. A bad archive is not reported here: all bytes are
 * hashed first, because a damaged file shall be said to be that, and not whatever its bytes
 * look like.
 */
void stage_feed(struct stage *s, const void *data, size_t len);
uint64_t stage_fed(const struct stage *s);
/* Is the file of a known kind that cannot be installed? No further byte changes that. -ENOTSUP.
 */
ATTR_MUST_CHECK int stage_check_kind(const struct stage *s, struct err *e);

/*
 * All bytes were fed: check, and publish. -EBADMSG: a hash is wrong; -EINVAL and the like: the
 * archive is refused.
 */
ATTR_MUST_CHECK int stage_end(struct stage *s, struct err *e);
/* The same, and begin the image NEXT, which is made of it: see store_image_commit_into(). */
ATTR_MUST_CHECK int stage_end_into(struct stage *s, const char *next, int *ret_rootfd,
				   struct err *e);
/* What an error of these is called: "UncompressionError", ...; NULL: it has no name here. */
const char *stage_error_code(int r);
void stage_free(struct stage *s); /* NULL is fine */
void stage_free_p(struct stage **s);
#define cleanup_stage cleanup_with(stage_free_p)
