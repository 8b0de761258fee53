/* SPDX-License-Identifier: MIT */
/*
 * js_regex.h - the regular expressions that filters are written in.
 *
 * Those of JavaScript before it had named groups and could look behind, without case,
 * found anywhere in a text; what web pages may write besides ("a{" is a text, "\q" is q) is
 * understood too. POSIX has no way to say what a text must not hold: "^(?!web)".
 *
 * It tries one way after the other. A text for which that takes more than a bounded number
 * of steps, as "(a*)*b" can make it, is not found.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct js_regex;

/* The caller ends with js_regex_free(). */
ATTR_MUST_CHECK int js_regex_compile(const char *pattern, struct js_regex **ret, struct err *e);
bool js_regex_finds(const struct js_regex *re, const char *text);
void js_regex_free(struct js_regex *re);
