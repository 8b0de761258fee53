/* SPDX-License-Identifier: MIT */
/*
 * fuzz_frames.c - whatever comes as a stream of 'vmadm send', reading it ends, and what
 * HEAD says is either refused or within its bounds.
 */
#include "libvm/frames.h"
#include "libvm/transfer.h"

#include "base/jv.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static void check_head(const uint8_t *data, size_t len)
{
	cleanup_transfer struct transfer t = { .count = 0 };
	cleanup_jv struct jv *head = NULL, *again = NULL;
	struct err e = { 0 };

	if (jv_parse((const char *)data, len, "HEAD", &head, &e) < 0)
		return;
	if (transfer_from_json(head, &t, &e) < 0) {
		if (!e.msg[0])
			abort();
		return;
	}
	if (t.count == 0 || t.count > TRANSFER_STREAMS_MAX)
		abort();
	for (size_t i = 0; i < t.count; i++)
		if (t.streams[i].fs >= STORE_FS_MAX_ ||
		    (t.streams[i].has_after && t.streams[i].after >= i))
			abort();
	again = transfer_to_json(&t);
}

static void check_token(const uint8_t *data, size_t size)
{
	cleanup_free char *text = strndup((const char *)data, size);
	struct transfer_point p;
	char id[UUID_STR];
	struct err e = { 0 };

	if (text && transfer_token_parse(text, id, &p, &e) < 0 && !e.msg[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_close int fd = as_file(data, size);
	cleanup_frames struct frames *f = frames_reader(fd);
	enum frame_kind kind;
	const uint8_t *payload;
	struct err e = { 0 };
	size_t len;
	int r;

	check_head(data, size);
	check_token(data, size);
	while ((r = frames_get(f, &kind, &payload, &len, &e)) == 0) {
		if (len > FRAME_HEADER_MAX)
			abort();
		if (kind == FRAME_HEAD)
			check_head(payload, len);
	}
	if (e.code != r || !e.msg[0])
		abort();
	return 0;
}
