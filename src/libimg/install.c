/* SPDX-License-Identifier: MIT */
#include "libimg/install.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/digest.h"
#include "libimg/extract.h"
#include "libimg/image.h"
#include "libstore/store.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CHUNK            ((size_t)256 << 10)
#define UNPACKED_DEFAULT ((uint64_t)64 << 30)
#define ENTRIES_MAX      ((uint64_t)4 << 20)
#define LOCK_PATIENCE_MS 1000 /* then the waiting is told */

/* ---- what the manifest says of the file ----------------------------------- */

struct expected {
	uint64_t size;
	char sha1[DIGEST_HEX_MAX];
	char sha256[DIGEST_HEX_MAX]; /* "" when not given */
};

static bool take_hex(const char *s, size_t digits, char ret[static DIGEST_HEX_MAX])
{
	if (strncmp(s, "sha256:", 7) == 0)
		s += 7;
	if (strlen(s) != digits)
		return false;
	for (size_t i = 0; i <= digits; i++) {
		if (s[i] && !isxdigit((unsigned char)s[i]))
			return false;
		ret[i] = (char)tolower((unsigned char)s[i]);
	}
	return true;
}

static int bad_file(struct err *e, const char *field, const char *rule)
{
	return err_set(e, -EINVAL, "invalid manifest: files[0].%s (%s)", field, rule);
}

static int read_expected(const struct jv *manifest, struct expected *ret, struct err *e)
{
	const struct jv *file = jv_at(jv_get(manifest, "files"), 0);
	const char *sha1 = jv_get_string(file, "sha1");
	const char *sha256 = jv_get_string(file, "sha256");
	const struct jv *size = jv_get(file, "size");

	*ret = (struct expected){ 0 };
	if (!file)
		return err_set(e, -EINVAL, "invalid manifest: files (MissingParameter)");
	if (!sha1 || !take_hex(sha1, 40, ret->sha1))
		return bad_file(e, "sha1", "must be 40 hexadecimal digits");
	if (jv_type(size) != JV_INT || jv_as_int(size, -1) < 0)
		return bad_file(e, "size", "must be a number of bytes");
	if (!sha256)
		sha256 = jv_get_string(file, "digest");
	if (sha256 && !take_hex(sha256, 64, ret->sha256))
		return bad_file(e, jv_get(file, "sha256") ? "sha256" : "digest",
				"must be 64 hexadecimal digits");
	ret->size = (uint64_t)jv_as_int(size, 0);
	return 0;
}

int image_check_installable(const struct jv *manifest, struct err *e)
{
	const char *type = jv_get_string(manifest, "type");
	struct expected expected;

	if (type && strcmp(type, "zvol") == 0)
		return err_set(e, -ENOTSUP,
			       "images of type 'zvol' cannot be installed from a file yet");
	if (jv_get(manifest, "origin"))
		return err_set(e, -ENOTSUP,
			       "incremental images (with an 'origin') cannot be installed "
			       "from a file yet");
	return read_expected(manifest, &expected, e);
}

/* ---- one installation ----------------------------------------------------- */

struct install {
	const struct host *host;
	const struct install_request *req;
	const char *uuid;
	struct store *store;
	struct expected expected;
	struct extract_limits limits;
	int filefd;
	enum compression compression;
	struct extract_counts counts;
	char sha1[DIGEST_HEX_MAX];
	char sha256[DIGEST_HEX_MAX];
};

static void note(const struct install *in, const char *line)
{
	if (in->req->note)
		in->req->note(in->req->data, line);
}

static int open_file(struct install *in, struct err *e)
{
	struct stat st;

	/* O_NONBLOCK: a pipe that somebody put here must not hang us. */
	in->filefd = open(in->req->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (in->filefd < 0)
		return err_sys(e, "cannot open '%s'", in->req->file);
	if (fstat(in->filefd, &st) < 0)
		return err_sys(e, "cannot look at '%s'", in->req->file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is not a regular file", in->req->file);
	if ((uint64_t)st.st_size != in->expected.size)
		return err_set(e, -EBADMSG,
			       "'%s' has %llu bytes, the manifest says %llu (files[0].size)",
			       in->req->file, (unsigned long long)st.st_size,
			       (unsigned long long)in->expected.size);
	(void)posix_fadvise(in->filefd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static ssize_t read_full(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int check_hash(const struct install *in, const char *name, const char *is,
		      const char *should, struct err *e)
{
	if (!should[0] || strcmp(is, should) == 0)
		return 0;
	return err_set(e, -EBADMSG, "'%s' has the %s %s, the manifest says %s", in->req->file,
		       name, is, should);
}

/* One chunk to the hashes, and to the extraction while that still goes well. */
static int pass_on(struct install *in, struct extract *x, struct digest *sha1,
		   struct digest *sha256, const char *buf, size_t len, struct err *e)
{
	digest_add(sha1, buf, len);
	if (in->expected.sha256[0])
		digest_add(sha256, buf, len);
	return x ? extract_feed(x, buf, len, e) : 0;
}

static bool is_cancelled(const struct install *in)
{
	return in->req->cancel && *in->req->cancel;
}

/*
 * Everything that is unpacked was hashed: the file is read once. When the
 * archive is refused the rest is hashed still: a damaged file is said to be
 * that, and not whatever its bytes look like.
 */
static int pump(struct install *in, int rootfd, struct err *e)
{
	cleanup_digest struct digest *sha1 = digest_new(DIGEST_SHA1);
	cleanup_digest struct digest *sha256 = digest_new(DIGEST_SHA256);
	cleanup_extract struct extract *x = NULL;
	cleanup_free char *buf = xmalloc(CHUNK);
	struct err why = { 0 };
	uint64_t done = 0;
	int r, failed = 0;
	ssize_t n;

	while ((n = read_full(in->filefd, buf, CHUNK)) > 0 && done <= in->expected.size &&
	       !is_cancelled(in)) {
		if (done == 0) {
			in->compression = compression_sniff(buf, (size_t)n);
			failed = extract_begin(rootfd, buf, (size_t)n, &in->limits, &x, &why);
		}
		done += (uint64_t)n;
		r = pass_on(in, failed ? NULL : x, sha1, sha256, buf, (size_t)n, &why);
		failed = failed ? failed : r;
		if (in->req->progress)
			in->req->progress(in->req->data, done);
	}
	if (n < 0)
		return err_sys(e, "cannot read '%s'", in->req->file);
	if (is_cancelled(in))
		return err_set(e, -EINTR, "interrupted; nothing was installed");
	if (done != in->expected.size)
		return err_set(e, -EBADMSG, "'%s' changed while it was read", in->req->file);
	digest_hex(sha1, in->sha1);
	digest_hex(sha256, in->sha256);
	r = check_hash(in, "SHA-1", in->sha1, in->expected.sha1, e);
	if (r == 0)
		r = check_hash(in, "SHA-256", in->sha256, in->expected.sha256, e);
	if (r < 0)
		return r;
	if (failed)
		return err_set(e, failed, "%s", why.msg);
	return x ? extract_finish(x, &in->counts, e)
		 : err_set(e, -EINVAL, "'%s' is empty", in->req->file);
}

/* ---- metadata ------------------------------------------------------------- */

static struct jv *now(void)
{
	struct timespec ts;
	struct tm tm;
	char text[40], ms[8];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ms, sizeof(ms), ".%03uZ", (unsigned int)(ts.tv_nsec / 1000000) % 1000);
	(void)strncat(text, ms, sizeof(text) - strlen(text) - 1);
	return jv_string(text);
}

static struct jv *make_meta(const struct install *in)
{
	struct jv *meta = jv_object(), *file = jv_object(), *unpacked = jv_object();

	jv_set(file, "size", jv_int((int64_t)in->expected.size));
	jv_set(file, "sha1", jv_string(in->sha1));
	if (in->expected.sha256[0])
		jv_set(file, "sha256", jv_string(in->sha256));
	jv_set(file, "compression", jv_string(compression_name(in->compression)));
	jv_set(unpacked, "bytes", jv_int((int64_t)in->counts.bytes));
	jv_set(unpacked, "entries", jv_int((int64_t)in->counts.entries));
	jv_set(unpacked, "devices_left_out", jv_int((int64_t)in->counts.devices));
	jv_set(unpacked, "attributes_left_out", jv_int((int64_t)in->counts.xattrs));
	jv_set(meta, "source", jv_null());
	jv_set(meta, "installed_at", now());
	jv_set(meta, "file", file);
	jv_set(meta, "unpacked", unpacked);
	return meta;
}

static int write_metadata(const struct install *in, struct err *e)
{
	cleanup_close int dir = store_image_dir(in->store, in->uuid, true, e);
	cleanup_jv struct jv *manifest = jv_copy(in->req->manifest);
	cleanup_jv struct jv *meta = make_meta(in);
	int r;

	if (dir < 0)
		return dir;
	if (!jv_get(manifest, "published_at"))
		jv_set(manifest, "published_at", now());
	r = jv_store(dir, "manifest.json", manifest, e);
	return r < 0 ? r : jv_store(dir, "meta.json", meta, e);
}

static void note_left_out(const struct install *in)
{
	char line[128];

	if (in->counts.devices) {
		(void)snprintf(
			line, sizeof(line),
			"left out %llu device nodes and sockets (zones have their own /dev)",
			(unsigned long long)in->counts.devices);
		note(in, line);
	}
	if (in->counts.xattrs) {
		(void)snprintf(line, sizeof(line), "left out %llu extended attributes",
			       (unsigned long long)in->counts.xattrs);
		note(in, line);
	}
}

/* ---- the steps ------------------------------------------------------------ */

static int fill_and_commit(struct install *in, struct err *e)
{
	struct err ignored;
	cleanup_close int rootfd = store_image_begin(in->store, in->uuid, e);
	int r;

	if (rootfd < 0)
		return rootfd;
	r = pump(in, rootfd, e);
	if (r == 0)
		r = write_metadata(in, e);
	if (r == 0)
		r = store_image_commit(in->store, in->uuid, e);
	if (r < 0) {
		/* What stays after this, the next command takes away. */
		if (store_image_abort(in->store, in->uuid, &ignored) < 0)
			note(in, ignored.msg);
		return r;
	}
	note_left_out(in);
	return 0;
}

/* A bomb must stop before the pool is full for everybody. */
static int set_limits(struct install *in, struct err *e)
{
	uint64_t total, avail;
	int r = store_space(in->store, &total, &avail, e);

	if (r < 0)
		return r;
	in->limits.entries = ENTRIES_MAX;
	in->limits.bytes = in->req->max_bytes ? in->req->max_bytes : UNPACKED_DEFAULT;
	if (in->limits.bytes > avail / 10 * 9)
		in->limits.bytes = avail / 10 * 9;
	return 0;
}

static int open_store(const struct host *h, struct store **ret, struct err *e)
{
	cleanup_close int fd = host_dir_existing(h, HOST_POOL, e);

	if (fd < 0)
		return fd == -ENOENT
			       ? err_set(e, fd,
					 "there is no pool at '%s/" HOST_POOL "'; make one "
					 "with mkpool",
					 h->root)
			       : fd;
	return store_open(fd, ret, e);
}

/* Partial images whose maker died hold no lock. */
static void clean_partials(const struct host *h, struct store *s)
{
	char(*uuids)[UUID_STR] = NULL;
	size_t count = 0;

	if (store_image_partials(s, &uuids, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		cleanup_close int lock = image_lock_exclusive(h, uuids[i], 0, NULL);
		struct err e;

		/* What cannot be cleaned now is tried again by the next. */
		if (lock >= 0 && store_image_abort(s, uuids[i], &e) < 0)
			continue;
	}
	free(uuids);
}

static bool is_there(const struct host *h, const char *uuid)
{
	cleanup_image struct image img = { 0 };

	return image_load(h, uuid, &img, NULL) == 0;
}

static int take_lock(const struct install *in, struct err *e)
{
	char line[96];
	int fd = image_lock_exclusive(in->host, in->uuid, LOCK_PATIENCE_MS, e);

	if (fd != -EBUSY)
		return fd;
	(void)snprintf(line, sizeof(line), "Waiting for image %s import lock", in->uuid);
	note(in, line);
	return image_lock_exclusive(in->host, in->uuid, -1, e);
}

int image_install(const struct host *h, const struct install_request *req,
		  enum install_outcome *ret_outcome, struct err *e)
{
	struct install in = { .host = h,
			      .req = req,
			      .filefd = -1,
			      .uuid = jv_get_string(req->manifest, "uuid") };
	cleanup_store struct store *s = NULL;
	cleanup_close int lock = -1;
	int r;

	r = image_check_installable(req->manifest, e);
	if (r == 0)
		r = read_expected(req->manifest, &in.expected, e);
	if (r == 0)
		r = open_store(h, &s, e);
	if (r < 0)
		return r;
	clean_partials(h, s);
	if (is_there(h, in.uuid)) {
		*ret_outcome = INSTALL_WAS_THERE;
		return 0;
	}
	lock = take_lock(&in, e);
	if (lock < 0)
		return lock;
	if (is_there(h, in.uuid)) {
		*ret_outcome = INSTALL_CAME_MEANWHILE;
		return 0;
	}
	in.store = s;
	r = open_file(&in, e);
	if (r == 0 && req->begin)
		req->begin(req->data, in.expected.size);
	if (r == 0)
		r = set_limits(&in, e);
	if (r == 0)
		r = fill_and_commit(&in, e);
	close_p(&in.filefd);
	if (r == 0)
		*ret_outcome = INSTALL_DONE;
	return r;
}

int image_delete(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_store struct store *s = NULL;
	cleanup_close int lock = -1;
	cleanup_close int dir = -1;
	int r;

	r = open_store(h, &s, e);
	if (r < 0)
		return r;
	clean_partials(h, s);
	lock = image_lock_exclusive(h, uuid, -1, e);
	if (lock < 0)
		return lock;
	dir = store_image_dir(s, uuid, false, e);
	return dir < 0 ? dir : store_image_destroy(s, uuid, e);
}
