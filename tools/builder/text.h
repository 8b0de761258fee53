/* SPDX-License-Identifier: MIT */
/*
 * text.h - text files that the caller named: manifests and accounts.
 *
 * Unlike file_read_all() these follow a symbolic link, as a name on a command
 * line may be one. What could block or never end is refused.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/stat.h>

/* Open the regular file PATH for text_read(); returns its descriptor. */
ATTR_MUST_CHECK int text_open(const char *path, struct stat *st, struct err *e);

/* At most MAX bytes of FD, whose size ST tells; '\0' follows them. The caller frees. */
ATTR_MUST_CHECK int text_read(int fd, const struct stat *st, size_t max, char **ret_text,
			      size_t *ret_len, struct err *e);
