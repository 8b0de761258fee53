/* SPDX-License-Identifier: MIT */
/*
 * fuzz_gunzip.c - what libarchive takes for gzip is taken here too, with the same plain bytes,
 * unless a checksum is wrong, for which it does not look. What is more is bounded and refused.
 */
#include "libimgfile/gunzip.h"

#include "base/alloc.h"

#include "fuzz.h"

#include <archive.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLAIN_MAX ((size_t)16 << 20)

struct bytes {
	uint8_t *data;
	size_t len;
};

static int as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* libarchive unpacks what is packed twice at once. */
static bool is_gzip(const uint8_t *data, size_t len)
{
	return len >= 3 && memcmp(data, "\x1f\x8b\x08", 3) == 0;
}

static bool by_libarchive(const uint8_t *data, size_t size, struct bytes *ret)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	la_ssize_t n = 0;
	int status;

	ret->data = xmalloc(PLAIN_MAX);
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
	(void)archive_read_support_filter_gzip(a);
	status = archive_read_open_memory(a, data, size);
	if (status == ARCHIVE_OK)
		status = archive_read_next_header(a, &entry);
	/* Without a filter its own bytes would come back. */
	if (status == ARCHIVE_OK && archive_filter_count(a) == 1)
		status = ARCHIVE_FATAL;
	while (status == ARCHIVE_OK && ret->len < PLAIN_MAX &&
	       (n = archive_read_data(a, ret->data + ret->len, PLAIN_MAX - ret->len)) > 0)
		ret->len += (size_t)n;
	(void)archive_read_free(a);
	return status == ARCHIVE_EOF || (status == ARCHIVE_OK && n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_close int in = as_file(data, size), out = as_file(data, 0);
	struct bytes want = { 0 };
	cleanup_free uint8_t *got = NULL;
	struct err e = { 0 };
	int r = gunzip(in, out, NULL, &e);
	off_t len = lseek(out, 0, SEEK_END);

	if (r < 0 && (e.code != r || !e.msg[0]))
		abort();
	got = xmalloc((size_t)len + 1);
	if (pread(out, got, (size_t)len, 0) != len)
		abort();
	if (is_gzip(data, size) && by_libarchive(data, size, &want) &&
	    !is_gzip(got, (size_t)len)) {
		if ((size_t)len > want.len || memcmp(got, want.data, (size_t)len) != 0)
			abort();
		if (r == 0 ? (size_t)len != want.len : !strstr(e.msg, "checksum"))
			abort();
	}
	free(want.data);
	return 0;
}
