/* SPDX-License-Identifier: MIT */
/*
 * digest.h - SHA-1 and SHA-256 of bytes as they pass.
 */
#pragma once

#include <stddef.h>

#define DIGEST_HEX_MAX 65

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256 };

struct digest;

struct digest *digest_new(enum digest_kind kind);
void digest_free(struct digest *d);
void digest_free_p(struct digest **d);
#define cleanup_digest cleanup_with(digest_free_p)

void digest_add(struct digest *d, const void *data, size_t len);
/* Lower-case hex digits. Once, at the end. */
void digest_hex(struct digest *d, char ret[static DIGEST_HEX_MAX]);
