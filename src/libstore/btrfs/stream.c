/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/stream.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "libstore/btrfs/driver.h"

#include <string.h>

static const char magic[13] = "btrfs-stream";

static uint64_t number_at(const uint8_t *p, size_t bytes)
{
	uint64_t n = 0;

	for (size_t i = bytes; i-- > 0;)
		n = n << 8 | p[i];
	return n;
}

unsigned int stream_version(const void *head)
{
	return (unsigned int)number_at((const uint8_t *)head + sizeof(magic), 4);
}

long stream_piece(const void *data, size_t len, bool at_start, struct err *e)
{
	const uint8_t *p = data;
	size_t size;

	if (at_start) {
		if (len < STREAM_HEAD)
			return 0;
		if (memcmp(p, magic, sizeof(magic)) != 0)
			return err_set(e, -EBADMSG, "no btrfs stream begins here");
		if (stream_version(p) != 1 && stream_version(p) != 2)
			return err_set(e, -EBADMSG,
				       "btrfs stream of version %u; 1 and 2 are known",
				       stream_version(p));
		return STREAM_HEAD;
	}
	if (len < STREAM_COMMAND)
		return 0;
	size = STREAM_COMMAND + number_at(p, 4);
	if (size > STREAM_COMMAND_MAX)
		return err_set(e, -EBADMSG, "a command of %zu bytes; %zu are allowed", size,
			       STREAM_COMMAND_MAX);
	return len < size ? 0 : (long)size;
}

static int check_crc(const uint8_t *data, size_t len, struct err *e)
{
	static const uint8_t none[4] = { 0 };
	uint32_t crc;

	crc = crc32c(0, data, 6);
	crc = crc32c(crc, none, sizeof(none));
	crc = crc32c(crc, data + STREAM_COMMAND, len - STREAM_COMMAND);
	if (crc != number_at(data + 6, 4))
		return err_set(e, -EBADMSG, "the checksum of a command is wrong");
	return 0;
}

/* The attribute at *AT, which goes on behind it. */
static int parse_attr(const uint8_t *data, size_t len, unsigned int version, size_t *at,
		      struct stream_cmd *c, struct err *e)
{
	size_t type, size, head = 4;

	if (len - *at < 2)
		return err_set(e, -EBADMSG, "an attribute is cut off");
	type = number_at(data + *at, 2);
	if (type == ATTR_DATA && version >= 2)
		head = 2;
	else if (len - *at < 4)
		return err_set(e, -EBADMSG, "an attribute is cut off");
	size = head == 2 ? len - *at - head : number_at(data + *at + 2, 2);
	*at += head;
	if (size > len - *at)
		return err_set(e, -EBADMSG, "an attribute is longer than its command");
	/* Those without a place here say nothing that is needed. */
	if (type < ATTR_MAX_)
		c->attrs[type] = (struct stream_value){ data + *at, size };
	*at += size;
	return 0;
}

int stream_parse(const uint8_t *data, size_t len, unsigned int version, struct stream_cmd *ret,
		 struct err *e)
{
	struct stream_cmd c = { 0 };
	size_t at = STREAM_COMMAND;
	int r;

	if (len < STREAM_COMMAND)
		return err_set(e, -EBADMSG, "a command is cut off");
	r = check_crc(data, len, e);
	c.command = (unsigned int)number_at(data + 4, 2);
	while (r == 0 && at < len)
		r = parse_attr(data, len, version, &at, &c, e);
	if (r == 0)
		*ret = c;
	return r;
}

int stream_number(const struct stream_cmd *c, enum stream_attr attr, uint64_t *ret,
		  struct err *e)
{
	const struct stream_value *v = &c->attrs[attr];

	if (!v->data || v->len > 8 || v->len == 0)
		return err_set(e, -EBADMSG, "command %u: attribute %d is no number", c->command,
			       attr);
	*ret = number_at(v->data, v->len);
	return 0;
}

int stream_text(const struct stream_cmd *c, enum stream_attr attr,
		char ret[static STREAM_PATH_MAX], struct err *e)
{
	const struct stream_value *v = &c->attrs[attr];

	if (!v->data || v->len >= STREAM_PATH_MAX || (v->len && memchr(v->data, 0, v->len)))
		return err_set(e, -EBADMSG, "command %u: attribute %d is no path", c->command,
			       attr);
	memcpy(ret, v->data, v->len);
	ret[v->len] = '\0';
	return 0;
}

int stream_path(const struct stream_cmd *c, enum stream_attr attr,
		char ret[static STREAM_PATH_MAX], struct err *e)
{
	int r = stream_text(c, attr, ret, e);

	if (r < 0)
		return r;
	for (const char *p = ret; *ret && *p;) {
		size_t part = strcspn(p, "/");

		if (part == 0 || part > 255 || (part == 1 && *p == '.') ||
		    (part == 2 && p[0] == '.' && p[1] == '.') || (p[part] && !p[part + 1]))
			return err_set(e, -EBADMSG,
				       "command %u: attribute %d is no path of "
				       "ordinary parts",
				       c->command, attr);
		p += part + (p[part] == '/');
	}
	return 0;
}

/* ---- for store.h --------------------------------------------------------------- */

long btrfs_stream_piece(const void *data, size_t len, bool at_start, struct err *e)
{
	long size = stream_piece(data, len, at_start, e);

	/* What we send is of version 1. */
	if (size > 0 && at_start && stream_version(data) != 1)
		return err_set(e, -EBADMSG, "btrfs stream of version %u; 1 is received",
			       stream_version(data));
	return size;
}

/* One piece more of INFD into B, which holds what is not a piece yet. 0: the end. */
static long read_piece(int infd, uint8_t *b, size_t *have, bool at_start, struct err *e)
{
	for (;;) {
		long size = btrfs_stream_piece(b, *have, at_start, e);
		ssize_t n;

		if (size != 0)
			return size;
		n = read(infd, b + *have, STREAM_COMMAND_MAX - *have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the stream");
		if (n == 0)
			return *have ? err_set(e, -EBADMSG,
					       "the stream ends inside of a command")
				     : 0;
		*have += (size_t)n;
	}
}

int btrfs_stream_apply(int infd, int rootfd, bool *ret_ended, struct err *e)
{
	cleanup_free uint8_t *b = xmalloc(STREAM_COMMAND_MAX);
	struct stream_target t = { .rootfd = rootfd, .openfd = -1 };
	bool at_start = true;
	size_t have = 0;
	int r = 0;

	while (r == 0) {
		struct stream_cmd c;
		long size = read_piece(infd, b, &have, at_start, e);

		if (size <= 0) {
			r = (int)size;
			break;
		}
		if (!at_start)
			r = stream_parse(b, (size_t)size, 1, &c, e);
		if (!at_start && r == 0)
			r = stream_apply(&t, &c, e);
		at_start = false;
		have -= (size_t)size;
		memmove(b, b + size, have);
	}
	close_p(&t.openfd);
	if (r == 0)
		*ret_ended = t.ended;
	return r;
}
