/* SPDX-License-Identifier: MIT */
#include "imgapi/range.h"

#include <stddef.h>
#include <string.h>

/* Digits at *P; false when there are none, or more than 64 bits hold. */
static bool take_number(const char **p, uint64_t *ret)
{
	uint64_t n = 0;
	const char *from = *p;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	*ret = n;
	return *p > from;
}

static enum range take_last(const char *p, uint64_t size, uint64_t *ret_from, uint64_t *ret_len)
{
	uint64_t n;

	if (!take_number(&p, &n) || *p)
		return RANGE_WHOLE;
	if (n == 0 || size == 0)
		return RANGE_BEYOND;
	*ret_len = n < size ? n : size;
	*ret_from = size - *ret_len;
	return RANGE_PART;
}

enum range range_parse(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_len)
{
	uint64_t from, to = UINT64_MAX;
	const char *p = text;

	if (!p || strncmp(p, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	p += 6;
	if (*p == '-')
		return take_last(p + 1, size, ret_from, ret_len);
	if (!take_number(&p, &from) || *p++ != '-')
		return RANGE_WHOLE;
	if (*p && (!take_number(&p, &to) || *p || to < from))
		return RANGE_WHOLE;
	if (from >= size)
		return RANGE_BEYOND;
	*ret_from = from;
	*ret_len = (to < size - 1 ? to : size - 1) - from + 1;
	return RANGE_PART;
}

bool range_tag_is_in(const char *list, const char *tag, bool weak_too)
{
	size_t len = strlen(tag);

	for (const char *p = list; p && *p;) {
		bool weak;

		p += strspn(p, " \t,");
		if (*p == '*')
			return true;
		weak = strncmp(p, "W/", 2) == 0;
		if (weak)
			p += 2;
		if (*p != '"')
			return false;
		p++;
		if (strncmp(p, tag, len) == 0 && p[len] == '"' && (weak_too || !weak))
			return true;
		p += strcspn(p, "\"");
		if (*p)
			p++;
	}
	return false;
}
