/* SPDX-License-Identifier: MIT */
#include "builder/output.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Splits PATH into an open folder and a name. */
static int open_folder(struct output *o, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = NULL;
	int n;

	dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	o->name = slash ? slash + 1 : path;
	n = snprintf(o->growing, sizeof(o->growing), ".%s.new", o->name);
	if (!*o->name || n < 0 || (size_t)n >= sizeof(o->growing))
		return err_set(e, -EINVAL, "'%s' is not a file name to write to", path);

	o->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dirfd < 0)
		return err_sys(e, "cannot open the folder of '%s'", path);
	return 0;
}

/* Moving a file over /dev/null would be a bad surprise for root. */
static int check_place(const struct output *o, struct err *e)
{
	struct stat st;

	if (fstatat(o->dirfd, o->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot stat '%s'", o->name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EEXIST, "'%s' exists and is not a regular file", o->name);
	return 0;
}

/* Is FD still what the name of the growing file stands for? */
static bool is_current(const struct output *o, int fd)
{
	struct stat here;
	struct stat there;

	return fstat(fd, &here) == 0 &&
	       fstatat(o->dirfd, o->growing, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int output_open(struct output *o, const char *path, struct err *e)
{
	int r = open_folder(o, path, e);

	if (r == 0)
		r = check_place(o, e);
	if (r < 0)
		return r;

	for (;;) {
		cleanup_close int fd = openat(o->dirfd, o->growing,
					      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);

		if (fd < 0)
			return err_sys(e, "cannot create '%s'", o->growing);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			return err_set(e, -EBUSY, "'%s' is being written by another builder",
				       path);

		/* Between our open and our lock its owner may have moved it to its place. */
		if (!is_current(o, fd))
			continue;
		o->fd = take_fd(fd);
		if (ftruncate(o->fd, 0) < 0)
			return err_sys(e, "cannot empty '%s'", o->growing);
		return 0;
	}
}

/* Not synced: after a power cut the build runs again, and killing it loses no writes. */
int output_commit(struct output *o, struct err *e)
{
	if (renameat(o->dirfd, o->growing, o->dirfd, o->name) < 0)
		return err_sys(e, "cannot move '%s' into place", o->name);
	(void)close(o->fd);
	o->fd = -1;
	return 0;
}

void output_done(struct output *o)
{
	if (o->fd >= 0) {
		(void)unlinkat(o->dirfd, o->growing, 0);
		(void)close(o->fd);
	}
	if (o->dirfd >= 0)
		(void)close(o->dirfd);
	o->fd = -1;
	o->dirfd = -1;
}
