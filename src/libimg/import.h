/* SPDX-License-Identifier: MIT */
/*
 * import.h - get an image and its ancestors from a source into the pool.
 *
 *	find (sources in order) ─ ancestry ─ lock, top first ─ look again ─ fetch all at
 *	a time │ stage one after the other, origins first ─ each published by one rename
 *
 * A file is staged while it still arrives. What was fetched when the work is
 * interrupted stays (download.h), and the next import goes on with it.
 * docs/image-sources.md has what each kill leaves.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libimg/install.h"
#include "libsource/source.h"

#include <signal.h>

struct import_request {
	const struct sources *sources; /* asked in this order */
	const char *name;              /* a UUID, or what a kind of source takes */
	uint64_t max_bytes;            /* of each image unpacked; 0: the default */
	/* What happens, for people. */
	void (*say)(void *data, const char *line);
	/* What is odd: retries, what is left out. */
	void (*note)(void *data, const char *line);
	/* COUNT files of TOTAL bytes will be fetched, some of it may be here. */
	void (*begin)(void *data, size_t count, uint64_t total);
	void (*progress)(void *data, uint64_t done);
	void *data;
	const volatile sig_atomic_t *cancel;
};

struct import_result {
	enum install_outcome outcome;
	char uuid[UUID_STR];
	size_t installed;           /* images, ancestors included */
	char code[SOURCE_CODE_MAX]; /* of a failure: "ActiveImageNotFound", ... */
};

ATTR_MUST_CHECK int image_import(const struct host *h, const struct import_request *req,
				 struct import_result *ret, struct err *e);

/*
 * Ask SOURCES for NAME, in order, until one has it (ACTIVE: in state active). The
 * answer is *RET's value; its source is the one. -ENOENT where none has.
 */
ATTR_MUST_CHECK int import_find(const struct sources *sources, const char *name, bool active,
				struct source_answer *ret, struct err *e);
