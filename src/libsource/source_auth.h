/* SPDX-License-Identifier: MIT */
/*
 * source_auth.h - who asks: HTTP Signatures, as servers of the original check them.
 *
 *	Date: Sat, 01 Aug 2026 12:00:00 GMT
 *	Authorization: Signature keyId="/LOGIN/keys/FINGERPRINT",algorithm="rsa-sha256",
 *	               headers="date",signature="BASE64"
 *
 * The private key is read when something is signed, by the caller of helpers and never
 * in one: those who talk to servers get the two lines, which are good for some minutes.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

struct jv;
struct source_auth;

/*
 * From "login", "login_key" (a path on the host) and "login_key_id" of MEMBERS; the key is
 * tried. *RET is NULL when there is no login. H stays open as long as it is used. New.
 */
ATTR_MUST_CHECK int source_auth_new(const struct host *h, const struct jv *members,
				    struct source_auth **ret, struct err *e);
void source_auth_free(struct source_auth *a); /* NULL is fine */

/* New lines, of now. A may be NULL. */
ATTR_MUST_CHECK int source_auth_sign(struct source_auth *a, struct err *e);
/* They end with NULL, and stay until the next is signed. NULL for no A. */
const char *const *source_auth_lines(const struct source_auth *a);

/* "Sat, 01 Aug 2026 12:00:00 GMT" */
#define SOURCE_AUTH_DATE 32
void source_auth_date(int64_t seconds, char ret[static SOURCE_AUTH_DATE]);
