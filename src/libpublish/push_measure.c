/* SPDX-License-Identifier: MIT */
/*
 * push_measure.c - digests of an image's file, packed and plain. A file that unpacks to
 * something evil meets a process without rights.
 */
#include "libpublish/push.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libimgfile/compression.h"
#include "libimgfile/decompress.h"
#include "libsandbox/helper.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK      ((size_t)256 << 10)
#define ANSWER_MAX 4096

struct measure {
	int fd, nullfd;
};

/* ---- in the helper ---------------------------------------------------------- */

static int digest_file(int fd, struct oci_file *f, struct err *e)
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);
	cleanup_free char *block = xmalloc(BLOCK);
	char hex[DIGEST_HEX_MAX];
	ssize_t n;

	while ((n = pread(fd, block, BLOCK, (off_t)f->size)) > 0) {
		if (f->size == 0)
			f->compression = compression_sniff(block, (size_t)n);
		digest_add(d, block, (size_t)n);
		f->size += (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "cannot read the image's file");
	digest_hex(d, hex);
	(void)snprintf(f->digest, sizeof(f->digest), "sha256:%s", hex);
	return 0;
}

static int digest_plain(const struct measure *m, struct oci_file *f, struct err *e)
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX];
	int r;

	if (lseek(m->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "cannot read the image's file");
	r = decompress(f->compression, m->fd, m->nullfd, d, e);
	digest_hex(d, hex);
	(void)snprintf(f->diff_id, sizeof(f->diff_id), "sha256:%s", hex);
	return r;
}

static int open_tar(struct archive *a, enum compression c, int fd)
{
	static const int filters[COMPRESSION_MAX_] = {
		[COMPRESSION_NONE] = ARCHIVE_FILTER_NONE,
		[COMPRESSION_GZIP] = ARCHIVE_FILTER_GZIP,
		[COMPRESSION_BZIP2] = ARCHIVE_FILTER_BZIP2,
		[COMPRESSION_XZ] = ARCHIVE_FILTER_XZ,
		[COMPRESSION_ZSTD] = ARCHIVE_FILTER_ZSTD,
	};

	if (lseek(fd, 0, SEEK_SET) != 0 || archive_read_support_format_tar(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_by_code(a, filters[c]) < ARCHIVE_WARN)
		return ARCHIVE_FATAL;
	return archive_read_open_fd(a, fd, BLOCK);
}

/* Who reads a layer takes ".wh.NAME" for a marker. */
static void note_marker(struct archive_entry *entry, struct oci_file *f)
{
	const char *path = archive_entry_pathname(entry), *part;

	if (!path)
		path = archive_entry_pathname_utf8(entry);
	for (part = path; part && !f->marker[0];) {
		if (strncmp(part, ".wh.", 4) == 0)
			(void)snprintf(f->marker, sizeof(f->marker), "%s", path);
		part = strchr(part, '/');
		part = part ? part + 1 : NULL;
	}
}

/* Is it a tar, and one that says the same as a layer? */
static void look_inside(int fd, struct oci_file *f)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	int status;

	if (!a)
		abort(); /* memory */
	status = open_tar(a, f->compression, fd);
	if (status >= ARCHIVE_WARN)
		while ((status = archive_read_next_header(a, &entry)) == ARCHIVE_OK ||
		       status == ARCHIVE_WARN)
			note_marker(entry, f);
	f->is_tar = status == ARCHIVE_EOF;
	(void)archive_read_free(a);
}

static void helper(void *data, int outfd)
{
	const struct measure *m = data;
	struct oci_file f = { 0 };
	cleanup_jv struct jv *v = jv_object();
	cleanup_free char *text = NULL;
	struct err e = { 0 };
	int r = digest_file(m->fd, &f, &e);

	if (r == 0)
		r = digest_plain(m, &f, &e);
	if (r == 0)
		look_inside(m->fd, &f);
	jv_set(v, "result", jv_int(r));
	jv_set(v, "error", jv_string(e.msg));
	jv_set(v, "size", jv_int((int64_t)f.size));
	jv_set(v, "compression", jv_int(f.compression));
	jv_set(v, "tar", jv_bool(f.is_tar));
	jv_set(v, "marker", jv_string(f.marker));
	jv_set(v, "digest", jv_string(f.digest));
	jv_set(v, "diff_id", jv_string(f.diff_id));
	text = jv_dump(v, 0);
	if (file_write_fd(outfd, text, strlen(text)) < 0)
		_exit(1); /* nobody listens */
}

/* ---- in the caller ---------------------------------------------------------- */

static int take(const struct jv *v, struct oci_file *ret, struct err *e)
{
	const char *digest = jv_get_string(v, "digest"), *diff = jv_get_string(v, "diff_id");
	const char *why = jv_get_string(v, "error"), *marker = jv_get_string(v, "marker");
	int64_t r = jv_get_int(v, "result", -EIO), size = jv_get_int(v, "size", -1);
	int64_t c = jv_get_int(v, "compression", -1);

	if (r < 0)
		return err_set(e, r < -4095 ? -EIO : (int)r, "%s", why ? why : "no reason");
	if (!digest || !diff || !oci_digest_is_valid(digest) || !oci_digest_is_valid(diff) ||
	    size < 0 || c < 0 || c >= COMPRESSION_MAX_)
		return err_set(e, -EIO, "the process that reads the file gave no answer");
	*ret = (struct oci_file){ .size = (uint64_t)size,
				  .compression = (enum compression)c,
				  .is_tar = jv_get_bool(v, "tar", false) };
	(void)snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
	(void)snprintf(ret->diff_id, sizeof(ret->diff_id), "%s", diff);
	(void)snprintf(ret->marker, sizeof(ret->marker), "%s", marker ? marker : "");
	return 0;
}

int push_measure(int fd, struct oci_file *ret, struct err *e)
{
	cleanup_close int nullfd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct measure m = { .fd = fd, .nullfd = nullfd };
	cleanup_helper struct helper h = HELPER_INIT;
	cleanup_jv struct jv *v = NULL;
	char text[ANSWER_MAX];
	size_t len = 0;
	ssize_t n;
	int r;

	if (nullfd < 0)
		return err_sys(e, "cannot open '/dev/null'");
	r = helper_start(helper, &m, (const int[]){ fd, nullfd }, 2, 0, &h, e);
	if (r < 0)
		return r;
	while ((n = read(h.fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	r = helper_wait(&h, e);
	if (r == 0)
		r = jv_parse(text, len, "helper", &v, e);
	return r < 0 ? r : take(v, ret, e);
}
