/* SPDX-License-Identifier: MIT */
#include "libmdata/private.h"

#include "libmdata/base64.h"

#include <stdio.h>
#include <string.h>

#define LOWER_HEX "0123456789abcdef"

void mdata_frame_done(struct mdata_frame *f)
{
	buf_done(&f->payload);
}

/* A part of a line that is being read from its beginning. */
struct part {
	const char *at;
	size_t left;
};

static size_t span(const struct part *p, const char *set)
{
	size_t n = 0;

	while (n < p->left && p->at[n] && strchr(set, p->at[n]))
		n++;
	return n;
}

static void skip(struct part *p, size_t n)
{
	p->at += n;
	p->left -= n;
}

/* Blanks between two words: at least one. */
static bool take_gap(struct part *p)
{
	size_t n = span(p, " \t");

	skip(p, n);
	return n > 0;
}

static bool take_length(struct part *p, size_t *ret_length)
{
	size_t n = span(p, "0123456789");
	size_t length = 0;

	if (n == 0 || n > 9)
		return false;
	for (size_t i = 0; i < n; i++)
		length = length * 10 + (size_t)(p->at[i] - '0');
	skip(p, n);
	*ret_length = length;
	return take_gap(p);
}

static bool take_crc(struct part *p, uint32_t *ret_crc)
{
	uint32_t crc = 0;

	if (span(p, LOWER_HEX) != 8)
		return false;
	for (size_t i = 0; i < 8; i++)
		crc = crc << 4 | (uint32_t)(strchr(LOWER_HEX, p->at[i]) - LOWER_HEX);
	skip(p, 8);
	*ret_crc = crc;
	return take_gap(p);
}

/* "ID VERB" and, after a blank, a payload. */
static bool take_body(struct part body, struct mdata_frame *f)
{
	size_t n;

	if (span(&body, LOWER_HEX) != MDATA_REQUEST_ID)
		return false;
	(void)snprintf(f->id, sizeof(f->id), "%.*s", MDATA_REQUEST_ID, body.at);
	skip(&body, MDATA_REQUEST_ID);
	if (!take_gap(&body))
		return false;
	for (n = 0; n < body.left && body.at[n] != ' '; n++)
		;
	if (n == 0 || memchr(body.at, '\0', n))
		return false;
	(void)snprintf(f->verb, sizeof(f->verb), "%.*s", (int)(n < 31 ? n : 31), body.at);
	skip(&body, n);
	base64_decode(&f->payload, body.at, body.left);
	return true;
}

bool mdata_frame_parse(const char *text, size_t len, struct mdata_frame *ret_frame)
{
	struct part p = { text, len };
	size_t length;
	uint32_t crc;

	*ret_frame = (struct mdata_frame){ .payload = BUF_INIT };
	if (!take_gap(&p) || !take_length(&p, &length) || !take_crc(&p, &crc))
		return false;
	if (p.left != length || crc32_ieee(p.at, p.left) != crc)
		return false;
	return take_body(p, ret_frame);
}

void mdata_frame_add(struct buf *out, const char *id, const char *code, const char *payload,
		     size_t len)
{
	cleanup_buf struct buf body = BUF_INIT;

	buf_addf(&body, "%s %s", id, code);
	if (len > 0) {
		buf_addc(&body, ' ');
		base64_encode(&body, payload, len);
	}
	buf_addf(out, "V2 %zu %08x ", body.len, crc32_ieee(body.data, body.len));
	buf_add(out, body.data, body.len);
	buf_addc(out, '\n');
}
