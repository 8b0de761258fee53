/* SPDX-License-Identifier: MIT */
#include "libformat/disk/disk_formats.h"

#include "base/alloc.h"
#include "libformat/disk/disk.h"

#define BLOCK ((size_t)256 << 10)

int raw_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
	      struct extract_counts *ret_counts, struct err *e)
{
	cleanup_disk struct disk d = { .fd = -1 };
	cleanup_free char *block = xmalloc(BLOCK);
	uint64_t at = 0;
	ssize_t n = 0;
	int r;

	if (in->basefd >= 0)
		return err_set(e, -EINVAL,
			       "a raw disk is a whole one, and the manifest names an "
			       "origin");
	r = disk_open(rootfd, false, limits, &d, e);
	while (r == 0 && (n = image_input_read(in, block, BLOCK)) > 0) {
		r = disk_write(&d, at, block, (size_t)n, e);
		at += (uint64_t)n;
	}
	if (r == 0 && n < 0)
		r = err_sys(e, "cannot read the image");
	return r < 0 ? r : disk_finish(&d, at, ret_counts, e);
}
