/* SPDX-License-Identifier: MIT */
#include "builder/search.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

int search_add(struct search *s, const char *dir, struct err *e)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open the folder '%s'", dir);
	s->dirs = xrealloc_array(s->dirs, s->count + 1, sizeof(*s->dirs));
	s->dirs[s->count++] = (struct search_dir){ .name = dir, .fd = fd };
	return 0;
}

void search_done(struct search *s)
{
	for (size_t i = 0; i < s->count; i++)
		(void)close(s->dirs[i].fd);
	free(s->dirs);
	s->dirs = NULL;
	s->count = 0;
}

static int open_below(int dirfd, const char *path)
{
	struct open_how how = {
		/* O_NONBLOCK: a FIFO somebody put here must not hang the build. */
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
}

static const char *type_name(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISFIFO(mode))
		return "a FIFO";
	return "a device";
}

int search_open(const struct search *s, const char *path, struct stat *st, const char **ret_dir,
		struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct search_dir *d = &s->dirs[i];
		cleanup_close int fd = open_below(d->fd, path);

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (fd < 0)
			return err_sys(e, "cannot open '%s' in '%s'", path, d->name);
		if (fstat(fd, st) < 0)
			return err_sys(e, "cannot stat '%s' in '%s'", path, d->name);
		if (!S_ISREG(st->st_mode))
			return err_set(e, -EINVAL, "'%s' in '%s' is %s, not a regular file",
				       path, d->name, type_name(st->st_mode));
		if (ret_dir)
			*ret_dir = d->name;
		return take_fd(fd);
	}
	return err_set(e, -ENOENT, "'%s' is in no folder of the search path", path);
}
