/* SPDX-License-Identifier: MIT */
/*
 * private.h - the parts of libmdata among themselves.
 */
#pragma once

#include "libmdata/mdata.h"

/* ---- lookup.c: which part of a VM object a key is in -------------------------- */

/* "customer_metadata" or "internal_metadata". */
const char *mdata_store_of(const struct jv *vm, const char *key);

/* Is KEY in one of the namespaces that only the host writes? Then its name, else NULL. */
const char *mdata_namespace_of(const struct jv *vm, const char *key);
bool mdata_is_password(const char *key);

enum mdata_found { MDATA_FOUND, MDATA_NOTFOUND, MDATA_NO_TEXT /* it is an object */ };

/* The text of KEY, appended to OUT. */
enum mdata_found mdata_get(const struct jv *vm, const char *key, struct buf *out);

/* The keys that a guest sees, a line each, without a final newline. */
void mdata_keys(const struct jv *vm, struct buf *out);

/* ---- frame.c: one line of the second version ---------------------------------- */

#define MDATA_REQUEST_ID 8

struct mdata_frame {
	char id[MDATA_REQUEST_ID + 1];
	char verb[32];      /* cut if it is longer: it is none that we know */
	struct buf payload; /* decoded */
};
void mdata_frame_done(struct mdata_frame *f);
#define cleanup_frame cleanup_with(mdata_frame_done)

/* TEXT is what follows "V2". False: the frame is faulty. */
bool mdata_frame_parse(const char *text, size_t len, struct mdata_frame *ret_frame);

/* A frame with its newline. No payload when LEN is 0. */
void mdata_frame_add(struct buf *out, const char *id, const char *code, const char *payload,
		     size_t len);
