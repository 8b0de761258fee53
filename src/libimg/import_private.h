/* SPDX-License-Identifier: MIT */
/*
 * import_private.h - what import.c (the whole), import_plan.c (what to get, locks)
 * and import_run.c (getting it) share.
 */
#pragma once

#include "base/jv.h"
#include "libimg/import.h"
#include "libimg/stage.h"
#include "libmanifest/manifest.h"
#include "libsource/download.h"

struct import_item {
	char uuid[UUID_STR];
	struct jv *image; /* the source's answer */
	struct manifest_file expect;
	int lock;
	bool done; /* installed: by us, or meanwhile */
	bool restarted;
	struct download download;
};

struct import {
	const struct host *host;
	const struct import_request *req;
	struct import_result *result;
	const struct source *source;
	struct store *store;
	struct import_item items[IMAGE_ORIGINS_MAX]; /* the image, its origin, ... */
	size_t count;
	char base[UUID_STR]; /* the ancestor that is there already; "" for none */
	int base_lock;
	int dirfd; /* of downloads */
};

static inline const struct jv *item_manifest(const struct import_item *item)
{
	return jv_get(item->image, "manifest");
}

/* " (NAME@VERSION)", or nothing; the caller frees. */
char *import_title(const struct jv *manifest, const char *between);

void import_say(const struct import *im, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* Names the failure; returns R. */
int import_fail(struct import *im, const char *code, int r);

/* Fill items and base. */
ATTR_MUST_CHECK int import_gather(struct import *im, struct source_answer *top, struct err *e);
/* Lock all of them, and look again. */
ATTR_MUST_CHECK int import_lock(struct import *im, struct err *e);
/* Fetch and install what is not done. */
ATTR_MUST_CHECK int import_run(struct import *im, struct err *e);
