/* SPDX-License-Identifier: MIT */
#include "libpayload/js_regex.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define PATTERN_MAX 1024

/* The library unrolls {N}: what is within another one multiplies. */
#define REPEATS_MAX 4096

/* What the class \C is, written to stand inside brackets; NULL: it is no class. */
static const char *class_members(char c)
{
	switch (c) {
	case 'd':
		return "0-9";
	case 'w':
		return "A-Za-z0-9_";
	case 's':
		return "[:space:]";
	default:
		return NULL;
	}
}

static int refuse(const char *pattern, const char *what, struct err *e)
{
	return err_set(e, -EINVAL, "regular expression '%s': %s", pattern, what);
}

/* \C outside brackets. */
static int translate_escape(const char *pattern, char c, struct buf *out, struct err *e)
{
	const char *members = class_members(c);
	const char *negated = class_members((char)tolower((unsigned char)c));

	if (members)
		buf_addf(out, "[%s]", members);
	else if (isupper((unsigned char)c) && negated)
		buf_addf(out, "[^%s]", negated);
	else if (c == 'b' || c == 'B')
		buf_addf(out, "\\%c", c);
	else if (c == 't')
		buf_addc(out, '\t');
	else if (c == '\0')
		return refuse(pattern, "ends with '\\'", e);
	else if (isalnum((unsigned char)c))
		return refuse(pattern, "has an escape that is not supported", e);
	else
		buf_addf(out, "\\%c", c);
	return 0;
}

/*
 * A bracket at *P, up to its end. POSIX has no escapes in there, and three
 * characters have to stand at places of their own: ']' first, '^' not first,
 * '-' last.
 */
static int translate_bracket(const char *pattern, const char **p, struct buf *out,
			     struct err *e)
{
	cleanup_buf struct buf members = BUF_INIT;
	bool not_set = false, closing = false, caret = false, dash = false;
	const char *c = *p + 1;

	if (*c == '^') {
		not_set = true;
		c++;
	}
	for (; *c && *c != ']'; c++) {
		if (*c == '\\' && c[1]) {
			const char *class = class_members(*++c);

			if (class)
				buf_adds(&members, class);
			else if (*c == ']')
				closing = true;
			else if (*c == '^')
				caret = true;
			else if (*c == '-')
				dash = true;
			else if (isalnum((unsigned char)*c))
				return refuse(pattern, "has an escape that is not supported",
					      e);
			else
				buf_addc(&members, *c);
		} else if (*c == '^') {
			caret = true;
		} else if (*c == '-' && (!members.len || c[1] == ']')) {
			dash = true;
		} else {
			buf_addc(&members, *c);
		}
	}
	if (*c != ']')
		return refuse(pattern, "has a '[' without its ']'", e);
	*p = c;
	/* [] matches nothing and [^] anything, which POSIX cannot say. */
	if (!members.len && !closing && !caret && !dash)
		return refuse(pattern, "has empty brackets", e);
	/* Nothing may stand before '^' but what makes it a member. */
	if (caret && !not_set && !closing && !members.len)
		buf_adds(out, dash ? "[-^]" : "\\^");
	else
		buf_addf(out, "[%s%s%s%s%s]", not_set ? "^" : "", closing ? "]" : "",
			 buf_str(&members), caret ? "^" : "", dash ? "-" : "");
	return 0;
}

/*
 * "{N}" and "{N,M}" at P, as part of all in the pattern: *REPEATS is their product.
 * A brace that begins no repeat is a character like any other.
 */
static int count_repeats(const char *pattern, const char *p, unsigned long *repeats,
			 struct err *e)
{
	unsigned long n = 0, bound = 0;

	for (p++; *p && *p != '}'; p++) {
		if (isdigit((unsigned char)*p))
			n = n > REPEATS_MAX ? n : n * 10 + (unsigned long)(*p - '0');
		else if (*p == ',')
			n = 0;
		else
			return refuse(pattern, "has a '{' that begins no repeat", e);
		bound = n > bound ? n : bound;
	}
	*repeats *= bound > 1 ? bound : 1;
	if (*p != '}' || *repeats > REPEATS_MAX)
		return refuse(pattern, "repeats too often", e);
	return 0;
}

static bool is_repeat(char c)
{
	return c && strchr("*+?}", c);
}

static int translate(const char *pattern, struct buf *out, struct err *e)
{
	unsigned long repeats = 1;
	int before = 0; /* 1: a repeat stands before, 2: a lazy one */

	for (const char *p = pattern; *p; p++) {
		int after = before;
		int r = 0;

		before = is_repeat(*p) || *p == '{';
		if (*p == '\\') {
			r = translate_escape(pattern, p[1], out, e);
			p++;
		} else if (*p == '[') {
			r = translate_bracket(pattern, &p, out, e);
		} else if (*p == '(' && p[1] == '?') {
			if (p[2] != ':')
				return refuse(pattern, "has a group that is not supported", e);
			buf_addc(out, '(');
			p += 2;
		} else if (*p == '?' && after == 1) {
			/* Lazy or not makes no difference to whether there is a match. */
			before = 2;
			continue;
		} else if (before && after && *p != '}') {
			r = refuse(pattern, "repeats a repeat", e);
		} else {
			if (*p == '{')
				r = count_repeats(pattern, p, &repeats, e);
			buf_addc(out, *p);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int js_regex_compile(const char *pattern, regex_t *ret, struct err *e)
{
	cleanup_buf struct buf out = BUF_INIT;
	char why[128];
	int r;

	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, -E2BIG, "regular expression is longer than %d characters",
			       PATTERN_MAX);
	r = translate(pattern, &out, e);
	if (r < 0)
		return r;
	r = regcomp(ret, buf_str(&out), REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (r == 0)
		return 0;
	(void)regerror(r, ret, why, sizeof(why));
	return refuse(pattern, why, e);
}
