/* SPDX-License-Identifier: MIT */
/*
 * upload.h - images that come over HTTP, from those whose keys are known (writers.h).
 *
 *	POST   /images/UUID?action=import          the manifest; its state is "unactivated"
 *	PUT    /images/UUID/file?compression=&sha1=   the file
 *	POST   /images/UUID?action=activate        from now on hosts may have it
 *	DELETE /images/UUID
 *
 *	.upload.N ──rename──▶ UUID      the file, once it is whole, hashed and synced
 *	UUID.json                       the manifest, replaced whole
 *	.UUID.gone                      of an image that is being deleted
 *
 * What is killed leaves names that begin with a dot, which nobody is served and which
 * upload_sweep() takes away, or an image that is not activated.
 */
#pragma once

#include "imgapi/imgapi.h"
#include "imgapi/writers.h"

struct upload;

/*
 * The head of a request that writes. Either *RET is the request, whose body is to come, or
 * an answer was queued. *RET_MHD is what MHD gets.
 */
void upload_begin(struct http *s, struct MHD_Connection *c, const char *url, const char *method,
		  struct upload **ret, enum MHD_Result *ret_mhd);
/* A part of the body. */
void upload_add(struct upload *u, const void *data, size_t len);
/* All of it is here: do it, and answer. */
enum MHD_Result upload_end(struct upload *u, struct MHD_Connection *c);
/* What had no name yet is gone. NULL is fine. */
void upload_free(struct upload *u);

/* Remove what a killed server left. */
ATTR_MUST_CHECK int upload_sweep(int dirfd, struct err *e);
