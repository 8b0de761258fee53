/* SPDX-License-Identifier: MIT */
/*
 * writers.h - who may change the images: those whose public keys are in a folder.
 *
 *	FOLDER/LOGIN.pem    one or more public keys, RSA of 2048 bits or more, or Ed25519
 *
 * A request is signed over its Date (draft-cavage, as libsource/source_auth.h makes it) with
 * RSA and SHA-256 or with Ed25519. What is not plainly right is nobody's.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define WRITERS_MAX   256
#define LOGIN_MAX     64
#define WRITER_SKEW_S 300 /* that a clock may be wrong, and a request under way */

struct writers;

ATTR_MUST_CHECK int writers_load(const char *folder, struct writers **ret, struct err *e);
void writers_free(struct writers *w);

/*
 * Who signed? AUTHORIZATION and DATE are values of the request's head, or NULL. True with
 * the login, or false.
 */
bool writers_verify(const struct writers *w, const char *authorization, const char *date,
		    int64_t now, char ret_login[static LOGIN_MAX]);

/* ---- parts, for tests ---- */

struct signature_head {
	char login[LOGIN_MAX];
	char algorithm[16];
	char signature[1400]; /* base64 */
};

/* 'Signature keyId="/LOGIN/keys/FINGERPRINT",algorithm="...",headers="date",signature="..."' */
bool signature_head_parse(const char *text, struct signature_head *ret);
/* "Sat, 01 Aug 2026 12:00:00 GMT"; -1: it is none */
int64_t http_date_parse(const char *text);
