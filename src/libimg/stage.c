/* SPDX-License-Identifier: MIT */
#include "libimg/stage.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimgfile/compression.h"
#include "libimgfile/extract.h"
#include "libimgfile/format.h"
#include "libmanifest/manifest.h"
#include "libstore/store.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define UNPACKED_DEFAULT ((uint64_t)64 << 30)
#define ENTRIES_MAX      ((uint64_t)4 << 20)
#define STATE_FILE       "state" /* what docs/images.md says of it */

/* ---- bytes ---------------------------------------------------------------- */

struct stage {
	const struct stage_request *req;
	const char *uuid;
	struct extract_limits limits;
	struct extract *extract;
	struct digest *sha1, *sha256;
	enum compression compression;
	struct extract_counts counts;
	char sha1_is[DIGEST_HEX_MAX];
	char sha256_is[DIGEST_HEX_MAX];
	struct extract_files files;
	uint64_t fed;
	char *pending; /* what the writers have not taken yet */
	size_t pending_len, pending_used, pending_cap;
	int failed; /* the archive is refused, with */
	struct err why;
	bool begun;
};

static bool is_layer(const struct jv *manifest)
{
	const struct jv *file = jv_at(jv_get(manifest, "files"), 0);
	const char *type = jv_get_string(manifest, "type");

	/* What imgadm create -i makes says so itself. */
	return (type && strcmp(type, "docker") == 0) || jv_get_bool(file, "whiteouts", false);
}

/* A bomb must stop before the pool is full for everybody. */
static int set_limits(struct stage *s, struct err *e)
{
	uint64_t total, avail;
	int r = store_space(s->req->store, &total, &avail, e);

	if (r < 0)
		return r;
	s->limits.entries = ENTRIES_MAX;
	s->limits.layer = is_layer(s->req->manifest);
	s->limits.disk = manifest_is_disk(s->req->manifest);
	s->limits.digest = s->req->file.diff_id[0];
	s->limits.bytes = s->req->max_bytes ? s->req->max_bytes : UNPACKED_DEFAULT;
	if (s->limits.bytes > avail / 10 * 9)
		s->limits.bytes = avail / 10 * 9;
	return 0;
}

/* An origin that has none of it gives an empty one: its image came in another format. */
static int open_base(struct stage *s, const char *origin, struct err *e)
{
	cleanup_close int dir = store_image_dir(s->req->store, origin, false, e);

	if (dir < 0)
		return dir;
	s->files.basefd = openat(dir, STATE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (s->files.basefd < 0 && errno == ENOENT)
		s->files.basefd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return s->files.basefd < 0 ? err_sys(e, "cannot open '%s' of the origin", STATE_FILE)
				   : 0;
}

static int open_files(struct stage *s, const char *origin, struct err *e)
{
	cleanup_close int dir = -1;
	int r;

	if (s->files.rootfd < 0)
		s->files.rootfd = store_image_begin(s->req->store, s->uuid, origin, e);
	if (s->files.rootfd < 0)
		return s->files.rootfd;
	r = origin ? open_base(s, origin, e) : 0;
	if (r < 0)
		return r;
	dir = store_image_dir(s->req->store, s->uuid, true, e);
	if (dir < 0)
		return dir;
	s->files.statefd = openat(dir, STATE_FILE,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return s->files.statefd < 0 ? err_sys(e, "cannot create '%s'", STATE_FILE) : 0;
}

int stage_begin_in(const struct stage_request *request, int rootfd, struct stage **ret_stage,
		   struct err *e)
{
	cleanup_stage struct stage *s = xcalloc(1, sizeof(*s));
	int r;

	s->req = request;
	s->files = (struct extract_files){ rootfd, -1, -1 };
	s->begun = rootfd >= 0;
	s->uuid = jv_get_string(request->manifest, "uuid");
	s->sha1 = digest_new(DIGEST_SHA1);
	s->sha256 = digest_new(DIGEST_SHA256);
	r = set_limits(s, e);
	if (r < 0)
		return r;
	s->begun = true;
	r = open_files(s, jv_get_string(request->manifest, "origin"), e);
	if (r < 0)
		return r;
	*ret_stage = take_ptr(s);
	return 0;
}

int stage_begin(const struct stage_request *request, struct stage **ret_stage, struct err *e)
{
	return stage_begin_in(request, -1, ret_stage, e);
}

bool stage_is_ready(const struct stage *s)
{
	return s->pending_len == 0;
}

int stage_fd(const struct stage *s)
{
	return s->pending_len && s->extract ? extract_feedfd(s->extract) : -1;
}

uint64_t stage_fed(const struct stage *s)
{
	return s->fed;
}

int stage_check_kind(const struct stage *s, struct err *e)
{
	return s->failed == -ENOTSUP ? err_set(e, -ENOTSUP, "%s", s->why.msg) : 0;
}

void stage_push(struct stage *s)
{
	while (!s->failed && s->pending_len > 0) {
		size_t taken = 0;

		s->failed = extract_feed(s->extract, s->pending + s->pending_used,
					 s->pending_len, &taken, &s->why);
		if (taken == 0)
			break;
		s->pending_used += taken;
		s->pending_len -= taken;
	}
	if (s->failed)
		s->pending_len = 0;
}

static void keep(struct stage *s, const void *data, size_t len)
{
	if (len > s->pending_cap) {
		s->pending = xrealloc_array(s->pending, len, 1);
		s->pending_cap = len;
	}
	memcpy(s->pending, data, len);
	s->pending_len = len;
	s->pending_used = 0;
}

void stage_feed(struct stage *s, const void *data, size_t len)
{
	if (s->fed == 0 && len > 0) {
		s->compression = compression_sniff(data, len);
		s->failed =
			extract_begin(&s->files, data, len, &s->limits, &s->extract, &s->why);
	}
	s->fed += len;
	if (s->req->file.sha1[0])
		digest_add(s->sha1, data, len);
	if (s->req->file.sha256[0] || s->req->file.diff_id[0])
		digest_add(s->sha256, data, len);
	if (s->failed)
		return;
	keep(s, data, len);
	stage_push(s);
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

static struct jv *make_meta(const struct stage *s)
{
	struct jv *meta = jv_object(), *file = jv_object(), *unpacked = jv_object();

	jv_set(file, "size", jv_int((int64_t)s->fed));
	if (s->req->file.sha1[0])
		jv_set(file, "sha1", jv_string(s->sha1_is));
	if (s->req->file.sha256[0])
		jv_set(file, "sha256", jv_string(s->sha256_is));
	jv_set(file, "compression", jv_string(compression_name(s->compression)));
	jv_set(file, "format", jv_string(image_formats[s->counts.format].name));
	jv_set(unpacked, "bytes", jv_int((int64_t)s->counts.bytes));
	jv_set(unpacked, "entries", jv_int((int64_t)s->counts.entries));
	if (s->counts.disk)
		jv_set(unpacked, "disk", jv_int((int64_t)s->counts.disk));
	jv_set(unpacked, "devices_left_out", jv_int((int64_t)s->counts.devices));
	jv_set(unpacked, "attributes_left_out", jv_int((int64_t)s->counts.xattrs));
	jv_set(meta, "source", s->req->source ? jv_string(s->req->source) : jv_null());
	jv_set(meta, "installed_at", now());
	jv_set(meta, "file", file);
	jv_set(meta, "unpacked", unpacked);
	return meta;
}

static int write_metadata(const struct stage *s, struct err *e)
{
	cleanup_close int dir = store_image_dir(s->req->store, s->uuid, true, e);
	cleanup_jv struct jv *manifest = jv_copy(s->req->manifest);
	cleanup_jv struct jv *meta = make_meta(s);
	struct stat st;
	int r;

	if (dir < 0)
		return dir;
	/* Most formats need none. */
	if (fstat(s->files.statefd, &st) == 0 && st.st_size == 0)
		(void)unlinkat(dir, STATE_FILE, 0);
	if (!jv_get(manifest, "published_at"))
		jv_set(manifest, "published_at", now());
	/* The commit makes all of it durable. */
	r = jv_store_soft(dir, "manifest.json", manifest, e);
	return r < 0 ? r : jv_store_soft(dir, "meta.json", meta, e);
}

static void note(const struct stage *s, const char *line)
{
	if (s->req->note)
		s->req->note(s->req->data, line);
}

static void note_left_out(const struct stage *s)
{
	char line[128];

	if (s->counts.devices) {
		(void)snprintf(
			line, sizeof(line),
			"left out %llu device nodes and sockets (zones have their own /dev)",
			(unsigned long long)s->counts.devices);
		note(s, line);
	}
	if (s->counts.xattrs) {
		(void)snprintf(line, sizeof(line), "left out %llu extended attributes",
			       (unsigned long long)s->counts.xattrs);
		note(s, line);
	}
}

/* ---- the end -------------------------------------------------------------- */

static int check_hash(const struct stage *s, const char *name, const char *is,
		      const char *should, struct err *e)
{
	if (!should[0] || strcmp(is, should) == 0)
		return 0;
	return err_set(e, -EBADMSG, "'%s' has the %s %s, the manifest says %s", s->req->name,
		       name, is, should);
}

static int check_hashes(struct stage *s, struct err *e)
{
	int r;

	digest_hex(s->sha1, s->sha1_is);
	digest_hex(s->sha256, s->sha256_is);
	if (s->fed != s->req->file.size)
		return err_set(e, -EBADMSG, "'%s' changed while it was read", s->req->name);
	r = check_hash(s, "SHA-1", s->sha1_is, s->req->file.sha1, e);
	return r < 0 ? r : check_hash(s, "SHA-256", s->sha256_is, s->req->file.sha256, e);
}

static int check_unpacked(const struct stage *s, struct err *e)
{
	const char *is = s->compression == COMPRESSION_NONE ? s->sha256_is : s->counts.digest;

	if (!is[0] && s->req->file.diff_id[0])
		return err_set(e, -EBADMSG, "'%s' has no SHA-256 to hold its content against",
			       s->req->name);
	return check_hash(s, "unpacked SHA-256", is, s->req->file.diff_id, e);
}

/* Here at last we wait. */
static void push_all(struct stage *s)
{
	while (!stage_is_ready(s)) {
		struct pollfd fd = { .fd = stage_fd(s), .events = POLLOUT };

		(void)poll(&fd, 1, -1);
		stage_push(s);
	}
}

/* Is the file what the manifest says that the image is? */
static int check_type(const struct stage *s, struct err *e)
{
	const char *type = jv_get_string(s->req->manifest, "type");
	int64_t mib = jv_as_int(jv_get(s->req->manifest, "image_size"), 0);
	const char *format = image_formats[s->counts.format].name;

	if (manifest_is_disk(s->req->manifest) != (s->counts.disk > 0))
		return err_set(
			e, -EINVAL,
			"the manifest's type is '%s', and the file holds a %s (%s): that "
			"takes %s",
			type, s->counts.disk ? "disk" : "tree", format,
			s->counts.disk ? "the type 'zvol'" : "another type");
	if (mib > 0 && s->counts.disk >> 20 > (uint64_t)mib)
		return err_set(
			e, -EINVAL,
			"the disk has %llu bytes, more than the manifest says (image_size "
			"%lld MiB)",
			(unsigned long long)s->counts.disk, (long long)mib);
	return 0;
}

/* All that is to be right before others may see it. */
static int finish(struct stage *s, struct err *e)
{
	int r = check_hashes(s, e);

	if (r < 0)
		return r;
	push_all(s);
	if (s->failed)
		return err_set(e, s->failed, "%s", s->why.msg);
	if (!s->extract)
		return err_set(e, -EINVAL, "'%s' is empty", s->req->name);
	r = extract_finish(s->extract, &s->counts, e);
	if (r == 0)
		r = check_unpacked(s, e);
	if (r == 0)
		r = check_type(s, e);
	return r < 0 ? r : write_metadata(s, e);
}

int stage_end(struct stage *s, struct err *e)
{
	int r = finish(s, e);

	if (r == 0)
		r = store_image_commit(s->req->store, s->uuid, e);
	if (r < 0)
		return r;
	s->begun = false;
	note_left_out(s);
	return 0;
}

int stage_end_into(struct stage *s, const char *next, int *ret_rootfd, struct err *e)
{
	int r = finish(s, e);

	if (r == 0)
		r = store_image_commit_into(s->req->store, s->uuid, next, e);
	if (r < 0)
		return r;
	*ret_rootfd = r;
	s->begun = false;
	note_left_out(s);
	return 0;
}

const char *stage_error_code(int r)
{
	switch (r) {
	case -EINVAL:
	case -EFBIG:
	case -E2BIG:
	case -ENAMETOOLONG:
		return "UncompressionError";
	case -ENOTSUP:
		return "NotSupported";
	case -EINTR:
		return "InternalError";
	default:
		return NULL;
	}
}

void stage_free(struct stage *s)
{
	struct err ignored;

	if (!s)
		return;
	extract_free(s->extract);
	close_p(&s->files.rootfd);
	close_p(&s->files.basefd);
	close_p(&s->files.statefd);
	/* What stays after this, the next command takes away. */
	if (s->begun && store_image_abort(s->req->store, s->uuid, &ignored) < 0)
		note(s, ignored.msg);
	digest_free(s->sha1);
	digest_free(s->sha256);
	free(s->pending);
	free(s);
}

void stage_free_p(struct stage **s)
{
	stage_free(*s);
	*s = NULL;
}
