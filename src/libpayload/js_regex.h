/* SPDX-License-Identifier: MIT */
/*
 * js_regex.h - the regular expressions that filters are written in.
 *
 * Those of JavaScript, without case, found anywhere in a text. What is common
 * to them and to POSIX extended expressions is left as it is; \d \w \s (also in
 * brackets), (?:...) and lazy repeats are translated. Looking ahead or behind,
 * named groups and references back are refused by name.
 */
#pragma once

#include "base/err.h"

#include <regex.h>

/* On success the caller ends with regfree(). */
ATTR_MUST_CHECK int js_regex_compile(const char *pattern, regex_t *ret, struct err *e);
