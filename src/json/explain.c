/* SPDX-License-Identifier: MIT */
/*
 * explain.c - why a text is no JSON, in the words of the original.
 *
 * The parser is strict and says no more than how far it came. Only when it failed,
 * this slower and somewhat more tolerant reader goes over the text again and finds
 * the words; its grammar decides where an error is seen. Where it has none to tell
 * (01, "1.", a control character in a string) the parser's own place is named.
 */
#include "json/json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct reader {
	const char *at, *end;
	const char *bad_digit; /* the first one of a "\\u" that is none */
	int depth;
	char why[80]; /* empty until an error was seen; it stays at AT then */
};

/* The character at hand, '\0' at the end. Every byte of a longer form is "some other". */
static char now(const struct reader *r)
{
	return r->at < r->end ? *r->at : '\0';
}

static bool fail(struct reader *r, const char *why)
{
	if (!r->why[0])
		(void)snprintf(r->why, sizeof(r->why), "%s", why);
	return false;
}

/* The character at hand as it is quoted; half of a pair cannot be shown. */
static int shown(const struct reader *r, const char **ret)
{
	uint32_t code;
	size_t n = utf8_char(r->at, r->end, &code);

	*ret = n == 4 ? "\xef\xbf\xbd" : r->at;
	return n == 4 ? 3 : (int)n;
}

static bool unexpected(struct reader *r)
{
	const char *c;
	int len = shown(r, &c);

	if (!r->why[0])
		(void)snprintf(r->why, sizeof(r->why), "Unexpected '%.*s'", len, c);
	return false;
}

static bool expect(struct reader *r, char want)
{
	const char *c;
	int len = shown(r, &c);

	if (r->at < r->end && now(r) == want) {
		r->at++;
		return true;
	}
	if (!r->why[0])
		(void)snprintf(r->why, sizeof(r->why), "Expected '%c' instead of '%.*s'", want,
			       len, c);
	return false;
}

static void white(struct reader *r)
{
	while (r->at < r->end && (unsigned char)*r->at <= ' ')
		r->at++;
}

/* A digit that is none is passed over, whatever it is: only the end, or what follows, fails. */
static bool read_hex(struct reader *r)
{
	for (int i = 0; i < 4; i++) {
		r->at++;
		if (r->at >= r->end)
			return false;
		if (isxdigit((unsigned char)*r->at))
			continue;
		r->bad_digit = r->bad_digit ? r->bad_digit : r->at;
		break;
	}
	return true;
}

static bool read_string(struct reader *r)
{
	if (now(r) != '"')
		return fail(r, "Bad string");
	for (r->at++; r->at < r->end; r->at++) {
		if (*r->at == '"') {
			r->at++;
			return true;
		}
		if (*r->at != '\\')
			continue;
		r->at++;
		if (now(r) == 'u' ? !read_hex(r) : !now(r) || !strchr("\"\\/bfnrt", now(r)))
			break;
	}
	return fail(r, "Bad string");
}

static size_t digits(struct reader *r)
{
	const char *start = r->at;

	while (isdigit((unsigned char)now(r)))
		r->at++;
	return (size_t)(r->at - start);
}

static bool read_number(struct reader *r)
{
	size_t count;

	if (now(r) == '-')
		r->at++;
	count = digits(r);
	if (now(r) == '.') {
		r->at++;
		count += digits(r);
	}
	if (count > 0 && (now(r) | 0x20) == 'e') {
		r->at++;
		if (now(r) == '-' || now(r) == '+')
			r->at++;
		count = digits(r);
	}
	return count > 0 ? true : fail(r, "Bad number");
}

static bool read_word(struct reader *r)
{
	const char *word = now(r) == 't' ? "true" : now(r) == 'f' ? "false" : "null";

	if (now(r) != *word)
		return unexpected(r);
	for (; *word; word++)
		if (!expect(r, *word))
			return false;
	return true;
}

static bool read_value(struct reader *r);

static bool read_many(struct reader *r, bool object)
{
	char end = object ? '}' : ']';

	r->at++;
	white(r);
	if (now(r) == end)
		return expect(r, end);
	while (r->at < r->end) {
		if (object) {
			if (!read_string(r))
				return false;
			white(r);
			if (!expect(r, ':'))
				return false;
		}
		if (!read_value(r))
			return false;
		white(r);
		if (now(r) == end)
			return expect(r, end);
		if (!expect(r, ','))
			return false;
		white(r);
	}
	return fail(r, object ? "Bad object" : "Bad array");
}

static bool read_value(struct reader *r)
{
	bool good;

	white(r);
	switch (now(r)) {
	case '{':
	case '[':
		if (r->depth == JSON_DEPTH_MAX)
			return fail(r, "Nested too deep");
		r->depth++;
		good = read_many(r, now(r) == '{');
		r->depth--;
		return good;
	case '"':
		return read_string(r);
	default:
		return now(r) == '-' || isdigit((unsigned char)now(r)) ? read_number(r)
								       : read_word(r);
	}
}

/* Columns count as JavaScript does: characters above U+FFFF are two. */
static size_t column(const char *line, const char *at)
{
	size_t n = 1;

	while (line < at) {
		uint32_t code;
		size_t len = utf8_char(line, at, &code);

		n += len == 4 ? 2 : 1;
		line += len;
	}
	return n;
}

void explain_error(struct out *o, const char *text, size_t len, const char *at)
{
	struct reader r = { .at = text, .end = text + len };
	const char *line = text;
	size_t number = 1;
	size_t col;
	char where[64];

	if (read_value(&r)) {
		white(&r);
		if (r.at < r.end)
			(void)fail(&r, "Syntax error");
		else if (r.bad_digit)
			(void)fail(&r, "Bad Unicode escape");
		if (r.at == r.end)
			r.at = r.bad_digit ? r.bad_digit : at;
	}
	for (const char *c = text; c < r.at; c++)
		if (*c == '\n') {
			line = c + 1;
			number++;
		}
	col = column(line, r.at);
	(void)snprintf(where, sizeof(where), " at line %zu, column %zu:\n        ", number,
		       col);
	out_adds(o, r.why[0] ? r.why : "Not allowed here");
	out_adds(o, where);
	at = memchr(line, '\n', (size_t)(r.end - line));
	out_add(o, line, (size_t)((at ? at : r.end) - line));
	out_adds(o, "\n        ");
	while (--col > 0)
		out_addc(o, '.');
	out_adds(o, "^\n");
}
