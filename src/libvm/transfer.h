/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - what vm_send.c and vm_receive.c share: the plan of a transfer, and the
 * processes at its two ends. Private to libvm; docs/send-stream.md is the format.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libdigest/digest.h"
#include "libstore/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;

#define TRANSFER_STREAMS_MAX 20000

/* One file system of one moment. */
struct transfer_stream {
	enum store_fs fs;
	char snapshot[STORE_SNAPSHOT_NAME]; /* "": the VM as it is */
	int64_t created_ns;
	bool has_after; /* it is the change since number AFTER */
	size_t after;
	bool has_base; /* it is the change since the snapshot that both have */
};

struct transfer {
	char id[UUID_STR];
	char vm[UUID_STR];
	char from[STORE_SNAPSHOT_NAME]; /* "": all of it */
	int64_t from_ns; /* when it was made, which tells it from another of that name */
	struct transfer_stream *streams;
	size_t count;
};
void transfer_done(struct transfer *t);
#define cleanup_transfer cleanup_with(transfer_done)

/* HEAD without the record; new. */
struct jv *transfer_to_json(const struct transfer *t);
/* HEAD is foreign: every word of it is checked. */
ATTR_MUST_CHECK int transfer_from_json(const struct jv *head, struct transfer *ret,
				       struct err *e);

/* How far a transfer has come: "ID:STREAM:OFFSET:CHAIN". */
struct transfer_point {
	size_t index;
	uint64_t offset;
	char chain[DIGEST_HEX_MAX]; /* of the pieces before OFFSET; "" where that is 0 */
};
ATTR_MUST_CHECK int transfer_token_parse(const char *token, char ret_id[static UUID_STR],
					 struct transfer_point *ret, struct err *e);
char *transfer_token(const char *id, const struct transfer_point *p);

/* One piece more: CHAIN becomes the SHA-256 of it, as text, and the piece. */
void transfer_chain(struct transfer_point *p, const void *piece, size_t len);

/* ---- the sending child ---- */

struct pump;
ATTR_MUST_CHECK int pump_start(struct store *s, const char *vm, enum store_fs fs,
			       const char *snapshot, const char *base, struct pump **ret,
			       struct err *e);
int pump_fd(const struct pump *p);
/* After the end of the descriptor: how it went. */
ATTR_MUST_CHECK int pump_finish(struct pump *p, struct err *e);
void pump_free(struct pump *p);
void pump_free_p(struct pump **p);
#define cleanup_pump cleanup_with(pump_free_p)

/* ---- the receiving child, without rights ---- */

struct applier;
ATTR_MUST_CHECK int applier_start(struct store *s, int rootfd, struct applier **ret,
				  struct err *e);
/* When this fails the reason is the child's own. */
ATTR_MUST_CHECK int applier_feed(struct applier *a, const void *data, size_t len,
				 struct err *e);
/* No more bytes for now. *RET_ENDED: the stream has come to its end. */
ATTR_MUST_CHECK int applier_finish(struct applier *a, bool *ret_ended, struct err *e);
void applier_free(struct applier *a);
void applier_free_p(struct applier **a);
#define cleanup_applier cleanup_with(applier_free_p)
