/* SPDX-License-Identifier: MIT */
#include "libimgfile/describe.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libformat/disk/disk_formats.h"
#include "libformat/zfs/zfs.h"
#include "libformat/zfs/zstream.h"
#include "libimgfile/compression.h"
#include "libimgfile/decompress.h"
#include "libimgfile/format.h"
#include "libsandbox/sandbox.h"
#include "libsandbox/worker.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK    ((size_t)256 << 10)
#define NAME_LEN 512 /* what the original's documents allow */
#define MIB      ((uint64_t)1 << 20)

struct description {
	const char *path;
	const volatile sig_atomic_t *cancel;
	int fd;
	struct stat st;
	char sha1[DIGEST_HEX_MAX];
	char sha256[DIGEST_HEX_MAX];
	enum compression compression;
	unsigned char head[IMAGE_HEAD_MAX]; /* decompressed */
	size_t head_len;
	const struct image_format *format;
	uint64_t disk; /* bytes; 0: a tree, or a disk whose size does not show */
	bool is_disk;
};

static bool is_cancelled(const struct description *d)
{
	return d->cancel && *d->cancel;
}

/* ---- the name ------------------------------------------------------------- */

/* Compressions first: "x.tar.gz" is a tar archive in one. */
static size_t drop_endings(const char *s, size_t len)
{
	static const char *const endings[] = { ".gz",    ".bz2",      ".xz",   ".zst",
					       ".zstd",  ".qcow2",    ".qcow", ".img",
					       ".raw",   ".tar",      ".tgz",  ".tbz2",
					       ".txz",   ".squashfs", ".sqfs", ".zfs",
					       ".zsend", ".zvol",     ".btrfs" };
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
			size_t n = strlen(endings[i]);

			if (len <= n || strncasecmp(s + len - n, endings[i], n) != 0)
				continue;
			len -= n;
			again = true;
		}
	}
	return len;
}

char *image_name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = drop_endings(base, strlen(base));
	char *name = xstrndup(base, len < NAME_LEN ? len : NAME_LEN);

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '-';
	return name;
}

/* ---- the bytes ------------------------------------------------------------ */

static int open_file(struct description *d, struct err *e)
{
	/* O_NONBLOCK: a pipe that somebody put here must not hang us. */
	d->fd = open(d->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (d->fd < 0)
		return err_sys(e, "cannot open '%s'", d->path);
	if (fstat(d->fd, &d->st) < 0)
		return err_sys(e, "cannot look at '%s'", d->path);
	if (!S_ISREG(d->st.st_mode))
		return err_set(e, -EINVAL, "'%s' is not a regular file", d->path);
	return 0;
}

static int hash(struct description *d, struct err *e)
{
	cleanup_digest struct digest *sha1 = digest_new(DIGEST_SHA1);
	cleanup_digest struct digest *sha256 = digest_new(DIGEST_SHA256);
	cleanup_free char *buf = xmalloc(CHUNK);
	ssize_t n;

	while ((n = read(d->fd, buf, CHUNK)) != 0) {
		if (is_cancelled(d))
			return err_set(e, -EINTR, "interrupted; nothing was installed");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", d->path);
		digest_add(sha1, buf, (size_t)n);
		digest_add(sha256, buf, (size_t)n);
	}
	digest_hex(sha1, d->sha1);
	digest_hex(sha256, d->sha256);
	return 0;
}

/* ---- what it is ----------------------------------------------------------- */

struct ends {
	enum compression compression;
	int in, out;
};

static int run_decompressor(void *data, void *result ATTR_UNUSED, struct err *e)
{
	const struct ends *ends = data;
	int r = sandbox_enter_filter(e);

	return r < 0 ? r : decompress(ends->compression, ends->in, ends->out, NULL, e);
}

/* The number of SIZE bytes at P. */
static uint64_t number(const unsigned char *p, size_t size, bool big)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n = n << 8 | p[big ? i : size - 1 - i];
	return n;
}

/* A stream of ZFS says in its first record what it was made of. */
static int look_at_zfs(struct description *d, struct err *e)
{
	bool big = d->head[8] == 0;

	if (d->head_len < 56)
		return err_set(e, -EINVAL, "'%s' ends in its first record", d->path);
	if (number(d->head + 48, 8, big) != 0)
		return err_set(e, -EINVAL,
			       "'%s' is an incremental ZFS send stream: only a manifest (-m) "
			       "can say what its origin is",
			       d->path);
	d->is_disk = number(d->head + 32, 4, big) == ZSTREAM_ZVOL;
	return 0;
}

static int look_at_head(struct description *d, struct err *e)
{
	d->format = image_format_probe(d->head, d->head_len);
	if (!d->format)
		return err_set(e, -EINVAL,
			       "'%s' is not a tar archive, nor anything else that images come "
			       "in",
			       d->path);
	if (d->format->write == zfs_write)
		return look_at_zfs(d, e);
	d->is_disk = d->format->write == raw_write || d->format->write == qcow2_write;
	if (d->format->write == qcow2_write && d->head_len >= 32)
		d->disk = number(d->head + 24, 8, true);
	return 0;
}

/* Does the rest tell something? Of a raw disk that is compressed: how large it is. */
static bool is_counted(const struct description *d)
{
	return d->format->write == raw_write && d->compression != COMPRESSION_NONE;
}

static int read_plain(struct description *d, int fd, struct err *e)
{
	cleanup_free char *buf = xmalloc(CHUNK);
	uint64_t total = 0;
	ssize_t n;
	int r = 0;

	while ((n = read(fd, buf, CHUNK)) != 0) {
		size_t room = sizeof(d->head) - d->head_len;

		if (is_cancelled(d))
			return err_set(e, -EINTR, "interrupted; nothing was installed");
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", d->path);
		total += (uint64_t)n;
		memcpy(d->head + d->head_len, buf, (size_t)n < room ? (size_t)n : room);
		d->head_len += (size_t)n < room ? (size_t)n : room;
		if (d->head_len < sizeof(d->head))
			continue;
		r = d->format ? 0 : look_at_head(d, e);
		if (r < 0 || !is_counted(d))
			break;
	}
	if (r == 0 && !d->format)
		r = look_at_head(d, e);
	if (r == 0 && d->format->write == raw_write)
		d->disk = is_counted(d) ? total : (uint64_t)d->st.st_size;
	return r;
}

static int read_compressed(struct description *d, struct err *e)
{
	cleanup_worker struct worker w = WORKER_INIT;
	struct ends ends = { .compression = d->compression, .in = d->fd };
	int fds[2], pipefd[2], r;
	const struct worker_job job = {
		.run = run_decompressor, .data = &ends, .fds = fds, .fd_count = ARRAY_SIZE(fds)
	};
	struct err why = { 0 };
	bool whole;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	fds[0] = d->fd;
	fds[1] = ends.out = pipefd[1];
	r = worker_start(&job, &w, e);
	(void)close(pipefd[1]);
	if (r == 0)
		r = read_plain(d, pipefd[0], e);
	(void)close(pipefd[0]);
	/* It came to its end, and why may be the better reason; of others we know enough. */
	whole = d->head_len < sizeof(d->head) || (r == 0 && is_counted(d));
	if (r != -EINTR && w.pid && whole && worker_wait(&w, NULL, 0, &why) < 0) {
		*e = why;
		r = err_wrap(e, why.code, "'%.200s'", d->path);
	}
	return r;
}

static int look(struct description *d, struct err *e)
{
	char first[COMPRESSION_SNIFF_MAX];
	ssize_t n = pread(d->fd, first, sizeof(first), 0);

	if (n < 0)
		return err_sys(e, "cannot read '%s'", d->path);
	d->compression = compression_sniff(first, (size_t)n);
	return d->compression == COMPRESSION_NONE ? read_plain(d, d->fd, e)
						  : read_compressed(d, e);
}

/* ---- the manifest --------------------------------------------------------- */

static struct jv *describe_file(const struct description *d)
{
	struct jv *files = jv_array(), *file = jv_object();

	jv_set(file, "sha1", jv_string(d->sha1));
	jv_set(file, "sha256", jv_string(d->sha256));
	jv_set(file, "size", jv_int((int64_t)d->st.st_size));
	jv_set(file, "compression", jv_string(compression_name(d->compression)));
	jv_push(files, file);
	return files;
}

static struct jv *make_manifest(const struct description *d, const char *uuid)
{
	struct jv *m = jv_object();
	cleanup_free char *name = image_name_of(d->path);
	char own[UUID_STR], version[32];
	struct tm tm;

	uuid_generate_random(own);
	(void)gmtime_r(&d->st.st_mtime, &tm);
	(void)strftime(version, sizeof(version), "%Y%m%d", &tm);
	jv_set(m, "v", jv_int(2));
	jv_set(m, "uuid", jv_string(uuid ? uuid : own));
	jv_set(m, "name", jv_string(name));
	jv_set(m, "version", jv_string(version));
	jv_set(m, "type", jv_string(d->is_disk ? "zvol" : "lx-dataset"));
	jv_set(m, "os", jv_string("linux"));
	if (d->disk > 0 && d->disk <= (uint64_t)1 << 50)
		jv_set(m, "image_size", jv_int((int64_t)((d->disk + MIB - 1) / MIB)));
	jv_set(m, "files", describe_file(d));
	return m;
}

int image_describe(const char *path, const char *uuid, const volatile sig_atomic_t *cancel,
		   struct jv **ret_manifest, struct err *e)
{
	struct description d = { .path = path, .cancel = cancel, .fd = -1 };
	int r = open_file(&d, e);

	if (r == 0)
		r = look(&d, e);
	if (r == 0 && lseek(d.fd, 0, SEEK_SET) < 0)
		r = err_sys(e, "cannot read '%s' again", path);
	if (r == 0)
		r = hash(&d, e);
	if (d.fd >= 0)
		(void)close(d.fd);
	if (r == 0)
		*ret_manifest = make_manifest(&d, uuid);
	return r;
}
