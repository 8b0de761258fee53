/* SPDX-License-Identifier: MIT */
#include "imgapi/upload_private.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/log.h"
#include "base/path.h"
#include "libimg/image.h"
#include "libmanifest/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX ((uint64_t)20 << 30) /* as with the original's servers */
#define SYNC     ((uint64_t)32 << 20) /* begins to reach the disk as it comes */
#define SPARE    ((uint64_t)64 << 20) /* stays free */
#define LEAD     ".upload."

void upload_free(struct upload *u)
{
	if (!u)
		return;
	if (u->name[0])
		(void)unlinkat(u->http->catalog->dirfd, u->name, 0);
	close_p(&u->fd);
	digest_free(u->sha1);
	digest_free(u->sha256);
	buf_done(&u->body);
	free(u);
}

/* ---- the head -------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static const char *argument(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

/* REST is what follows the UUID. */
static bool kind_of(struct MHD_Connection *c, const char *method, const char *rest,
		    enum upload_kind *ret)
{
	const char *action = argument(c, "action");

	if (strcmp(method, MHD_HTTP_METHOD_DELETE) == 0 && !*rest)
		*ret = UPLOAD_DELETE;
	else if (strcmp(method, MHD_HTTP_METHOD_PUT) == 0 && strcmp(rest, "/file") == 0)
		*ret = UPLOAD_FILE;
	else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0 || *rest || !action)
		return false;
	else if (strcmp(action, "import") == 0)
		*ret = UPLOAD_IMPORT;
	else if (strcmp(action, "activate") == 0)
		*ret = UPLOAD_ACTIVATE;
	else
		return false;
	return true;
}

static bool is_signed(struct http *s, struct MHD_Connection *c, char login[static LOGIN_MAX])
{
	return writers_verify(s->writers, header(c, MHD_HTTP_HEADER_AUTHORIZATION),
			      header(c, MHD_HTTP_HEADER_DATE), (int64_t)time(NULL), login);
}

/* 0, or -1 with the answer in *RET: what cannot end well is not begun. */
static int check_room(struct upload *u, struct MHD_Connection *c, enum MHD_Result *ret)
{
	const char *text = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t size = text ? strtoull(text, NULL, 10) : 0;
	struct statvfs v;

	if (!text)
		*ret = answer_error(c, MHD_HTTP_LENGTH_REQUIRED, "BadRequestError", NULL,
				    "say how long the file is (Content-Length)");
	else if (size > FILE_MAX)
		*ret = answer_error(c, MHD_HTTP_BAD_REQUEST, "ImageFileTooBig", NULL,
				    "the file is larger than %llu bytes",
				    (unsigned long long)FILE_MAX);
	else if (fstatvfs(u->http->catalog->dirfd, &v) == 0 &&
		 size + SPARE > (uint64_t)v.f_bavail * v.f_frsize)
		*ret = answer_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, "StorageIsDown", NULL,
				    "there is no room for %llu bytes",
				    (unsigned long long)size);
	else
		return 0;
	return -1;
}

static int open_part(struct upload *u, struct MHD_Connection *c, enum MHD_Result *ret)
{
	static unsigned int number;

	(void)snprintf(u->name, sizeof(u->name), LEAD "%u", number++);
	u->fd = openat(u->http->catalog->dirfd, u->name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (u->fd < 0) {
		log_error("cannot create '%s': %s", u->name, strerror(errno));
		u->name[0] = '\0';
		*ret = answer_error(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "InternalError", NULL,
				    "the file cannot be stored");
		return -1;
	}
	u->sha1 = digest_new(DIGEST_SHA1);
	u->sha256 = digest_new(DIGEST_SHA256);
	return 0;
}

static int begin_file(struct upload *u, struct MHD_Connection *c, enum MHD_Result *ret)
{
	const struct offer *img = upload_target(u, c, ret);

	if (!img || upload_check_open(img, c, ret) < 0 || check_room(u, c, ret) < 0)
		return -1;
	return open_part(u, c, ret);
}

/* The request, or NULL with the answer in *RET. */
static struct upload *make(struct http *s, struct MHD_Connection *c, const char *url,
			   const char *method, enum MHD_Result *ret)
{
	const char *rest = strncmp(url, "/images/", 8) == 0 ? url + 8 : "";
	size_t len = strcspn(rest, "/");
	cleanup_free char *uuid = xstrndup(rest, len);
	enum upload_kind kind;
	char login[LOGIN_MAX];
	struct upload *u;

	if (!is_signed(s, c, login)) {
		*ret = answer_error(c, MHD_HTTP_UNAUTHORIZED, "UnauthorizedError", NULL,
				    "this needs a signature of now by a key that is known "
				    "here");
		return NULL;
	}
	if (!*uuid || !kind_of(c, method, rest + len, &kind)) {
		*ret = answer_error(c, MHD_HTTP_NOT_IMPLEMENTED, "NotAvailable", NULL,
				    "there is import, file, activate and delete of an image");
		return NULL;
	}
	if (!uuid_is_valid(uuid)) {
		*ret = answer_error(c, UPLOAD_UNPROCESSABLE, "InvalidParameter", "uuid",
				    "invalid image UUID '%.60s'", uuid);
		return NULL;
	}
	u = xcalloc(1, sizeof(*u));
	u->http = s;
	u->kind = kind;
	u->fd = -1;
	memcpy(u->uuid, uuid, UUID_STR);
	memcpy(u->login, login, LOGIN_MAX);
	return u;
}

void upload_begin(struct http *s, struct MHD_Connection *c, const char *url, const char *method,
		  struct upload **ret, enum MHD_Result *ret_mhd)
{
	struct upload *u = make(s, c, url, method, ret_mhd);

	if (u && u->kind == UPLOAD_FILE && begin_file(u, c, ret_mhd) < 0) {
		upload_free(u);
		u = NULL;
	}
	if (u)
		*ret_mhd = MHD_YES;
	*ret = u;
}

/* ---- the body -------------------------------------------------------------------- */

static void add_to_file(struct upload *u, const void *data, size_t len)
{
	if (u->failed)
		return;
	u->failed = -file_write_fd(u->fd, data, len);
	u->size += len;
	u->too_large |= u->size > FILE_MAX;
	digest_add(u->sha1, data, len);
	digest_add(u->sha256, data, len);
	if (u->size - u->started < SYNC)
		return;
	/* So that the end does not wait for gigabytes, and everybody else with it. */
	(void)sync_file_range(u->fd, (off_t)u->started, (off_t)(u->size - u->started),
			      SYNC_FILE_RANGE_WRITE);
	u->started = u->size;
}

void upload_add(struct upload *u, const void *data, size_t len)
{
	if (u->kind == UPLOAD_FILE)
		add_to_file(u, data, len);
	else if (u->body.len + len > IMAGE_MANIFEST_MAX)
		u->too_large = true;
	else
		buf_add(&u->body, data, len);
}

enum MHD_Result upload_end(struct upload *u, struct MHD_Connection *c)
{
	if (u->too_large)
		return answer_error(c, MHD_HTTP_BAD_REQUEST, "BadRequestError", NULL,
				    "that is too much");
	switch (u->kind) {
	case UPLOAD_IMPORT:
		return upload_import(u, c);
	case UPLOAD_FILE:
		return upload_file(u, c);
	case UPLOAD_ACTIVATE:
		return upload_activate(u, c);
	default:
		return upload_delete(u, c);
	}
}

/* ---- what was cut short ---------------------------------------------------------- */

/* ".UUIDEND"? */
static bool is_of(const char *name, const char *end, char uuid[static UUID_STR])
{
	if (*name != '.' || strlen(name) != 1 + UUID_LEN + strlen(end) ||
	    strcmp(name + 1 + UUID_LEN, end) != 0)
		return false;
	(void)snprintf(uuid, UUID_STR, "%.36s", name + 1);
	return uuid_is_valid(uuid);
}

static void sweep_entry(int dirfd, const char *name)
{
	char uuid[UUID_STR];

	/* Its manifest is out of sight, its file may not be. */
	if (is_of(name, ".gone", uuid))
		(void)unlinkat(dirfd, uuid, 0);
	else if (!is_of(name, ".json.new", uuid) && strncmp(name, LEAD, strlen(LEAD)) != 0)
		return;
	(void)unlinkat(dirfd, name, 0);
}

int upload_sweep(int dirfd, struct err *e)
{
	int own = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	struct dirent *one;
	int r;

	if (!d) {
		close_p(&own);
		return err_sys(e, "cannot read the folder of images");
	}
	while ((r = path_next_entry(d, &one, e)) > 0)
		sweep_entry(dirfd, one->d_name);
	(void)closedir(d);
	return r;
}
