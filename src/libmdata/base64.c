/* SPDX-License-Identifier: MIT */
#include "libmdata/base64.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *b, const void *data, size_t len)
{
	const unsigned char *in = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		char out[4];

		bits |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= have > 2 ? (uint32_t)in[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			out[k] = k <= have ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
		buf_add(b, out, sizeof(out));
	}
}

/* The six bits of a character, or -1. The second pair is of the alphabet for names of files. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

void base64_decode(struct buf *b, const char *text, size_t len)
{
	unsigned int have = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < len && text[i] != '='; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			continue;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		buf_addc(b, (char)(bits >> have & 0xff));
	}
}

uint32_t crc32_ieee(const void *data, size_t len)
{
	const unsigned char *in = data;
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= in[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}
