/* SPDX-License-Identifier: MIT */
/*
 * text.c - UTF-8 in and out, and the escapes of JSON strings.
 */
#include "json/json.h"

#include "base/alloc.h"

#include <string.h>

/* How many bytes the form that starts with C has, 0: none starts so. */
static size_t form_len(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The second byte tells overlong forms, surrogates and what is above U+10FFFF. */
static bool second_is_good(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return (second & 0xc0) == 0x80;
	}
}

/* The bytes of a well-formed character, or of what was well begun; *RET_GOOD tells. */
static size_t take(const char *s, const char *end, bool *ret_good)
{
	size_t want = form_len((unsigned char)*s);
	size_t n = 1;

	while (n < want && s + n < end) {
		unsigned char c = (unsigned char)s[n];

		if (n == 1 ? !second_is_good((unsigned char)*s, c) : (c & 0xc0) != 0x80)
			break;
		n++;
	}
	*ret_good = n == want;
	return n;
}

size_t utf8_char(const char *s, const char *end, uint32_t *ret_code)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t n;

	if (s >= end)
		return 0;
	n = form_len((unsigned char)*s);
	if (n == 0 || n > (size_t)(end - s)) {
		*ret_code = 0xfffd;
		return 1;
	}
	*ret_code = (unsigned char)*s & mask[n];
	for (size_t i = 1; i < n; i++)
		*ret_code = *ret_code << 6 | ((unsigned char)s[i] & 0x3f);
	return n;
}

size_t utf8_put(char *to, uint32_t code)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(lead[n] | code);
	return n;
}

static const char *skip_ascii(const char *s, const char *end)
{
	uint64_t word;

	for (; end - s >= 8; s += 8) {
		memcpy(&word, s, 8);
		if (word & 0x8080808080808080U)
			break;
	}
	while (s < end && (unsigned char)*s < 0x80)
		s++;
	return s;
}

static const char *skip_valid(const char *s, const char *end)
{
	for (;;) {
		bool good;
		size_t n;

		s = skip_ascii(s, end);
		if (s == end)
			return s;
		n = take(s, end, &good);
		if (!good)
			return s;
		s += n;
	}
}

char *utf8_repair(const char *text, size_t len, size_t *ret_len)
{
	const char *end = text + len;
	const char *bad = skip_valid(text, end);
	char *fixed, *to;

	if (bad == end)
		return NULL;
	/* Each byte becomes a replacement character of three at the worst. */
	fixed = xmalloc(len * 3 + 1);
	to = fixed;
	for (const char *s = text; s < end; bad = skip_valid(s, end)) {
		bool good;

		memcpy(to, s, (size_t)(bad - s));
		to += bad - s;
		s = bad;
		if (s == end)
			break;
		s += take(s, end, &good);
		to += utf8_put(to, 0xfffd);
	}
	*to = '\0';
	*ret_len = (size_t)(to - fixed);
	return fixed;
}

static uint32_t hex4(const char *s)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];

		code = code << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

/* One escape at S, just behind the backslash; two of them when they are a pair. */
static const char *unescape_one(const char *s, const char *end, uint32_t *ret_code)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";
	const char *known = strchr(from, *s);
	uint32_t low;

	*ret_code = known && *s ? (uint32_t)to[known - from] : (uint32_t)*s;
	if (*s != 'u')
		return s + 1;
	*ret_code = hex4(s + 1);
	s += 5;
	if (*ret_code < 0xd800 || *ret_code > 0xdbff || end - s < 6 || s[0] != '\\' ||
	    s[1] != 'u')
		return s;
	low = hex4(s + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return s;
	*ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (low - 0xdc00);
	return s + 6;
}

/* RAW is known to be well formed; TO has room for LEN bytes. */
size_t json_unescape(const char *raw, size_t len, char *to, bool *ret_escape)
{
	const char *end = raw + len;
	char *start = to;
	bool escape = false;

	while (raw < end) {
		uint32_t code;

		if (*raw != '\\') {
			*to++ = *raw++;
			continue;
		}
		raw = unescape_one(raw + 1, end, &code);
		escape |= code < ' ' || code == '"' || code == '\\' ||
			  (code >= 0xd800 && code <= 0xdfff);
		to += utf8_put(to, code);
	}
	*ret_escape = escape;
	return (size_t)(to - start);
}
