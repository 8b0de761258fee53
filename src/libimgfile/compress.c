/* SPDX-License-Identifier: MIT */
#include "libimgfile/compress.h"

#include "base/alloc.h"

#include <archive.h>
#include <archive_entry.h>

#define CHUNK ((size_t)256 << 10)

static int add_filter(struct archive *a, enum compression c)
{
	switch (c) {
	case COMPRESSION_GZIP:
		/* Without the time of day: the same bytes for the same bytes. */
		return archive_write_add_filter_gzip(a) == ARCHIVE_OK
			       ? archive_write_set_filter_option(a, "gzip", "timestamp", NULL)
			       : ARCHIVE_FATAL;
	case COMPRESSION_BZIP2:
		return archive_write_add_filter_bzip2(a);
	case COMPRESSION_XZ:
		return archive_write_add_filter_xz(a);
	case COMPRESSION_ZSTD:
		return archive_write_add_filter_zstd(a);
	default:
		return ARCHIVE_OK;
	}
}

static int fail(struct archive *a, struct err *e)
{
	const char *text = archive_error_string(a);
	int code = archive_errno(a);

	return err_set(e, code > 0 ? -code : -EIO, "cannot compress: %s",
		       text ? text : "unknown reason");
}

static int copy(struct archive *a, int infd, struct digest *digest, struct err *e)
{
	cleanup_free char *buf = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read(infd, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the archive");
		digest_add(digest, buf, (size_t)n);
		for (size_t used = 0; used < (size_t)n;) {
			la_ssize_t w = archive_write_data(a, buf + used, (size_t)n - used);

			if (w <= 0)
				return fail(a, e);
			used += (size_t)w;
		}
	}
	return archive_write_close(a) == ARCHIVE_OK ? 0 : fail(a, e);
}

int compress_stream(enum compression c, int infd, int outfd, struct digest *digest,
		    struct err *e)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!a || !entry)
		abort(); /* memory */
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "data");
	if (archive_write_set_format_raw(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(a, (int)CHUNK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    add_filter(a, c) != ARCHIVE_OK || archive_write_open_fd(a, outfd) != ARCHIVE_OK ||
	    archive_write_header(a, entry) != ARCHIVE_OK)
		r = fail(a, e);
	else
		r = copy(a, infd, digest, e);
	archive_entry_free(entry);
	(void)archive_write_free(a);
	return r;
}
