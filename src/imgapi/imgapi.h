/* SPDX-License-Identifier: MIT */
/*
 * imgapi.h - the parts of imgapi among themselves.
 *
 *	pool ──keep.c──▶ DIR ──catalog.c──▶ http.c ──answer.c──▶ libmicrohttpd ──▶ sockets
 *	                  ▲                   │         ▲ query.h, range.h
 *	                  └── upload.c ◀──────┘ signed (writers.h), where there are writers
 *
 * rights.c takes away what none of it needs, before the first question is read.
 */
#pragma once

#include "base/err.h"
#include "base/event.h"
#include "base/uuid.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct host;
struct jv;

/* ---- catalog.c: the images that there are ---------------------------------------- */

#define IMAGES_MAX 10000

struct offer {
	char uuid[UUID_STR];
	struct jv *manifest;
	char *etag; /* of the manifest: SHA-1 of its text */
	char *text;
	char *name; /* of the manifest, in the folder */
	char *stem; /* the manifest's name without its end */
	char *sha1; /* of the file, as the manifest has it; NULL: it names no file */
	int64_t size;
	bool dated; /* the manifest itself says when it was published */
};

struct catalog {
	int dirfd;
	int notify;
	struct offer *images;  /* by published_at, uuid */
	struct jv **manifests; /* of the same, in the same order */
	size_t count;
};

/* Watches DIR from here on; C has -1 for both descriptors. */
ATTR_MUST_CHECK int catalog_open(struct catalog *c, const char *dir, struct err *e);
void catalog_close(struct catalog *c);
ATTR_MUST_CHECK int catalog_read(struct catalog *c, struct err *e);
/* Read all again if anything has changed since the last time. */
ATTR_MUST_CHECK int catalog_refresh(struct catalog *c, struct err *e);
const struct offer *catalog_find(const struct catalog *c, const char *uuid);
/* The image's file, of the size that its manifest has. -ENOENT: there is none. */
int catalog_open_file(const struct catalog *c, const struct offer *img, struct stat *ret);

/* KIND is "sig" or "minisig": the file beside the manifest. *RET is new. */
ATTR_MUST_CHECK int catalog_read_signature(const struct catalog *c, const struct offer *img,
					   const char *kind, char **ret, size_t *ret_len);

/* ---- keep.c: the images of the pool, as a folder --------------------------------- */

#define KEEP_DIR "var/cache/dais/imgapi"

struct keeper {
	pid_t pid;    /* 0: none */
	int lifeline; /* while it is open the process lives */
};

/* Start the process that keeps there a file and a manifest of each installed image. */
ATTR_MUST_CHECK int keep_start(const struct host *h, struct keeper *ret, struct err *e);

/* ---- answer.c -------------------------------------------------------------------- */

enum MHD_Result answer(struct MHD_Connection *c, unsigned int status,
		       struct MHD_Response *response, const char *etag);
/* TEXT is JSON, and taken. */
enum MHD_Result answer_text(struct MHD_Connection *c, unsigned int status, char *text,
			    const char *etag);
/* { "code", "message" }, and with FIELD "errors": [ { "field", "code", "message" } ] */
enum MHD_Result answer_error(struct MHD_Connection *c, unsigned int status, const char *code,
			     const char *field, const char *fmt, ...) ATTR_PRINTF(5, 6);
/* The file behind FD, which is taken, or the part that is asked for. */
enum MHD_Result answer_file(struct MHD_Connection *c, int fd, const struct stat *st,
			    const char *etag);
/* Does whoever asks have what ETAG is of already? */
bool answer_is_known(struct MHD_Connection *c, const char *etag);

/* ---- http.c ---------------------------------------------------------------------- */

struct http {
	struct event *loop;
	struct catalog *catalog;
	struct MHD_Daemon *daemon;
	struct event_source *source, *timer;
	const struct writers *writers; /* NULL: read-only */
};

/* Serve on FD, which is taken; with CERTIFICATE and KEY (PEM text) it is HTTPS. */
ATTR_MUST_CHECK int http_start(struct http *s, int fd, const char *certificate, const char *key,
			       struct err *e);
void http_stop(struct http *s);

/* ---- rights.c -------------------------------------------------------------------- */

/*
 * ROOTFD becomes "/", root becomes nobody, or who owns the folder when the server WRITES,
 * and there are no new programs or sockets.
 */
ATTR_MUST_CHECK int rights_drop(int rootfd, bool writes, struct err *e);
