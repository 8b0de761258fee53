/* SPDX-License-Identifier: MIT */
/*
 * mdata.h - guest metadata: what a guest may ask about itself, and how it is
 * answered. Both versions of the protocol; docs/metadata.md tells it to people.
 *
 *	line of the guest ──▶ mdata_answer() ──▶ bytes for the guest
 *	                          │ vm, put, remove
 *	                          ▼
 *	                      struct mdata_source
 *
 * Nothing here opens, reads or waits for anything: the same code answers a guest,
 * the recorded cases and the fuzzer.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/jv.h"

#include <stdbool.h>

#define MDATA_LINE_MAX  ((size_t)256 << 10) /* bytes of a request with its newline */
#define MDATA_KEY_MAX   ((size_t)255)       /* bytes of a key that is written */
#define MDATA_VALUE_MAX ((size_t)128 << 10) /* bytes of a value that a guest writes */

/* Where answers come from. DATA is handed to each function. */
struct mdata_source {
	void *data;
	/* The VM object with its metadata (see mdata_view()), borrowed until the next call. */
	const struct jv *(*vm)(void *data, struct err *e);
	/* Both return once the change will last. VALUE NULL: the key goes; absent is success.
	 */
	int (*change)(void *data, const char *key, const char *value, struct err *e);
};

/* What one line asked for, for those that count. */
enum mdata_kind {
	MDATA_NOTHING, /* a faulty frame: it gets no answer */
	MDATA_READ,
	MDATA_WRITE, /* a change was tried */
};

/* Appends to OUT what answers LINE of LEN bytes, which is without its newline. */
enum mdata_kind mdata_answer(const struct mdata_source *source, const char *line, size_t len,
			     struct buf *out);

/*
 * What a guest may know of VM: a copy without the internal metadata that is hidden
 * from it. The answers are the same for both. New.
 */
struct jv *mdata_view(const struct jv *vm);

/*
 * Set (VALUE) or remove (NULL) KEY in RECORD, which it is told for. *RET_CHANGED:
 * RECORD is another one now. -EPERM with the protocol's text for a namespace that
 * is not the guest's; -EINVAL for a key or value that cannot be kept.
 */
ATTR_MUST_CHECK int mdata_change(struct jv *record, const char *key, const char *value,
				 bool *ret_changed, struct err *e);
