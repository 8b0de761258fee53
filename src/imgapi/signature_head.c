/* SPDX-License-Identifier: MIT */
/*
 * signature_head.c - what stands in the Authorization and Date of a signed request.
 *
 * Pure, and strict: foreign bytes come here before anything is known of who sent them.
 */
#include "imgapi/writers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FINGERPRINT_MAX 128

/* KEY="VALUE" at *P, with a comma or the end behind it. */
static bool take_pair(const char **p, char key[static 16], const char **ret_value,
		      size_t *ret_len)
{
	size_t len;

	*p += strspn(*p, " ");
	len = strcspn(*p, "=");
	if (len == 0 || len > 15 || strncmp(*p + len, "=\"", 2) != 0)
		return false;
	memcpy(key, *p, len);
	key[len] = '\0';
	*ret_value = *p + len + 2;
	*ret_len = strcspn(*ret_value, "\"");
	*p = *ret_value + *ret_len;
	if (**p != '"')
		return false;
	(*p)++;
	if (**p == ',') {
		(*p)++;
		return **p != '\0';
	}
	return **p == '\0';
}

static bool put(char *ret, size_t max, const char *value, size_t len)
{
	if (len == 0 || len >= max || *ret)
		return false; /* twice is once too often */
	memcpy(ret, value, len);
	ret[len] = '\0';
	return true;
}

/* "LOGIN", or "/LOGIN/keys/FINGERPRINT": which of the keys it is shows when one fits. */
static bool put_login(struct signature_head *h, const char *value, size_t len)
{
	const char *end = value + len;
	size_t own;

	if (len && *value == '/') {
		value++;
		own = strcspn(value, "/\"");
		if (strncmp(value + own, "/keys/", 6) != 0 ||
		    end - (value + own + 6) > FINGERPRINT_MAX)
			return false;
		len = own;
	}
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && !strchr("._@-", value[i]))
			return false;
	return len && *value != '.' && put(h->login, sizeof(h->login), value, len);
}

static bool put_value(struct signature_head *h, const char *key, const char *value, size_t len)
{
	if (strcmp(key, "keyId") == 0)
		return put_login(h, value, len);
	if (strcmp(key, "algorithm") == 0)
		return put(h->algorithm, sizeof(h->algorithm), value, len);
	if (strcmp(key, "signature") == 0)
		return put(h->signature, sizeof(h->signature), value, len);
	/* Only the date is signed, here as with the original's servers. */
	return strcmp(key, "headers") == 0 && len == 4 && strncasecmp(value, "date", 4) == 0;
}

bool signature_head_parse(const char *text, struct signature_head *ret)
{
	static const char lead[] = "Signature ";
	const char *p = text + sizeof(lead) - 1, *value;
	char key[16];
	size_t len;

	memset(ret, 0, sizeof(*ret));
	if (strncmp(text, lead, sizeof(lead) - 1) != 0)
		return false;
	do {
		if (!take_pair(&p, key, &value, &len) || !put_value(ret, key, value, len))
			return false;
	} while (*p);
	return ret->login[0] && ret->algorithm[0] && ret->signature[0];
}

static int month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (strncmp(name, months + 3L * i, 3) == 0)
			return i;
	return -1;
}

/* LEN digits at *P. */
static int number(const char *p, int len)
{
	int n = 0;

	for (int i = 0; i < len; i++) {
		if (!isdigit((unsigned char)p[i]))
			return -1;
		n = 10 * n + (p[i] - '0');
	}
	return n;
}

int64_t http_date_parse(const char *text)
{
	static const char shape[] = "aaa, 00 aaa 0000 00:00:00 GMT";
	struct tm tm = { 0 };
	time_t t;

	if (strlen(text) != sizeof(shape) - 1)
		return -1;
	for (size_t i = 0; shape[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		if (shape[i] == '0'   ? !isdigit(c)
		    : shape[i] == 'a' ? !isalpha(c)
				      : shape[i] != c)
			return -1;
	}
	tm.tm_mday = number(text + 5, 2);
	tm.tm_mon = month_of(text + 8);
	tm.tm_year = number(text + 12, 4) - 1900;
	tm.tm_hour = number(text + 17, 2);
	tm.tm_min = number(text + 20, 2);
	tm.tm_sec = number(text + 23, 2);
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 70 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -1;
	t = timegm(&tm);
	return t < 0 ? -1 : (int64_t)t;
}
