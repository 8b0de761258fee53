/* SPDX-License-Identifier: MIT */
/*
 * number.c - numbers in the form in which JavaScript prints them.
 *
 * Most are in that form already, and are left alone: whole numbers and decimal
 * fractions of at most 15 digits that end in none that is needless.
 */
#include "json/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_SURE 15 /* a double gives back any decimal of so many */
#define DIGITS_MAX  21 /* from 1e21 on JavaScript prints an exponent */

/* Is TEXT its own shortest form? */
static bool is_plain(const char *text, size_t len)
{
	const char *dot;
	bool negative = *text == '-';

	text += negative;
	len -= negative;
	if (len > DIGITS_SURE + 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((text[i] | 0x20) == 'e')
			return false;
	dot = memchr(text, '.', len);
	if (!dot)
		return len <= DIGITS_SURE && (*text != '0' || !negative);
	return text[len - 1] != '0' && (*text != '0' || strncmp(dot, ".00000", 6) != 0);
}

/* A whole number too large for a double, and not for its reader. */
static bool keeps_digits(const char *text, size_t len)
{
	size_t sign = *text == '-';

	return len - sign <= DIGITS_MAX && len - sign > DIGITS_SURE &&
	       strspn(text + sign, "0123456789") == len - sign;
}

/* The fewest digits that read as VALUE, and the power of ten of the first. */
static int shortest(double value, char digits[static 32], int *ret_power)
{
	char text[40];
	int n = 0;

	/* The smallest ones have fewer digits to give. */
	for (int precision = value < DBL_MIN ? 0 : DIGITS_SURE - 1; precision <= 16;
	     precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	for (const char *c = text; *c != 'e'; c++)
		if (*c != '.')
			digits[n++] = *c;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	*ret_power = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	return n;
}

static int format(double value, char *to, size_t size)
{
	char d[32];
	int power;
	const char *sign = value < 0 ? "-" : "";
	int n = shortest(fabs(value), d, &power);

	if (power >= DIGITS_MAX || power < -6)
		return snprintf(to, size, "%s%.1s%s%se%+d", sign, d, n > 1 ? "." : "", d + 1,
				power);
	if (power < 0)
		return snprintf(to, size, "%s0.%.*s%s", sign, -power - 1, "00000", d);
	if (n <= power + 1)
		return snprintf(to, size, "%s%s%.*s", sign, d, power + 1 - n,
				"000000000000000000000");
	return snprintf(to, size, "%s%.*s.%s", sign, power + 1, d, d + power + 1);
}

void number_set(struct arena *a, struct node *n, const char *text, size_t len)
{
	double value;
	char *to;

	n->text = text;
	n->len = (uint32_t)len;
	if (is_plain(text, len) || keeps_digits(text, len))
		return;
	value = strtod(text, NULL);
	to = arena_alloc(a, 40);
	if (isinf(value))
		n->len = (uint32_t)snprintf(to, 40, "null");
	else if (value == 0)
		n->len = (uint32_t)snprintf(to, 40, "0");
	else
		n->len = (uint32_t)format(value, to, 40);
	n->text = to;
}
