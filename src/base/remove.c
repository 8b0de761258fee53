/* SPDX-License-Identifier: MIT */
/*
 * remove.c - path_remove_tree(): a tree that somebody else made, however deep.
 *
 * Neither the stack nor the descriptors grow with the tree: a folder that stands
 * DEPTH_MAX below the top is first moved up to the top, and the top is emptied
 * again until a pass moves nothing.
 */
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64

struct remover {
	int topfd;
	dev_t dev;
	unsigned int moved; /* folders moved up so far */
};

static int remove_at(struct remover *rm, int dirfd, const char *name, int depth, struct err *e);

static int open_folder(int dirfd, const char *name, DIR **ret_dir, struct err *e)
{
	cleanup_close int fd = -1;
	DIR *dir;

	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open the folder '%s'", name);
	dir = fdopendir(fd);
	if (!dir)
		return err_sys(e, "cannot read the folder '%s'", name);

	(void)take_fd(fd);
	*ret_dir = dir;
	return 0;
}

static int empty_folder(struct remover *rm, DIR *dir, const char *name, int depth,
			struct err *e)
{
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_at(rm, dirfd(dir), entry->d_name, depth, e);
	}
	if (r == 0 && errno)
		r = err_sys(e, "cannot read the folder '%s'", name);
	return r;
}

/* A number may be in use by what an earlier removal left: then the next one. */
static int move_up(struct remover *rm, int dirfd, const char *name, struct err *e)
{
	char up[32];
	int r;

	do {
		(void)snprintf(up, sizeof(up), ".removing.%u", rm->moved++);
		r = renameat2(dirfd, name, rm->topfd, up, RENAME_NOREPLACE);
	} while (r < 0 && errno == EEXIST);

	if (r < 0 && errno != ENOENT)
		return err_sys(e, "cannot move '%s' up to remove it", name);
	return 0;
}

static int remove_folder(struct remover *rm, int dirfd, const char *name, int depth,
			 struct err *e)
{
	DIR *dir;
	int r;

	if (depth >= DEPTH_MAX)
		return move_up(rm, dirfd, name, e);

	r = open_folder(dirfd, name, &dir, e);
	if (r < 0)
		return r;
	r = empty_folder(rm, dir, name, depth + 1, e);
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the folder '%s'", name);
	return 0;
}

static int remove_at(struct remover *rm, int dirfd, const char *name, int depth, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot stat '%s'", name);
	if (st.st_dev != rm->dev)
		return err_set(e, -EXDEV, "'%s' is on another file system", name);
	if (S_ISDIR(st.st_mode))
		return remove_folder(rm, dirfd, name, depth, e);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", name);
	return 0;
}

static int empty_top(DIR *dir, const char *name, dev_t dev, struct err *e)
{
	struct remover rm = { .topfd = dirfd(dir), .dev = dev };
	unsigned int before;
	int r;

	do {
		before = rm.moved;
		rewinddir(dir);
		r = empty_folder(&rm, dir, name, 0, e);
	} while (r == 0 && rm.moved != before);
	return r;
}

int path_remove_tree(int dirfd, const char *name, struct err *e)
{
	struct stat st;
	DIR *dir;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot stat '%s'", name);
	if (!S_ISDIR(st.st_mode)) {
		if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
			return err_sys(e, "cannot remove '%s'", name);
		return 0;
	}

	r = open_folder(dirfd, name, &dir, e);
	if (r < 0)
		return r;
	r = empty_top(dir, name, st.st_dev, e);
	(void)closedir(dir);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the folder '%s'", name);
	return 0;
}
