/* SPDX-License-Identifier: MIT */
/*
 * download.c - the files; fetch.c has the helper that fills them.
 */
#include "libsource/download.h"

#include "base/alloc.h"
#include "base/jv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER HOST_IMAGES "/.download"

int downloads_open(const struct host *h, struct err *e)
{
	return host_dir(h, FOLDER, 0700, e);
}

static void sidecar_name(const struct download *d, char ret[static UUID_STR + 8])
{
	(void)snprintf(ret, UUID_STR + 8, "%s.json", d->uuid);
}

static int save(const struct download *d, struct err *e)
{
	cleanup_jv struct jv *v = jv_object();
	char name[UUID_STR + 8];

	sidecar_name(d, name);
	jv_set(v, "url", jv_string(d->url));
	jv_set(v, "size", jv_int((int64_t)d->expect.size));
	jv_set(v, "sha1", jv_string(d->expect.sha1));
	jv_set(v, "sha256", jv_string(d->expect.sha256));
	jv_set(v, "etag", jv_string(d->etag));
	return jv_store_soft(d->dirfd, name, v, e);
}

static bool same(const struct jv *v, const char *key, const char *text)
{
	const char *was = jv_get_string(v, key);

	return was && strcmp(was, text) == 0;
}

/* Is what lies there a part of the same file? Its etag is good for the same address only. */
static bool is_part(struct download *d)
{
	cleanup_jv struct jv *v = NULL;
	char name[UUID_STR + 8];
	const char *etag;

	sidecar_name(d, name);
	if (jv_load(d->dirfd, name, 65536, &v, NULL) < 0)
		return false;
	if (!same(v, "sha1", d->expect.sha1) || !same(v, "sha256", d->expect.sha256) ||
	    jv_get_int(v, "size", -1) != (int64_t)d->expect.size)
		return false;
	etag = jv_get_string(v, "etag");
	if (same(v, "url", d->url) && etag && strlen(etag) < sizeof(d->etag))
		memcpy(d->etag, etag, strlen(etag) + 1);
	return true;
}

int download_restart(struct download *d, struct err *e)
{
	if (ftruncate(d->fd, 0) < 0)
		return err_sys(e, "cannot empty the download of image '%s'", d->uuid);
	d->have = 0;
	d->etag[0] = '\0';
	d->resumed = d->ended = false;
	return save(d, e);
}

static int resume(struct download *d, struct err *e)
{
	struct stat st;

	if (fstat(d->fd, &st) < 0)
		return err_sys(e, "cannot look at the download of image '%s'", d->uuid);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "the download of image '%s' is no file", d->uuid);
	if (st.st_size == 0 || (uint64_t)st.st_size > d->expect.size || !is_part(d))
		return download_restart(d, e);
	d->have = (uint64_t)st.st_size;
	d->resumed = true;
	return 0;
}

static void take_headers(struct download *d, const struct jv *list)
{
	size_t n = 0;

	d->headers = xcalloc(jv_len(list) + 1, sizeof(*d->headers));
	for (size_t i = 0; i < jv_len(list); i++) {
		const char *line = jv_as_string(jv_at(list, i));

		if (line && !strpbrk(line, "\r\n"))
			d->headers[n++] = line;
	}
}

int download_open(int dirfd, const char *uuid, const struct jv *file,
		  const struct manifest_file *expect, struct download *ret, struct err *e)
{
	const char *url = jv_get_string(file, "url");
	struct download d = { .dirfd = dirfd, .fd = -1, .expect = *expect };
	int r;

	if (!url)
		return err_set(e, -EINVAL,
			       "the source does not say where the file of image "
			       "'%s' is",
			       uuid);
	(void)snprintf(d.uuid, sizeof(d.uuid), "%s", uuid);
	d.fd = openat(dirfd, uuid, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		      0600);
	if (d.fd < 0)
		return err_sys(e, "cannot open the download of image '%s'", uuid);
	d.url = xstrdup(url);
	take_headers(&d, jv_get(file, "headers"));
	r = resume(&d, e);
	if (r < 0)
		download_close(&d);
	else
		*ret = d;
	return r;
}

void download_drop(struct download *d)
{
	char name[UUID_STR + 8];

	sidecar_name(d, name);
	/* The words first: alone they would be nobody's, the bytes alone are known by their
	 * name. */
	(void)unlinkat(d->dirfd, name, 0);
	(void)unlinkat(d->dirfd, d->uuid, 0);
	/* The disk need not get what is still in memory only. */
	(void)(ftruncate(d->fd, 0) < 0);
}

void download_close(struct download *d)
{
	if (!d->url)
		return;
	if (d->have > 0 && !d->ended)
		(void)(save(d, NULL) <
		       0); /* with the etag; without it, it goes on all the same */
	close_p(&d->fd);
	free(d->url);
	free(d->headers);
	*d = (struct download){ .fd = -1 };
}
