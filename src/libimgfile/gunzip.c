/* SPDX-License-Identifier: MIT */
#include "libimgfile/gunzip.h"

#include "base/alloc.h"
#include "base/fileio.h"

#include <isa-l/igzip_lib.h>
#include <stdbool.h>

#define IN_BLOCK  (256U << 10)
#define OUT_BLOCK (128U << 10) /* what was inflated is in a core's cache when it is written */

/* The header's flags (RFC 1952). */
#define HAS_HCRC    0x02
#define HAS_EXTRA   0x04
#define HAS_NAME    0x08
#define HAS_COMMENT 0x10
#define RESERVED    0xe0

struct gunzip {
	struct inflate_state z; /* its next_in and avail_in are what is read and not yet used */
	int infd, outfd;
	struct digest *digest;
	bool started; /* a whole header was there */
	uint8_t in[IN_BLOCK];
	uint8_t out[OUT_BLOCK];
};

static int damaged(const char *why, struct err *e)
{
	return err_set(e, -EINVAL, "the gzip data is damaged: %s", why);
}

/* Once all is used. 0: that was all. */
static ssize_t refill(struct gunzip *g, struct err *e)
{
	ssize_t n;

	do
		n = read(g->infd, g->in, sizeof(g->in));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "cannot read the gzip data");
	g->z.next_in = g->in;
	g->z.avail_in = (uint32_t)n;
	return n;
}

/* ---- a member's header ---------------------------------------------------- */

/* 1 and a byte, 0 at the end. */
static int next_byte(struct gunzip *g, uint8_t *ret, struct err *e)
{
	ssize_t n = g->z.avail_in ? 1 : refill(g, e);

	if (n <= 0)
		return (int)n;
	*ret = *g->z.next_in++;
	g->z.avail_in--;
	return 1;
}

static int skip_bytes(struct gunzip *g, size_t count, struct err *e)
{
	uint8_t byte;
	int r = 1;

	while (r > 0 && count--)
		r = next_byte(g, &byte, e);
	return r;
}

static int skip_text(struct gunzip *g, struct err *e)
{
	uint8_t byte = 0;
	int r;

	do
		r = next_byte(g, &byte, e);
	while (r > 0 && byte);
	return r;
}

static int skip_extra(struct gunzip *g, struct err *e)
{
	uint8_t low = 0, high = 0;
	int r = next_byte(g, &low, e);

	if (r > 0)
		r = next_byte(g, &high, e);
	return r > 0 ? skip_bytes(g, (size_t)high << 8 | low, e) : r;
}

/* 1: a member follows; 0: what is there is none, or not a whole header. */
static int read_header(struct gunzip *g, struct err *e)
{
	static const uint8_t magic[] = { 0x1f, 0x8b, 8 };
	uint8_t byte = 0, flags = 0;
	int r = 1;

	for (size_t i = 0; r > 0 && i < sizeof(magic); i++) {
		r = next_byte(g, &byte, e);
		if (r > 0 && byte != magic[i])
			return 0;
	}
	if (r > 0)
		r = next_byte(g, &flags, e);
	if (r <= 0 || flags & RESERVED)
		return r < 0 ? r : 0;
	r = skip_bytes(g, 6, e); /* time, how hard it was tried, system */
	if (r > 0 && flags & HAS_EXTRA)
		r = skip_extra(g, e);
	if (r > 0 && flags & HAS_NAME)
		r = skip_text(g, e);
	if (r > 0 && flags & HAS_COMMENT)
		r = skip_text(g, e);
	if (r > 0 && flags & HAS_HCRC)
		r = skip_bytes(g, 2, e);
	return r;
}

/* ---- a member ------------------------------------------------------------- */

static const char *reason(int status)
{
	switch (status) {
	case ISAL_INVALID_BLOCK:
		return "there is no such kind of block";
	case ISAL_INVALID_SYMBOL:
		return "there is no such symbol";
	case ISAL_INVALID_LOOKBACK:
		return "it refers to before its beginning";
	case ISAL_INCORRECT_CHECKSUM:
		return "its checksum is another";
	default:
		return "it cannot be inflated";
	}
}

static int hand_on(struct gunzip *g, struct err *e)
{
	size_t len = sizeof(g->out) - g->z.avail_out;

	if (len == 0)
		return 0;
	if (g->digest)
		digest_add(g->digest, g->out, len);
	return file_write_fd(g->outfd, g->out, len) < 0
		       ? err_sys(e, "cannot hand the archive on")
		       : 0;
}

/* One blockful. ISA-L keeps inside what is more than that: ask it before reading on. */
static int inflate_some(struct gunzip *g, bool *full, struct err *e)
{
	int status;

	g->z.next_out = g->out;
	g->z.avail_out = sizeof(g->out);
	status = isal_inflate(&g->z);
	if (status < 0)
		return damaged(reason(status), e);
	*full = g->z.avail_out == 0;
	return hand_on(g, e);
}

static int inflate_member(struct gunzip *g, struct err *e)
{
	uint8_t *next = g->z.next_in;
	uint32_t avail = g->z.avail_in;
	bool full = false;
	int r = 0;

	isal_inflate_reset(&g->z);
	g->z.crc_flag = ISAL_GZIP_NO_HDR_VER;
	g->z.next_in = next;
	g->z.avail_in = avail;
	while (r == 0 && g->z.block_state != ISAL_BLOCK_FINISH) {
		ssize_t n = g->z.avail_in || full ? 1 : refill(g, e);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return damaged("truncated gzip input", e);
		r = inflate_some(g, &full, e);
	}
	return r;
}

int gunzip(int infd, int outfd, struct digest *digest, struct err *e)
{
	cleanup_free struct gunzip *g = xcalloc(1, sizeof(*g));
	int r = 0, more = 1;

	g->infd = infd;
	g->outfd = outfd;
	g->digest = digest;
	isal_inflate_init(&g->z);
	while (r == 0 && (more = read_header(g, e)) > 0) {
		g->started = true;
		r = inflate_member(g, e);
	}
	if (r == 0 && more == 0 && !g->started)
		return damaged("its header is not one of gzip, or ends too early", e);
	return r < 0 ? r : more < 0 ? more : 0;
}
