/* SPDX-License-Identifier: MIT */
/*
 * download.h - a file on its way here, and what an interrupted one left.
 *
 *	ROOT/zones/images/.download/UUID        the bytes so far
 *	ROOT/zones/images/.download/UUID.json   whose they are: url, size, sha1, etag
 *
 * The image's lock is held by whoever has one open. Nothing here is believed: the
 * bytes are hashed from the first when they are used, so that neither a power cut
 * nor another server's file can do more than cost a second transfer.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libhttp/http.h"
#include "libmanifest/manifest_file.h"
#include "libsandbox/helper.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stdint.h>

struct jv;
struct source;
struct sources;

struct download {
	char uuid[UUID_STR];
	int dirfd; /* borrowed */
	int fd;    /* read by us, written by the helper */
	char *url;
	const char **headers; /* ends with NULL; their text is borrowed from FILE */
	struct manifest_file expect;
	uint64_t have;
	char etag[HTTP_ETAG_MAX];
	bool resumed; /* some of it is from an earlier try */
	bool ended;   /* all of it is here */
};

/* The folder; made when absent. */
ATTR_MUST_CHECK int downloads_open(const struct host *h, struct err *e);

/* FILE is what the source says of it ("url", "headers"); borrowed until download_close(). */
ATTR_MUST_CHECK int download_open(int dirfd, const char *uuid, const struct jv *file,
				  const struct manifest_file *expect, struct download *ret,
				  struct err *e);
/* Forget the bytes. */
ATTR_MUST_CHECK int download_restart(struct download *d, struct err *e);
void download_drop(struct download *d);  /* remove what it has on disk */
void download_close(struct download *d); /* also zeroed memory */

/* ---- fetching: one helper for all of them ---- */

struct fetch {
	struct helper helper;
	struct download **downloads; /* borrowed */
	size_t count;
};

/*
 * Start to fetch what is missing of COUNT downloads, in their order, all from SOURCE.
 * Poll fetch.helper.fd and call fetch_hear().
 */
ATTR_MUST_CHECK int fetch_start(struct fetch *f, const struct sources *sources,
				const struct source *source, struct download **downloads,
				size_t count, struct err *e);
/*
 * Take one report. 1: something moved; 0: nothing more will come, all ended well;
 * negative: why one failed. -ESTALE: *RET_WHICH has to be restarted. NOTE hears of retries.
 */
ATTR_MUST_CHECK int fetch_hear(struct fetch *f, struct download **ret_which,
			       void (*note)(void *data, const char *line), void *data,
			       struct err *e);
void fetch_stop(struct fetch *f);
