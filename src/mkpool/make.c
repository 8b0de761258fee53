/* SPDX-License-Identifier: MIT */
/*
 * make.c - a new pool, in a file or on devices.
 *
 * A file is made as FILE.new and gets its name when it holds a file system: a
 * kill leaves FILE.new at most, which the next mkpool replaces, and never a
 * FILE that looks like a pool and is none.
 */
#include "mkpool/mkpool.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libstore/pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static void warn_if_overcommitted(const struct mkpool *m, int fd)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < m->size)
		mkpool_say(m,
			   "warning: only %llu MiB are free below '%s'; when they are used up "
			   "the pool fails",
			   (unsigned long long)fs.f_bavail * fs.f_frsize >> 20, m->file);
}

/* May FILE be (re)placed? */
static int check_file(const struct mkpool *m, struct err *e)
{
	struct stat st;
	int r;

	if (lstat(m->file, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot look at '%s'", m->file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is not a regular file", m->file);
	if (m->force)
		return 0;
	r = mkpool_check_empty(m->file, e);
	if (r == -EBUSY)
		return err_set(e, r,
			       "'%s' exists and holds data; mount it by "
			       "'mkpool --mount --file %s', or --force destroys it",
			       m->file, m->file);
	if (r == 0 && st.st_size > 0)
		return err_set(e, -EEXIST, "'%s' exists (%lld bytes); --force replaces it",
			       m->file, (long long)st.st_size);
	return r;
}

static int write_file(const struct mkpool *m, const char *tmp, struct err *e)
{
	const char *devices[] = { tmp };
	cleanup_close int fd = -1;
	int r;

	(void)unlink(tmp);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", tmp);
	warn_if_overcommitted(m, fd);
	r = ftruncate(fd, (off_t)m->size) < 0 ? err_sys(e, "cannot make '%s' that large", tmp)
					      : 0;
	if (r == 0)
		r = store_pool_format(devices, 1, e);
	if (r == 0 && fsync(fd) < 0)
		r = err_sys(e, "cannot write '%s'", tmp);
	if (r == 0 && rename(tmp, m->file) < 0)
		r = err_sys(e, "cannot move '%s' into place", m->file);
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

static int make_in_file(struct mkpool *m, struct err *e)
{
	cleanup_free char *tmp = xasprintf("%s.new", m->file);
	int r;

	if (m->size < STORE_POOL_MIN)
		return err_set(e, -EINVAL, "--size must be at least %llu MiB",
			       (unsigned long long)STORE_POOL_MIN >> 20);
	r = check_file(m, e);
	if (r < 0)
		return r;
	mkpool_say(m, "making a file system in %s", m->file);
	r = write_file(m, tmp, e);
	if (r < 0)
		return r;
	r = mkpool_bring_up(m, e);
	if (r < 0)
		(void)unlink(m->file);
	return r;
}

static int make_on_devices(struct mkpool *m, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->device_count; i++) {
		r = mkpool_check_unused(m->devices[i], e);
		if (r == 0 && !m->force)
			r = mkpool_check_empty(m->devices[i], e);
	}
	if (r < 0)
		return r;
	mkpool_say(m, "making a file system on %s%s", m->devices[0],
		   m->device_count > 1 ? " and others" : "");
	r = store_pool_format(m->devices, m->device_count, e);
	return r < 0 ? r : mkpool_bring_up(m, e);
}

int mkpool_make(struct mkpool *m, struct err *e)
{
	cleanup_close int fd = -1;
	bool mounted;
	int r;

	fd = mkpool_open_target(m, &mounted, e);
	if (fd < 0)
		return fd;
	jv_set(m->answer, "changed", jv_bool(!mounted));
	if (mounted && mkpool_is_same(m)) {
		mkpool_say(m, "the pool is mounted already");
		return 0;
	}
	if (mounted)
		return err_set(e, -EBUSY, "another pool is mounted at '%s/" HOST_POOL "'",
			       m->host.root);
	r = m->file ? make_in_file(m, e) : make_on_devices(m, e);
	if (r == 0)
		mkpool_say(m, "the pool is mounted at %s/" HOST_POOL, m->host.root);
	return r;
}
