/* SPDX-License-Identifier: MIT */
#include "mdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_add(struct text *t, const void *data, size_t len)
{
	char *grown = realloc(t->data, t->len + len + 1);

	if (!grown)
		abort();
	if (len > 0)
		memcpy(grown + t->len, data, len);
	t->data = grown;
	t->len += len;
	t->data[t->len] = '\0';
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

/* ---- base64, and the sum ------------------------------------------------------- */

static void encode(struct text *out, const char *data, size_t len)
{
	const unsigned char *in = (const unsigned char *)data;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		char four[4];

		bits |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= have > 2 ? (uint32_t)in[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			four[k] = k <= have ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
		text_add(out, four, sizeof(four));
	}
}

/* What the host sends is whole groups of four; anything else is damage. */
static bool decode(struct text *out, const char *in, size_t len)
{
	if (len % 4)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		size_t pad = i + 4 == len ? (in[i + 3] == '=') + (in[i + 2] == '=') : 0;
		uint32_t bits = 0;
		char three[3];

		for (size_t k = 0; k < 4; k++) {
			const char *at = k < 4 - pad ? strchr(alphabet, in[i + k]) : alphabet;

			if (!at || !*at)
				return false;
			bits = bits << 6 | (uint32_t)(at - alphabet);
		}
		three[0] = (char)(bits >> 16);
		three[1] = (char)(bits >> 8 & 0xff);
		three[2] = (char)(bits & 0xff);
		text_add(out, three, 3 - pad);
	}
	return true;
}

static uint32_t crc32(const char *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* ---- frames -------------------------------------------------------------------- */

void frame_build(struct text *out, uint32_t id, const char *verb, const char *payload,
		 size_t len)
{
	struct text body = { 0 };
	char head[64];
	int n = snprintf(head, sizeof(head), "%08x %s%s", id, verb, len ? " " : "");

	text_add(&body, head, (size_t)n);
	encode(&body, payload, len);
	n = snprintf(head, sizeof(head), "V2 %zu %08x ", body.len, crc32(body.data, body.len));
	text_add(out, head, (size_t)n);
	text_add(out, body.data, body.len);
	text_add(out, "\n", 1);
	text_free(&body);
}

void frame_pair(struct text *out, const char *key, const char *value, size_t len)
{
	encode(out, key, strlen(key));
	text_add(out, " ", 1);
	encode(out, value, len);
}

/* Moves *AT behind the number that is there; false: none is, or no blank after it. */
static bool take_number(const char **at, int base, unsigned long *ret)
{
	char *end;

	if (!**at || !strchr("0123456789abcdef", **at))
		return false;
	*ret = strtoul(*at, &end, base);
	if (*end != ' ')
		return false;
	*at = end + 1;
	return true;
}

bool frame_parse(const char *line, uint32_t id, char ret_code[static 16],
		 struct text *ret_payload)
{
	unsigned long length, crc, got_id;
	const char *at = line + 3;
	size_t n;

	if (strncmp(line, "V2 ", 3) != 0 || !take_number(&at, 10, &length) ||
	    !take_number(&at, 16, &crc))
		return false;
	if (strlen(at) != length || crc32(at, length) != crc)
		return false;
	if (!take_number(&at, 16, &got_id) || got_id != id)
		return false;
	n = strcspn(at, " ");
	if (n == 0 || n > 15)
		return false;
	(void)snprintf(ret_code, 16, "%.*s", (int)n, at);
	at += n + (at[n] == ' ');
	return decode(ret_payload, at, strlen(at));
}
