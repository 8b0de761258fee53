/* SPDX-License-Identifier: MIT */
#include "base/jv_skim.h"

#include <string.h>

struct skim {
	const char *p;
	const char *end;
};

static void skip_blanks(struct skim *s)
{
	while (s->p < s->end &&
	       (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
}

static bool skip_char(struct skim *s, char c)
{
	skip_blanks(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(struct skim *s)
{
	if (!skip_char(s, '"'))
		return false;
	for (; s->p < s->end; s->p++) {
		if (*s->p == '\\')
			s->p++;
		else if (*s->p == '"') {
			s->p++;
			return true;
		}
	}
	return false;
}

static bool skip_nested(struct skim *s)
{
	size_t depth = 0;

	while (s->p < s->end) {
		char c = *s->p;

		if (c == '"') {
			if (!skip_string(s))
				return false;
			continue;
		}
		s->p++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

static bool skip_value(struct skim *s)
{
	const char *begin;

	skip_blanks(s);
	if (s->p >= s->end)
		return false;
	if (*s->p == '"')
		return skip_string(s);
	if (*s->p == '{' || *s->p == '[')
		return skip_nested(s);
	begin = s->p;
	while (s->p < s->end && !memchr(",}] \t\r\n", *s->p, 7))
		s->p++;
	return s->p > begin;
}

bool jv_skim(const char *text, size_t len,
	     bool (*wanted)(const void *data, const char *name, size_t name_len),
	     const void *data, struct buf *out)
{
	struct skim s = { text, text + len };
	bool first = true;

	if (!skip_char(&s, '{'))
		return false;
	buf_addc(out, '{');
	while (!skip_char(&s, '}')) {
		const char *key, *name_end;

		if (!first && !skip_char(&s, ','))
			return false;
		first = false;
		skip_blanks(&s);
		key = s.p;
		if (!skip_string(&s))
			return false;
		name_end = s.p - 1;
		if (!skip_char(&s, ':') || !skip_value(&s))
			return false;
		if (!wanted(data, key + 1, (size_t)(name_end - key - 1)))
			continue;
		if (out->len > 1)
			buf_addc(out, ',');
		buf_add(out, key, (size_t)(s.p - key));
	}
	buf_addc(out, '}');
	skip_blanks(&s);
	return s.p == s.end;
}
