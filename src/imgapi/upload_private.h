/* SPDX-License-Identifier: MIT */
/*
 * upload_private.h - what upload.c (requests, the file's bytes) and upload_change.c (what
 * each does to the folder) share.
 */
#pragma once

#include "imgapi/upload.h"

#include "base/buf.h"
#include "libdigest/digest.h"

enum upload_kind { UPLOAD_IMPORT, UPLOAD_FILE, UPLOAD_ACTIVATE, UPLOAD_DELETE };

struct upload {
	struct http *http;
	enum upload_kind kind;
	char uuid[UUID_STR];
	char login[LOGIN_MAX];
	struct buf body; /* of what is no file */
	bool too_large;

	/* the file */
	int fd;
	char name[32]; /* ".upload.N", as long as it is called so */
	uint64_t size, started;
	struct digest *sha1, *sha256;
	int failed; /* errno of what could not be written */
};

#define UPLOAD_UNPROCESSABLE 422

enum MHD_Result upload_import(struct upload *u, struct MHD_Connection *c);
enum MHD_Result upload_file(struct upload *u, struct MHD_Connection *c);
enum MHD_Result upload_activate(struct upload *u, struct MHD_Connection *c);
enum MHD_Result upload_delete(struct upload *u, struct MHD_Connection *c);

/* The image of this request, if it came by one: else NULL, and *RET has the answer. */
const struct offer *upload_target(struct upload *u, struct MHD_Connection *c,
				  enum MHD_Result *ret);
/* 0 when IMG may get a file: it is not active. Else -1, and *RET has the answer. */
int upload_check_open(const struct offer *img, struct MHD_Connection *c, enum MHD_Result *ret);
