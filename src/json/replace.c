/* SPDX-License-Identifier: MIT */
#include "json/replace.h"

#include "base/alloc.h"
#include "base/fileio.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Data and rights go to FD before the file has its name. */
static int fill(int fd, const struct stat *old, const char *data, size_t len)
{
	int r = file_write_fd(fd, data, len);

	if (r < 0)
		return r;
	if ((old->st_uid != geteuid() || old->st_gid != getegid()) &&
	    fchown(fd, old->st_uid, old->st_gid) < 0)
		return -errno;
	if (fchmod(fd, old->st_mode & 07777) < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* A name that is lost with the power is the old file: nothing to undo when this fails. */
static void sync_folder(char *path)
{
	cleanup_close int fd = -1;
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

int replace_file(const char *path, const char *data, size_t len, struct err *e)
{
	cleanup_free char *real = realpath(path, NULL);
	cleanup_free char *made = NULL;
	cleanup_close int fd = -1;
	struct stat old;
	int r;

	if (!real || stat(real, &old) < 0)
		return err_sys(e, "could not write \"%s\"", path);
	made = xasprintf("%s.XXXXXX", real);
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "could not write \"%s\"", made);
	r = fill(fd, &old, data, len);
	if (r == 0 && rename(made, real) < 0)
		r = -errno;
	if (r < 0) {
		errno = -r;
		r = err_sys(e, "could not write \"%s\"", path);
		goto undo_made;
	}
	sync_folder(real);
	return 0;

undo_made:
	(void)unlink(made);
	return r;
}
