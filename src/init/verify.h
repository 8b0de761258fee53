/* SPDX-License-Identifier: MIT */
/*
 * verify.h - is the root image the one that was built?
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define VERIFY_HASH_LEN 32
#define VERIFY_TEXT_MAX 4096 /* of the file that holds the digest */

/* 64 hex digits, then the end, a blank or a line's end. SOURCE names the text in errors. */
ATTR_MUST_CHECK int verify_parse_hash(const char *text, size_t len, const char *source,
				      unsigned char ret_hash[static VERIFY_HASH_LEN],
				      struct err *e);

/* SHA-256 of all of FD. */
ATTR_MUST_CHECK int verify_digest(int fd, unsigned char ret_hash[static VERIFY_HASH_LEN],
				  struct err *e);

/* -EBADMSG when they differ, with both in the error. */
ATTR_MUST_CHECK int verify_compare(const unsigned char want[static VERIFY_HASH_LEN],
				   const unsigned char got[static VERIFY_HASH_LEN],
				   const char *source, struct err *e);

/* 64 digits and the closing '\0'. */
void verify_hash_to_hex(const unsigned char hash[static VERIFY_HASH_LEN],
			char ret_hex[static 2 * VERIFY_HASH_LEN + 1]);
