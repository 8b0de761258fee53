/* SPDX-License-Identifier: MIT */
/*
 * catalog.c - the images that there are, read again when the kernel says that the folder
 * changed.
 *
 * It is looked at when somebody asks: between questions nothing runs. Names come from
 * the folder itself and from suffixes that are listed here, never from a request, and are
 * opened beneath it.
 */
#include "imgapi/imgapi.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/path.h"
#include "libdigest/digest.h"
#include "libdigest/signature.h"
#include "libimg/image.h"
#include "libmanifest/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define NOBODY "00000000-0000-0000-0000-000000000000"
#define CHANGES \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB)

/* ---- one image ------------------------------------------------------------------- */

static void offer_done(struct offer *img)
{
	jv_unref(img->manifest);
	free(img->etag);
	free(img->text);
	free(img->name);
	free(img->stem);
	free(img->sha1);
}

static void set_if_absent(struct jv *m, const char *key, struct jv *value)
{
	if (jv_get(m, key))
		jv_unref(value);
	else
		jv_set(m, key, value);
}

/* What a server says of every image, and `imgadm create` does not. */
static void complete_manifest(struct jv *m, time_t changed)
{
	char date[sizeof("2026-08-01T00:00:00.000Z") + 16] = "";
	struct tm tm;

	if (gmtime_r(&changed, &tm))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	set_if_absent(m, "owner", jv_string(NOBODY));
	set_if_absent(m, "state", jv_string("active"));
	set_if_absent(m, "disabled", jv_bool(false));
	set_if_absent(m, "public", jv_bool(true));
	set_if_absent(m, "published_at", jv_string(date));
}

static char *sha1_of(const char *text)
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA1);
	char hex[DIGEST_HEX_MAX];

	digest_add(d, text, strlen(text));
	digest_hex(d, hex);
	return xstrdup(hex);
}

/* What somebody signed is answered byte for byte; the rest as we write it. New. */
static char *text_of(const struct catalog *c, const struct jv *m, const char *name)
{
	static const char *const kinds[] = { "sig", "minisig" };
	char *text;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cleanup_free char *signature = xasprintf("%s.%s", name, kinds[i]);

		if (faccessat(c->dirfd, signature, R_OK, AT_EACCESS) == 0 &&
		    file_read_all(c->dirfd, name, IMAGE_MANIFEST_MAX, &text, &len, NULL) == 0)
			return text;
	}
	return jv_dump(m, 0);
}

int catalog_read_signature(const struct catalog *c, const struct offer *img, const char *kind,
			   char **ret, size_t *ret_len)
{
	cleanup_free char *name = xasprintf("%s.%s", img->name, kind);

	return file_read_all(c->dirfd, name, SIGNATURE_MAX, ret, ret_len, NULL);
}

/* Takes M. */
static struct offer make_image(const struct catalog *c, struct jv *m, const char *name,
			       const char *stem, time_t changed)
{
	const struct jv *file = jv_at(jv_get(m, "files"), 0);
	const char *sha1 = jv_get_string(file, "sha1");
	struct offer img = { .manifest = m, .size = jv_get_int(file, "size", -1) };

	img.dated = jv_get(m, "published_at") != NULL;
	complete_manifest(m, changed);
	(void)snprintf(img.uuid, sizeof(img.uuid), "%s", jv_get_string(m, "uuid"));
	img.text = text_of(c, m, name);
	img.etag = sha1_of(img.text);
	img.name = xstrdup(name);
	img.stem = xstrdup(stem);
	img.sha1 = sha1 && strspn(sha1, "0123456789abcdef") == 40 && !sha1[40] ? xstrdup(sha1)
									       : NULL;
	return img;
}

/* A file of another size is one that is being copied, or of another image. */
static int open_if_its(const struct catalog *c, const char *name, int64_t size,
		       struct stat *ret)
{
	cleanup_close int fd =
		path_open_beneath(c->dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, ret) < 0 || !S_ISREG(ret->st_mode) || ret->st_size != size)
		return -ENOENT;
	return take_fd(fd);
}

int catalog_open_file(const struct catalog *c, const struct offer *img, struct stat *ret)
{
	static const char *const kinds[] = { ".tar", "", ".zfs", ".raw", ".qcow2" };
	static const char *const packed[] = { "", ".gz", ".zst", ".xz", ".bz2" };
	int fd;

	if (!img->sha1)
		return -ENOENT;
	fd = open_if_its(c, img->sha1, img->size, ret);
	if (fd < 0)
		fd = open_if_its(c, img->uuid, img->size, ret);
	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(kinds) * ARRAY_SIZE(packed); i++) {
		cleanup_free char *name =
			xasprintf("%s%s%s", img->stem, kinds[i / ARRAY_SIZE(packed)],
				  packed[i % ARRAY_SIZE(packed)]);

		fd = open_if_its(c, name, img->size, ret);
	}
	return fd;
}

/* ---- the folder ------------------------------------------------------------------- */

/* What is no image is logged and left out. */
static void read_image(struct catalog *c, const char *name, const char *stem)
{
	struct stat st = { .st_mtime = 0 };
	struct jv *m;
	struct err e;

	if (manifest_load(c->dirfd, name, &m, &e) < 0) {
		log_warning("left out: %s", e.msg);
		return;
	}
	(void)fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW);
	if (c->count == IMAGES_MAX) {
		log_warning("left out: '%s': there are more than %d images", name, IMAGES_MAX);
		jv_unref(m);
		return;
	}
	c->images = xrealloc_array(c->images, c->count + 1, sizeof(*c->images));
	c->images[c->count++] = make_image(c, m, name, stem, st.st_mtime);
}

static void read_entry(struct catalog *c, const char *name)
{
	static const char *const ends[] = { ".json", ".imgmanifest" };
	size_t len = strlen(name);

	for (size_t i = 0; *name != '.' && i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);
		cleanup_free char *stem = NULL;

		if (len <= end || strcmp(name + len - end, ends[i]) != 0)
			continue;
		stem = xstrndup(name, len - end);
		read_image(c, name, stem);
	}
}

static int read_folder(struct catalog *c, struct err *e)
{
	int own = openat(c->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *one;
	int r;

	if (!d) {
		close_p(&own);
		return err_sys(e, "cannot read the folder of images");
	}
	while ((r = path_next_entry(d, &one, e)) > 0)
		read_entry(c, one->d_name);
	(void)closedir(d);
	return r;
}

/* ---- all of them ----------------------------------------------------------------- */

static int by_date(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;
	int r = strcmp(jv_get_string(x->manifest, "published_at"),
		       jv_get_string(y->manifest, "published_at"));

	return r ? r : strcmp(x->uuid, y->uuid);
}

/* Of one UUID the first name wins. */
static int by_uuid(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;
	int r = strcmp(x->uuid, y->uuid);

	return r ? r : strcmp(x->stem, y->stem);
}

static void sort_images(struct catalog *c)
{
	size_t kept = 0;

	if (c->count)
		qsort(c->images, c->count, sizeof(*c->images), by_uuid);
	for (size_t i = 0; i < c->count; i++) {
		if (kept && strcmp(c->images[kept - 1].uuid, c->images[i].uuid) == 0) {
			log_warning("left out: '%s': image %s is in '%s' already",
				    c->images[i].stem, c->images[i].uuid,
				    c->images[kept - 1].stem);
			offer_done(&c->images[i]);
			continue;
		}
		c->images[kept++] = c->images[i];
	}
	c->count = kept;
	if (kept)
		qsort(c->images, kept, sizeof(*c->images), by_date);
	c->manifests = xcalloc(kept + 1, sizeof(*c->manifests));
	for (size_t i = 0; i < kept; i++)
		c->manifests[i] = c->images[i].manifest;
}

static void forget_images(struct catalog *c)
{
	for (size_t i = 0; i < c->count; i++)
		offer_done(&c->images[i]);
	free(c->images);
	free(c->manifests);
	c->images = NULL;
	c->manifests = NULL;
	c->count = 0;
}

int catalog_read(struct catalog *c, struct err *e)
{
	int r;

	forget_images(c);
	r = read_folder(c, e);
	sort_images(c);
	return r;
}

/* Events are not looked at one by one: that there are some is all that counts. */
static bool has_changed(struct catalog *c)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;

	while (read(c->notify, events, sizeof(events)) > 0)
		changed = true;
	return changed;
}

int catalog_refresh(struct catalog *c, struct err *e)
{
	return has_changed(c) ? catalog_read(c, e) : 0;
}

const struct offer *catalog_find(const struct catalog *c, const char *uuid)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->images[i].uuid, uuid) == 0)
			return &c->images[i];
	return NULL;
}

int catalog_open(struct catalog *c, const char *dir, struct err *e)
{
	c->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (c->notify < 0)
		return err_sys(e, "cannot watch folders");
	c->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dirfd < 0)
		return err_sys(e, "cannot open the folder '%s'", dir);
	if (inotify_add_watch(c->notify, dir, CHANGES | IN_ONLYDIR) < 0)
		return err_sys(e, "cannot watch the folder '%s'", dir);
	return 0;
}

void catalog_close(struct catalog *c)
{
	forget_images(c);
	close_p(&c->dirfd);
	close_p(&c->notify);
}
