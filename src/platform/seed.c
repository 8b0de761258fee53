/* SPDX-License-Identifier: MIT */
#include "platform/seed.h"

#include "base/fileio.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX  64
#define CHUNK      65536
#define DIR_FLAGS  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static int copy_folder(int from, int to, int depth, struct err *e);

static int copy_bytes(int in, int out)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = read(in, chunk, sizeof(chunk))) > 0) {
		int r = file_write_fd(out, chunk, (size_t)n);

		if (r < 0)
			return r;
	}
	return n < 0 ? -errno : 0;
}

static int set_meta(int fd, const struct stat *st, const char *name, struct err *e)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0 ||
	    futimens(fd, times) < 0)
		return err_sys(e, "cannot set owner, mode and time of '%s'", name);
	return 0;
}

static int copy_file(int from, int to, const char *name, const struct stat *st, struct err *e)
{
	cleanup_close int in = openat(from, name, FILE_FLAGS);
	cleanup_close int out = -1;
	int r;

	if (in < 0)
		return err_sys(e, "cannot open '%s'", name);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(e, "cannot make '%s'", name);
	r = copy_bytes(in, out);
	if (r < 0)
		return err_set(e, r, "cannot copy '%s': %s", name, strerror(-r));
	return set_meta(out, st, name, e);
}

static int copy_link(int from, int to, const char *name, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, "cannot read the link '%s'", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0 ||
	    fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot make the link '%s'", name);
	return 0;
}

static int copy_subfolder(int from, int to, const char *name, const struct stat *st, int depth,
			  struct err *e)
{
	cleanup_close int in = openat(from, name, DIR_FLAGS);
	cleanup_close int out = -1;
	int r;

	if (in < 0)
		return err_sys(e, "cannot open '%s'", name);
	if (mkdirat(to, name, 0700) < 0)
		return err_sys(e, "cannot make the folder '%s'", name);
	out = openat(to, name, DIR_FLAGS);
	if (out < 0)
		return err_sys(e, "cannot open '%s'", name);
	r = copy_folder(in, out, depth + 1, e);
	return r < 0 ? r : set_meta(out, st, name, e);
}

static int copy_entry(int from, int to, const char *name, dev_t dev, int depth, struct err *e)
{
	struct stat st;

	/* Somebody removed it meanwhile: /var is alive. */
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot stat '%s'", name);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st, e);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st, e);
	if (S_ISDIR(st.st_mode) && st.st_dev == dev)
		return copy_subfolder(from, to, name, &st, depth, e);
	return 0;
}

static int copy_folder(int from, int to, int depth, struct err *e)
{
	int copy = depth > DEPTH_MAX ? -1 : openat(from, ".", DIR_FLAGS);
	struct dirent *entry;
	struct stat st;
	int r = 0;
	DIR *dir;

	if (depth > DEPTH_MAX)
		return err_set(e, -ELOOP, "folders nest deeper than %d", DEPTH_MAX);
	if (copy < 0 || fstat(copy, &st) < 0)
		return err_sys(e, "cannot open a folder");
	dir = fdopendir(copy);
	if (!dir) {
		r = err_sys(e, "cannot read a folder");
		close_p(&copy);
		return r;
	}
	while (r == 0 && (r = path_next_entry(dir, &entry, e)) > 0) {
		r = 0;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = copy_entry(from, to, entry->d_name, st.st_dev, depth, e);
	}
	(void)closedir(dir);
	return r;
}

int seed_copy(int from, int to, struct err *e)
{
	struct stat st;
	int r = copy_folder(from, to, 0, e);

	if (r < 0)
		return r;
	if (fstat(from, &st) < 0)
		return err_sys(e, "cannot stat a folder");
	return set_meta(to, &st, ".", e);
}
