/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - root's line in a file like /etc/shadow.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

#define SHADOW_MAX      (256 * 1024) /* bytes of such a file */
#define SHADOW_HASH_MAX 255

/* What crypt(3) makes, or a locked password: printable, no blank, ':' or '!' only in front. */
bool shadow_hash_is_valid(const char *hash);

/* The hash of root in TEXT to RET. -ENOENT: no such line. -EINVAL: what it has is no hash. */
ATTR_MUST_CHECK int shadow_get_root(const char *text, const char *source,
				    char ret[static SHADOW_HASH_MAX + 1], struct err *e);

/* TEXT with HASH in root's line, which is added when absent. The caller frees. */
char *shadow_set_root(const char *text, const char *hash);
