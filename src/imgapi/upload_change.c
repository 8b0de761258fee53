/* SPDX-License-Identifier: MIT */
/*
 * upload_change.c - what each request that writes does to the folder.
 *
 * All of it is in one process and one thread: nobody else changes what came by requests.
 */
#include "imgapi/upload_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "libimgfile/compression.h"
#include "libimgfile/extract.h"
#include "libmanifest/manifest.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOBODY "00000000-0000-0000-0000-000000000000"

static int folder(const struct upload *u)
{
	return u->http->catalog->dirfd;
}

static enum MHD_Result failed(struct MHD_Connection *c, const struct err *e)
{
	log_error("%s", e->msg);
	return answer_error(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "InternalError", NULL,
			    "the image cannot be stored");
}

/* ---- the image ------------------------------------------------------------------- */

const struct offer *upload_target(struct upload *u, struct MHD_Connection *c,
				  enum MHD_Result *ret)
{
	cleanup_free char *own = xasprintf("%s.json", u->uuid);
	const struct offer *img;
	struct err e = { 0 };

	if (catalog_refresh(u->http->catalog, &e) < 0) {
		*ret = failed(c, &e);
		return NULL;
	}
	img = catalog_find(u->http->catalog, u->uuid);
	if (!img) {
		*ret = answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
				    "image %s not found", u->uuid);
	} else if (strcmp(img->name, own) != 0) {
		*ret = answer_error(c, UPLOAD_UNPROCESSABLE, "NotImageOwner", NULL,
				    "image %s was put here by hand, as '%s', and goes so",
				    u->uuid, img->name);
		return NULL;
	}
	return img;
}

static bool has_state(const struct offer *img, const char *state)
{
	const char *its = jv_get_string(img->manifest, "state");

	return its && strcmp(its, state) == 0;
}

int upload_check_open(const struct offer *img, struct MHD_Connection *c, enum MHD_Result *ret)
{
	if (has_state(img, "unactivated"))
		return 0;
	*ret = answer_error(c, UPLOAD_UNPROCESSABLE, "ImageFilesImmutable", NULL,
			    "image %s is activated: its file stays", img->uuid);
	return -1;
}

/* Write M as the image's manifest, and answer it. */
static enum MHD_Result store(struct upload *u, struct MHD_Connection *c, const struct jv *m)
{
	cleanup_free char *name = xasprintf("%s.json", u->uuid);
	struct err e = { 0 };

	if (jv_store(folder(u), name, m, &e) < 0 ||
	    /* A server without writers may run as somebody else. */
	    (fchmodat(folder(u), name, 0644, 0) < 0 && err_sys(&e, "cannot show '%s'", name)))
		return failed(c, &e);
	return answer_text(c, MHD_HTTP_OK, jv_dump(m, 0), NULL);
}

/* ---- import ---------------------------------------------------------------------- */

/* What a server says of an image, whatever whoever sent it says. */
static void make_ours(struct jv *m)
{
	jv_set(m, "owner", jv_string(NOBODY));
	jv_set(m, "state", jv_string("unactivated"));
	jv_set(m, "activated", jv_bool(false));
	jv_set(m, "disabled", jv_bool(false));
	jv_set(m, "public", jv_bool(true));
	(void)jv_del(m, "error");
	(void)jv_del(m, "channels");
}

/* 0, or -1 with the answer in *RET. */
static int check_origin(struct upload *u, struct MHD_Connection *c, const struct jv *m,
			enum MHD_Result *ret)
{
	const char *origin = jv_get_string(m, "origin");
	const struct offer *base = origin ? catalog_find(u->http->catalog, origin) : NULL;

	if (!origin || (base && has_state(base, "active")))
		return 0;
	*ret = answer_error(c, UPLOAD_UNPROCESSABLE,
			    base ? "OriginIsNotActive" : "OriginDoesNotExist", "origin",
			    base ? "the origin %.40s is not activated"
				 : "the origin %.40s is not here: publish it first",
			    origin);
	return -1;
}

enum MHD_Result upload_import(struct upload *u, struct MHD_Connection *c)
{
	cleanup_jv struct jv *m = NULL;
	enum MHD_Result ret;
	struct err e = { 0 };

	if (catalog_refresh(u->http->catalog, &e) < 0)
		return failed(c, &e);
	if (manifest_parse(buf_str(&u->body), u->body.len, "manifest", &m, &e) < 0)
		return answer_error(c, UPLOAD_UNPROCESSABLE, "ValidationFailed", NULL, "%s",
				    e.msg);
	if (strcmp(jv_get_string(m, "uuid"), u->uuid) != 0)
		return answer_error(c, UPLOAD_UNPROCESSABLE, "InvalidParameter", "uuid",
				    "the manifest is of image %.40s", jv_get_string(m, "uuid"));
	if (catalog_find(u->http->catalog, u->uuid))
		return answer_error(c, MHD_HTTP_CONFLICT, "ImageUuidAlreadyExists", "uuid",
				    "image %s already exists", u->uuid);
	if (u->http->catalog->count >= IMAGES_MAX)
		return answer_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, "StorageIsDown", NULL,
				    "there are %d images, which is all", IMAGES_MAX);
	if (check_origin(u, c, m, &ret) < 0)
		return ret;
	make_ours(m);
	log_info("%s imports image %s", u->login, u->uuid);
	return store(u, c, m);
}

/* ---- file ------------------------------------------------------------------------ */

static const char *argument(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

static bool is_compression(const char *name)
{
	for (enum compression k = 0; name && k < COMPRESSION_MAX_; k++)
		if (strcmp(compression_name(k), name) == 0)
			return true;
	return false;
}

/*
 * files[0] of what came. What the manifest said of this very file beyond that ("whiteouts",
 * "uncompressedDigest") stays, as an image cannot be installed without it.
 */
static struct jv *describe(struct upload *u, struct MHD_Connection *c, const char *sha1,
			   const struct offer *img)
{
	const struct jv *was = jv_at(jv_get(img->manifest, "files"), 0);
	const char *its = jv_get_string(was, "sha1");
	struct jv *file = its && strcmp(its, sha1) == 0 ? jv_copy(was) : jv_object();
	const char *guid = argument(c, "dataset_guid");
	char sha256[DIGEST_HEX_MAX];

	digest_hex(u->sha256, sha256);
	jv_set(file, "sha1", jv_string(sha1));
	jv_set(file, "size", jv_int((int64_t)u->size));
	jv_set(file, "compression", jv_string(argument(c, "compression")));
	jv_set(file, "sha256", jv_string(sha256));
	if (guid && strlen(guid) <= 20 && strspn(guid, "0123456789") == strlen(guid))
		jv_set(file, "dataset_guid", jv_string(guid));
	return file;
}

static int give_name(struct upload *u, struct err *e)
{
	if (u->failed) {
		errno = u->failed;
		return err_sys(e, "cannot write '%s'", u->name);
	}
	if (fsync(u->fd) < 0 || renameat(folder(u), u->name, folder(u), u->uuid) < 0 ||
	    fsync(folder(u)) < 0)
		return err_sys(e, "cannot store '%s'", u->name);
	u->name[0] = '\0';
	return 0;
}

enum MHD_Result upload_file(struct upload *u, struct MHD_Connection *c)
{
	cleanup_jv struct jv *m = NULL;
	const char *want = argument(c, "sha1");
	const struct offer *img;
	struct jv *files;
	char sha1[DIGEST_HEX_MAX];
	enum MHD_Result ret;
	struct err e = { 0 };

	if (!is_compression(argument(c, "compression")))
		return answer_error(c, UPLOAD_UNPROCESSABLE, "InvalidParameter", "compression",
				    "compression is none, gzip, bzip2, xz or zstd");
	digest_hex(u->sha1, sha1);
	if (want && strcmp(want, sha1) != 0)
		return answer_error(c, MHD_HTTP_BAD_REQUEST, "Upload", NULL,
				    "what arrived has the SHA-1 %s, not %.60s", sha1, want);
	/* Looked at when it began as well; it may have been activated or deleted meanwhile. */
	img = upload_target(u, c, &ret);
	if (!img || upload_check_open(img, c, &ret) < 0)
		return ret;
	m = jv_copy(img->manifest);
	if (!img->dated)
		(void)jv_del(m, "published_at");
	files = jv_array();
	jv_push(files, describe(u, c, sha1, img));
	jv_set(m, "files", files);
	if (give_name(u, &e) < 0)
		return failed(c, &e);
	return store(u, c, m);
}

/* ---- activate, delete ------------------------------------------------------------ */

static void set_published(struct jv *m)
{
	char date[sizeof("2026-08-01T00:00:00.000Z") + 16] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	jv_set(m, "published_at", jv_string(date));
}

enum MHD_Result upload_activate(struct upload *u, struct MHD_Connection *c)
{
	cleanup_jv struct jv *m = NULL;
	enum MHD_Result ret;
	const struct offer *img = upload_target(u, c, &ret);
	struct stat st;
	int fd;

	if (!img)
		return ret;
	if (!has_state(img, "unactivated"))
		return answer_error(c, UPLOAD_UNPROCESSABLE, "ImageAlreadyActivated", NULL,
				    "image %s is activated", u->uuid);
	fd = catalog_open_file(u->http->catalog, img, &st);
	if (fd < 0)
		return answer_error(c, UPLOAD_UNPROCESSABLE, "NoActivationNoFile", NULL,
				    "image %s has no file yet", u->uuid);
	(void)close(fd);
	m = jv_copy(img->manifest);
	jv_set(m, "state", jv_string("active"));
	jv_set(m, "activated", jv_bool(true));
	/* Not what the folder's clock said of the manifest; what its maker said stays. */
	if (!jv_get(m, "published_at") || !img->dated)
		set_published(m);
	log_info("%s activates image %s", u->login, u->uuid);
	return store(u, c, m);
}

static const struct offer *find_child(const struct catalog *all, const char *uuid)
{
	for (size_t i = 0; i < all->count; i++) {
		const char *origin = jv_get_string(all->images[i].manifest, "origin");

		if (origin && strcmp(origin, uuid) == 0)
			return &all->images[i];
	}
	return NULL;
}

/* One rename takes it out of sight; what is left behind it upload_sweep() finds. */
static int remove_image(struct upload *u, struct err *e)
{
	cleanup_free char *name = xasprintf("%s.json", u->uuid);
	cleanup_free char *gone = xasprintf(".%s.gone", u->uuid);

	if (renameat(folder(u), name, folder(u), gone) < 0)
		return err_sys(e, "cannot remove '%s'", name);
	if (unlinkat(folder(u), u->uuid, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the file '%s'", u->uuid);
	if (unlinkat(folder(u), gone, 0) < 0 || fsync(folder(u)) < 0)
		return err_sys(e, "cannot remove '%s'", gone);
	return 0;
}

enum MHD_Result upload_delete(struct upload *u, struct MHD_Connection *c)
{
	static char nothing[1];
	enum MHD_Result ret;
	const struct offer *img = upload_target(u, c, &ret), *child;
	struct err e = { 0 };

	if (!img)
		return ret;
	child = find_child(u->http->catalog, u->uuid);
	if (child)
		return answer_error(c, UPLOAD_UNPROCESSABLE, "ImageHasDependentImages", NULL,
				    "image %s was made from it", child->uuid);
	if (remove_image(u, &e) < 0)
		return failed(c, &e);
	log_info("%s deletes image %s", u->login, u->uuid);
	return answer(c, MHD_HTTP_NO_CONTENT,
		      MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT),
		      NULL);
}
