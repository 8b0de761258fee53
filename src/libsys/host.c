/* SPDX-License-Identifier: MIT */
#include "libsys/host.h"

#include "base/alloc.h"
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

int host_open(struct host *ret_host, const char *root, struct err *e)
{
	cleanup_free char *real = realpath(root ? root : "/", NULL);
	cleanup_close int fd = -1;

	if (!real)
		return err_sys(e, "cannot find the root folder '%s'", root);
	fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open the root folder '%s'", real);

	if (strcmp(real, "/") == 0)
		real[0] = '\0';
	*ret_host = (struct host){ .root = take_ptr(real), .fd = take_fd(fd) };
	return 0;
}

void host_close(struct host *h)
{
	free(h->root);
	close_p(&h->fd);
	*h = (struct host){ .fd = -1 };
}

/*
 * The root's own symbolic links are followed, as its kernel would: an absolute
 * one leads to a place below the root, and none out of it.
 */
static int open_below(int rootfd, const char *path, int flags)
{
	return path_openat2(rootfd, path, flags | O_DIRECTORY, 0, RESOLVE_IN_ROOT);
}

/* NAME in PARENT with exactly MODE, whatever the umask is. Another maker may be first. */
static int make_one(int parent, const char *name, mode_t mode)
{
	cleanup_close int fd = -1;

	if (mkdirat(parent, name, mode) < 0)
		return errno == EEXIST ? 0 : -1;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -1 : fchmod(fd, mode);
}

static int make_all(const struct host *h, const char *dir, mode_t mode)
{
	char path[PATH_MAX];
	char *part = path;

	if (strlen(dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, dir, strlen(dir) + 1);

	for (;;) {
		cleanup_close int parent = -1;
		char *slash = strchr(part, '/');
		char first = *part;

		/* Cut before PART for the parent's path, after it for its own name. */
		*part = '\0';
		parent = open_below(h->fd, part == path ? "." : path, O_PATH);
		*part = first;
		if (slash)
			*slash = '\0';
		if (parent < 0 || make_one(parent, part, slash ? 0755 : mode) < 0)
			return -1;
		if (!slash)
			return 0;
		*slash = '/';
		part = slash + 1;
	}
}

int host_dir(const struct host *h, const char *dir, mode_t mode, struct err *e)
{
	int fd = open_below(h->fd, dir, O_RDONLY);

	if (fd < 0 && errno == ENOENT) {
		if (make_all(h, dir, mode) < 0)
			return err_sys(e, "cannot make the folder '%s/%s'", h->root, dir);
		fd = open_below(h->fd, dir, O_RDONLY);
	}
	if (fd < 0)
		return err_sys(e, "cannot open the folder '%s/%s'", h->root, dir);
	return fd;
}

int host_dir_existing(const struct host *h, const char *dir, struct err *e)
{
	int fd = open_below(h->fd, dir, O_RDONLY);

	if (fd < 0)
		return err_sys(e, "cannot open the folder '%s/%s'", h->root, dir);
	return fd;
}

char *host_path(const struct host *h, const char *dir, const char *name)
{
	return xasprintf("%s/%s/%s", h->root, dir, name);
}
