/* SPDX-License-Identifier: MIT */
#include "libformat/spool.h"

#include "base/alloc.h"
#include "base/fileio.h"

#include <fcntl.h>
#include <string.h>

#define NAME  ".dais-spool"
#define BLOCK ((size_t)256 << 10)

static int open_spool(int rootfd, struct err *e)
{
	int fd = openat(rootfd, NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "cannot create a file for the image");
	if (unlinkat(rootfd, NAME, 0) < 0) {
		int r = err_sys(e, "cannot take its name from a file");

		close_p(&fd);
		return r;
	}
	return fd;
}

int spool_input(struct image_input *in, int rootfd, const struct extract_limits *limits,
		uint64_t *ret_size, struct err *e)
{
	cleanup_close int fd = open_spool(rootfd, e);
	cleanup_free char *block = xmalloc(BLOCK);
	ssize_t n = 0;
	int r = fd < 0 ? fd : 0;

	*ret_size = 0;
	while (r == 0 && (n = image_input_read(in, block, BLOCK)) > 0) {
		*ret_size += (uint64_t)n;
		if (*ret_size > limits->bytes)
			return err_set(e, -EFBIG, "the file is larger than %llu bytes",
				       (unsigned long long)limits->bytes);
		if (file_write_fd(fd, block, (size_t)n) < 0)
			return err_sys(e, "cannot keep the image's file");
	}
	if (r == 0 && n < 0)
		r = err_sys(e, "cannot read the image");
	return r < 0 ? r : take_fd(fd);
}

int spool_read(int fd, uint64_t offset, void *data, size_t len, struct err *e)
{
	size_t done = 0;

	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return err_set(e, -EINVAL, "the image points beyond its end");
	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the image's file");
		if (n == 0)
			return err_set(e, -EINVAL, "the image points beyond its end");
		done += (size_t)n;
	}
	return 0;
}
