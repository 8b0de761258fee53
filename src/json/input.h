/* SPDX-License-Identifier: MIT */
/*
 * input.h - all of the input, and the HTTP headers before it.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* FILE or, NULL, standard input; as valid UTF-8, a '\0' follows. The caller frees. */
ATTR_MUST_CHECK int input_read(const char *file, char **ret_text, size_t *ret_len,
			       struct err *e);

/* How many bytes of TEXT are HTTP headers, those of 100 Continue and the like included. */
size_t input_headers(const char *text, size_t len);
