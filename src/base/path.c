/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include "base/fileio.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int path_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	/* EAGAIN: something was renamed meanwhile, and the kernel could not be sure. */
	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

int path_open_beneath(int rootfd, const char *path, int flags)
{
	return path_openat2(rootfd, path, flags, 0, RESOLVE_BENEATH);
}

int path_open_in_root(int rootfd, const char *path, int flags, mode_t mode, struct err *e)
{
	int fd = path_openat2(rootfd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

static int make_folder(int dirfd, const char *name, mode_t mode)
{
	struct stat st;

	if (mkdirat(dirfd, name, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(dirfd, name, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int path_mkdir_all(int dirfd, const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	int r = 0;

	if (len == 0)
		return err_set(e, -EINVAL, "the folder's name is empty");
	if (len >= sizeof(part))
		return err_set(e, -ENAMETOOLONG, "the folder's name is too long");

	/* Each prefix that ends before a slash, then all of it. */
	for (size_t i = 0; r == 0 && i <= len; i++) {
		if (i > 0 && (path[i] == '/' || path[i] == '\0') && path[i - 1] != '/') {
			memcpy(part, path, i);
			part[i] = '\0';
			r = make_folder(dirfd, part, mode);
		}
	}
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot make the folder '%s'", part);
	}
	return 0;
}

int path_write_new(int dirfd, const char *name, const char *data, mode_t mode, struct err *e)
{
	cleanup_close int fd = -1;
	int r;

	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", name);
	r = file_write_fd(fd, data, strlen(data));
	if (r == 0)
		return 0;

	(void)unlinkat(dirfd, name, 0);
	errno = -r;
	return err_sys(e, "cannot write '%s'", name);
}

int path_next_entry(DIR *dir, struct dirent **ret, struct err *e)
{
	errno = 0;
	*ret = readdir(dir);
	if (!*ret && errno)
		return err_sys(e, "cannot read a folder to its end");
	return *ret ? 1 : 0;
}
