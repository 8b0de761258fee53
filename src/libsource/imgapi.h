/* SPDX-License-Identifier: MIT */
/*
 * imgapi.h - the answers of an IMGAPI server, as bytes. For imgapi.c and its fuzzer.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct jv;
struct source;

#define IMGAPI_CODE_MAX 64

/* "GET /ping" */
ATTR_MUST_CHECK int imgapi_read_ping(const char *text, size_t len, struct err *e);
/* "GET /images": an array; what is no manifest with a uuid is left out. New. */
ATTR_MUST_CHECK int imgapi_read_list(const char *text, size_t len, struct jv **ret_list,
				     struct err *e);
/* "GET /images/UUID": a manifest, brought up to version 2 and checked. New. */
ATTR_MUST_CHECK int imgapi_read_image(const char *text, size_t len, const char *uuid,
				      struct jv **ret_manifest, struct err *e);
/*
 * Any answer of STATUS that is none of these: { code, message, errors }. E gets the
 * message with a line for each field, and CODE the server's word or "ClientError".
 */
int imgapi_read_error(const char *text, size_t len, int status, char code[IMGAPI_CODE_MAX],
		      struct err *e);

/* The source's address without its query. New. */
char *imgapi_base(const struct source *s);
/* "channel=NAME" behind LEAD, or nothing; what is no plain letter is written as %XX. New. */
char *imgapi_channel(const struct source *s, char lead);
