/* SPDX-License-Identifier: MIT */
/*
 * manifest_values.c - what a value of a manifest counts as.
 */
#include "libmanifest/manifest_private.h"

#include "base/jv.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void manifest_complain(struct check *c, const char *field, const char *code, const char *msg)
{
	struct manifest_problem *p;

	if (c->out->count == MANIFEST_PROBLEMS_MAX)
		return;
	p = &c->out->items[c->out->count++];
	(void)snprintf(p->field, sizeof(p->field), "%s", field);
	(void)snprintf(p->msg, sizeof(p->msg), "%s", msg ? msg : "");
	/* Field names may be foreign: they are shown. */
	for (unsigned char *s = (unsigned char *)p->field; *s; s++)
		if (iscntrl(*s))
			*s = '?';
	p->code = code;
}

bool manifest_check_items(struct check *c, const char *field, const struct jv *v,
			  bool (*is_good)(const struct jv *item))
{
	if (jv_type(v) != JV_ARRAY)
		return false;
	for (size_t i = 0; i < jv_len(v); i++)
		if (!is_good(jv_at(v, i)))
			manifest_complain(c, field, "Invalid", NULL);
	return true;
}

bool value_is_one_of(const struct jv *v, const char *const words[])
{
	const char *s = jv_as_string(v);

	for (size_t i = 0; s && words[i]; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

bool value_is_string(const struct jv *v)
{
	return jv_as_string(v) != NULL;
}

bool value_is_bool(const struct jv *v)
{
	return jv_type(v) == JV_TRUE || jv_type(v) == JV_FALSE;
}

bool value_is_empty(const struct jv *v)
{
	switch (jv_type(v)) {
	case JV_NULL:
	case JV_FALSE:
		return true;
	case JV_INT:
	case JV_REAL:
		return fpclassify(jv_as_real(v, 1)) == FP_ZERO;
	case JV_STRING:
		return !*jv_as_string(v);
	default:
		return false;
	}
}

bool value_has_only(const struct jv *v, const char *const keys[])
{
	size_t n = 0;

	if (jv_type(v) != JV_OBJECT)
		return false;
	for (; keys[n]; n++)
		if (!jv_get(v, keys[n]))
			return false;
	return jv_len(v) == n;
}

/* strtod() knows more than numbers: only its digits, signs and exponents are let through. */
static bool reads_as_number(const char *s, double *ret_number)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *marks = hex ? "xXabcdefABCDEF" : "+-.eE";
	char *end;

	for (const char *p = s; *p && !isspace((unsigned char)*p); p++)
		if (!isdigit((unsigned char)*p) && !strchr(marks, *p))
			return false;
	*ret_number = strtod(s, &end);
	if (end == s || !isfinite(*ret_number))
		return false;
	while (isspace((unsigned char)*end))
		end++;
	return !*end;
}

bool value_is_number(const struct jv *v, double *ret_number)
{
	const char *s = jv_as_string(v);

	*ret_number = 0;
	if (jv_type(v) == JV_INT || jv_type(v) == JV_REAL || jv_type(v) == JV_TRUE) {
		*ret_number = jv_as_real(v, 1);
		return true;
	}
	if (!s)
		return value_is_empty(v);
	while (isspace((unsigned char)*s))
		s++;
	return !*s || reads_as_number(s, ret_number);
}

bool value_is_integer(const struct jv *v)
{
	double n = jv_as_real(v, 0);

	return jv_type(v) == JV_INT ||
	       (jv_type(v) == JV_REAL && fpclassify(n - floor(n)) == FP_ZERO);
}

size_t value_length(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c & 0xc0) != 0x80)
			n += c >= 0xf0 ? 2 : 1;
	}
	return n;
}
