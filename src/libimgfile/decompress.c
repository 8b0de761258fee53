/* SPDX-License-Identifier: MIT */
#include "libimgfile/decompress.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "libimgfile/gunzip.h"

#include <archive.h>
#include <string.h>

#define BLOCK (256U << 10)

struct input {
	int fd;
	char block[BLOCK];
};

static la_ssize_t read_block(struct archive *a, void *data, const void **ret_block)
{
	struct input *in = data;
	ssize_t n;

	do
		n = read(in->fd, in->block, sizeof(in->block));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		archive_set_error(a, errno, "cannot read");
	*ret_block = in->block;
	return n;
}

/* Just the one filter: what is inside is a tar, or it is refused. */
static int enable(struct archive *a, enum compression c)
{
	switch (c) {
	case COMPRESSION_BZIP2:
		return archive_read_support_filter_bzip2(a);
	case COMPRESSION_XZ:
		return archive_read_support_filter_xz(a);
	case COMPRESSION_ZSTD:
		return archive_read_support_filter_zstd(a);
	default:
		return ARCHIVE_OK;
	}
}

static int damaged(struct archive *a, enum compression c, struct err *e)
{
	const char *text = archive_error_string(a);

	return err_set(e, -EINVAL, "the %s data is damaged: %s", compression_name(c),
		       text ? text : "it ends too early");
}

static int copy(struct archive *a, enum compression c, int outfd, struct digest *d,
		struct err *e)
{
	struct archive_entry *entry;
	const void *data;
	la_int64_t offset;
	size_t len;
	int r = 0, status;

	status = archive_read_next_header(a, &entry);
	if (status == ARCHIVE_EOF)
		return 0;
	if (status < ARCHIVE_WARN)
		return damaged(a, c, e);
	while (r == 0 &&
	       (status = archive_read_data_block(a, &data, &len, &offset)) != ARCHIVE_EOF) {
		if (status == ARCHIVE_RETRY)
			continue;
		if (status < ARCHIVE_WARN)
			return damaged(a, c, e);
		if (d)
			digest_add(d, data, len);
		r = file_write_fd(outfd, data, len) < 0
			    ? err_sys(e, "cannot hand the archive on")
			    : 0;
	}
	return r;
}

static int by_libarchive(enum compression c, int infd, int outfd, struct digest *d,
			 struct err *e)
{
	cleanup_free struct input *in = xcalloc(1, sizeof(*in));
	struct archive *a = archive_read_new();
	int r;

	if (!a)
		abort(); /* memory */
	in->fd = infd;
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
	if (enable(a, c) < ARCHIVE_WARN)
		r = err_set(e, -ENOTSUP, "this system's libarchive cannot read %s",
			    compression_name(c));
	else if (archive_read_open(a, in, NULL, read_block, NULL) != ARCHIVE_OK)
		r = damaged(a, c, e);
	else
		r = copy(a, c, outfd, d, e);
	(void)archive_read_free(a);
	return r;
}

int decompress(enum compression c, int infd, int outfd, struct digest *d, struct err *e)
{
	return c == COMPRESSION_GZIP ? gunzip(infd, outfd, d, e)
				     : by_libarchive(c, infd, outfd, d, e);
}
