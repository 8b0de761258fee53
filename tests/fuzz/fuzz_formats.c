/* SPDX-License-Identifier: MIT */
/*
 * fuzz_formats.c - whatever the image is, it is refused with a reason or written within
 * its limits. For formats that are no archives: ZFS and btrfs streams, disks.
 *
 * The input is two files: a length of 4 bytes, the origin's state, and the image's. ZFS streams
 * of the corpus have no sums but the last, so that a changed byte is not just a wrong sum.
 */
#include "libimgfile/format.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/path.h"

#include "fuzz.h"
#include "scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* Right sums for the commands of a btrfs stream, so that a changed byte is not just a wrong
 * one. */
static void set_sums(uint8_t *p, size_t size)
{
	size_t at = 17;

	if (size < at || memcmp(p, "btrfs-stream", 13) != 0)
		return;
	while (size - at >= 10) {
		size_t len = 10 + (p[at] | (size_t)p[at + 1] << 8 | (size_t)p[at + 2] << 16);
		uint32_t crc;

		if (len > size - at)
			return;
		memset(p + at + 6, 0, 4);
		crc = crc32c(0, p + at, len);
		for (int i = 0; i < 4; i++)
			p[at + 6 + (size_t)i] = (uint8_t)(crc >> (8 * i));
		at += len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct extract_limits limits = { .bytes = 1 << 22, .entries = 256 };
	struct extract_counts counts = { 0 };
	cleanup_free struct image_input *in = xcalloc(1, sizeof(*in));
	cleanup_free uint8_t *copy = NULL;
	cleanup_close int root = -1;
	struct err e = { 0 };
	uint32_t first = 0;
	int r;

	if (size < 4)
		return 0;
	memcpy(&first, data, 4);
	size -= 4;
	first = first < size ? first : 0;
	copy = xmalloc(size + 1);
	memcpy(copy, data + 4, size);
	data = copy;
	set_sums(copy + first, size - first);
	scratch_make();
	if (mkdirat(scratchfd, "root", 0700) < 0)
		abort();
	root = openat(scratchfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	in->basefd = first ? as_file(data, first) : -1;
	in->fd = as_file(data + first, size - first);
	in->statefd = memfd_create("state", MFD_CLOEXEC);
	r = image_write(in, root, &limits, &counts, &e);
	if (r < 0 && (e.code != r || !e.msg[0]))
		abort();
	if (r == 0 && (counts.bytes > limits.bytes || counts.entries > limits.entries))
		abort();
	close_p(&in->fd);
	close_p(&in->basefd);
	close_p(&in->statefd);
	if (path_remove_tree(scratchfd, "root", NULL) < 0)
		abort();
	return 0;
}
