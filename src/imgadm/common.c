/* SPDX-License-Identifier: MIT */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "libmanifest/manifest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int status_of(const char *code)
{
	static const char *const not_installed[] = { "ImageNotInstalled",
						     "OriginNotInstalled" };

	for (size_t i = 0; i < ARRAY_SIZE(not_installed); i++)
		if (strcmp(code, not_installed[i]) == 0)
			return EXIT_NOT_INSTALLED;
	return EXIT_FAILURE;
}

/* One line, in the shape that the original's callers read. */
static void print_record(const char *code, const char *message, int status)
{
	cleanup_jv struct jv *record = jv_object();
	cleanup_free char *text = NULL;
	struct jv *err = jv_object();
	char host[65] = "", when[40];
	time_t now = time(NULL);
	struct tm tm;

	(void)gethostname(host, sizeof(host) - 1);
	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	jv_set(err, "code", jv_string(code));
	jv_set(err, "message", jv_string(message));
	jv_set(err, "exitStatus", jv_int(status));
	jv_set(record, "name", jv_string("imgadm"));
	jv_set(record, "hostname", jv_string(host));
	jv_set(record, "pid", jv_int(getpid()));
	jv_set(record, "level", jv_int(50));
	jv_set(record, "err", err);
	jv_set(record, "msg", jv_string(message));
	jv_set(record, "time", jv_string(when));
	jv_set(record, "v", jv_int(0));
	text = jv_dump(record, 0);
	(void)fprintf(stderr, "%s\n", text);
}

int imgadm_fail(const struct cli_call *call, const char *code, const char *message)
{
	int status = status_of(code);

	(void)fflush(stdout); /* what was done comes before what failed */
	(void)fprintf(stderr, "imgadm %s: error (%s): %s\n", cli_command(call), code, message);
	if (cli_has(call, "E"))
		print_record(code, message, status);
	return status;
}

const char *imgadm_error_name(int code, const char *message)
{
	if (code)
		return code == -ENOMEM || code == -EIO ? "InternalError" : "FileSystem";
	if (!message)
		return "NoCommand";
	if (strstr(message, "is not a command"))
		return "UnknownCommand";
	return strncmp(message, "unknown option", 14) == 0 ? "UnknownOption" : "Usage";
}

void imgadm_misused(const struct cli_call *call, const char *message)
{
	if (cli_has(call, "E"))
		print_record(imgadm_error_name(0, message),
			     message ? message : "no command given", EXIT_FAILURE);
}

/* -v, and what the original's users know. */
static bool wants_trace(const struct cli_call *call)
{
	const char *level = getenv("IMGADM_LOG_LEVEL");

	return cli_has_before(call, "verbose") ||
	       (level && (strcmp(level, "trace") == 0 || strcmp(level, "debug") == 0));
}

const char *imgadm_local_code(int r)
{
	switch (r) {
	case -ENOTSUP:
		return "NotSupported";
	case -EINTR:
		return "InternalError";
	default:
		return "FileSystem";
	}
}

int imgadm_begin(const struct cli_call *call, struct host *ret_host)
{
	const char *pool = cli_get(call, "P");
	struct err e = { 0 };

	log_setup("imgadm", NULL);
	if (wants_trace(call))
		log_set_max(LOG_LEVEL_DEBUG);
	if (geteuid() != 0) {
		(void)fprintf(stderr, "imgadm %s: only root can do that\n", cli_command(call));
		return EXIT_NOT_ROOT;
	}
	if (pool && strcmp(pool, IMGADM_POOL) != 0) {
		cleanup_free char *msg =
			xasprintf("there is no pool '%s', only '" IMGADM_POOL "'", pool);

		return imgadm_fail(call, "InvalidArgument", msg);
	}
	if (host_open(ret_host, cli_get(call, "root"), &e) < 0)
		return imgadm_fail(call, "FileSystem", e.msg);
	return 0;
}

int imgadm_sources(const struct cli_call *call, const struct host *h, struct sources *ret)
{
	struct err e = { 0 };
	int r = sources_load(h, ret, &e);

	return r == 0 ? 0 : imgadm_fail(call, "ConfigError", e.msg);
}

int imgadm_not_installed(const struct cli_call *call, const char *uuid)
{
	cleanup_free char *msg =
		xasprintf("image \"%s\" was not found on zpool \"" IMGADM_POOL "\"", uuid);

	return imgadm_fail(call, "ImageNotInstalled", msg);
}

int imgadm_load(const struct cli_call *call, const struct host *h, const char *uuid,
		struct image *ret_image)
{
	struct err e = { 0 };
	int r;

	if (!uuid_is_valid(uuid)) {
		cleanup_free char *msg = xasprintf("invalid uuid: \"%s\"", uuid);

		return imgadm_fail(call, "InvalidUUID", msg);
	}
	r = image_load(h, uuid, ret_image, &e);
	if (r == -ENOENT)
		return imgadm_not_installed(call, uuid);
	return r < 0 ? imgadm_fail(call, "FileSystem", e.msg) : 0;
}

struct jv *imgadm_clone_names(const struct image_uses *c, const char *image)
{
	struct jv *names = jv_array();

	for (size_t i = 0; i < c->count; i++) {
		char name[sizeof(IMGADM_POOL) + UUID_STR];

		if (strcmp(c->items[i].image, image) != 0)
			continue;
		(void)snprintf(name, sizeof(name), IMGADM_POOL "/%s", c->items[i].user);
		jv_push(names, jv_string(name));
	}
	return names;
}

struct jv *imgadm_describe(const struct image *img)
{
	struct jv *v = jv_object();
	const struct jv *source = jv_get(img->meta, "source");

	jv_set(v, "manifest", jv_copy(img->manifest));
	jv_set(v, "zpool", jv_string(IMGADM_POOL));
	jv_set(v, "source", source ? jv_copy(source) : jv_null());
	return v;
}

void imgadm_print_json(const struct jv *v)
{
	cleanup_free char *text = jv_dump(v, 2);

	(void)puts(text);
}

static int read_stdin(struct jv **ret, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	char chunk[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read standard input");
		if (b.len + (size_t)n > IMAGE_MANIFEST_MAX)
			return err_set(e, -EFBIG, "the manifest is too large");
		buf_add(&b, chunk, (size_t)n);
	}
	return jv_parse(buf_str(&b), b.len, "standard input", ret, e);
}

int imgadm_load_json(const char *path, struct jv **ret, struct err *e)
{
	if (strcmp(path, "-") == 0)
		return read_stdin(ret, e);
	return jv_load(AT_FDCWD, path, IMAGE_MANIFEST_MAX, ret, e);
}
