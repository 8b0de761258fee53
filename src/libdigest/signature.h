/* SPDX-License-Identifier: MIT */
/*
 * signature.h - is this what the key's owner signed?
 *
 * A key is text: one of minisign (two lines), or a PEM public key (Ed25519, or any other
 * that OpenSSL verifies with SHA-256). Everything that is not plainly right is refused.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define SIGNATURE_MAX 8192 /* bytes of a signature's file */

bool signature_key_is_minisign(const char *key);

/* SIGNATURE is the file as it is. 0, or -EKEYREJECTED with the reason. */
ATTR_MUST_CHECK int signature_check(const char *key, const void *data, size_t len,
				    const void *signature, size_t signature_len, struct err *e);

/* For carrying a signature in JSON. The caller frees. Decoding gives NULL for what is none. */
char *signature_to_base64(const void *data, size_t len);
unsigned char *signature_from_base64(const char *text, size_t len, size_t *ret_len);
