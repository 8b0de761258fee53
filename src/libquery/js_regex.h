/* SPDX-License-Identifier: MIT */
/*
 * js_regex.h - the regular expressions that filters are written in.
 *
 * Those of JavaScript, without case, found anywhere in a text, by PCRE2 with its options for
 * them: "\u0041", "[^]", a group that matched nothing, "\q" for q. POSIX has no way to say
 * what a text must not hold: "^(?!web)". What PCRE2 knows besides works as well: looking
 * behind, names of groups, possessive repetition.
 *
 * An expression for which a text takes more than a bounded number of steps, as "(a*)*b" can
 * make it, is not found in it.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct js_regex;

/*
 * The caller ends with js_regex_free(). -EINVAL: where in PATTERN what is wrong; -E2BIG;
 * -ENOENT: there is no libpcre2.
 */
ATTR_MUST_CHECK int js_regex_compile(const char *pattern, struct js_regex **ret, struct err *e);
bool js_regex_finds(const struct js_regex *re, const char *text);
void js_regex_free(struct js_regex *re);
