/* SPDX-License-Identifier: MIT */
#include "libimgfile/pack_diff.h"

#include "base/alloc.h"
#include "libformat/xattr.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define CHUNK     ((size_t)128 << 10)
#define XATTR_MAX ((size_t)64 << 10) /* the kernel's own bound, of names and of a value */

int pack_open(int rootfd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
}

int pack_stat(int rootfd, const char *path, struct stat *ret, struct err *e)
{
	cleanup_close int fd = pack_open(rootfd, path, O_PATH | O_NOFOLLOW);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, ret) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	return 1;
}

/* ---- names ---------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int pack_list(int rootfd, const char *path, struct pack_names *ret, struct err *e)
{
	int fd = pack_open(rootfd, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t cap = 0;

	if (!dir) {
		int r = err_sys(e, "cannot read the folder '%s'", path);

		close_p(&fd);
		return r;
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (ret->count == cap) {
			cap = cap ? 2 * cap : 64;
			ret->items = xrealloc_array(ret->items, cap, sizeof(*ret->items));
		}
		ret->items[ret->count++] = xstrdup(entry->d_name);
	}
	if (errno) {
		int r = err_sys(e, "cannot read the folder '%s'", path);

		(void)closedir(dir);
		return r;
	}
	(void)closedir(dir);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_bytes);
	return 0;
}

void pack_names_done(struct pack_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

bool pack_names_have(const struct pack_names *n, const char *name)
{
	return n->count &&
	       bsearch(&name, n->items, n->count, sizeof(*n->items), by_bytes) != NULL;
}

/* ---- attributes ----------------------------------------------------------- */

int pack_xattrs(int fd, const char *path,
		void (*each)(void *data, const char *name, const void *value, size_t size),
		void *data, struct err *e)
{
	cleanup_free char *names = NULL;
	cleanup_free char *value = NULL;
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len == 0 || (len < 0 && errno == ENOTSUP))
		return 0;
	names = xmalloc(XATTR_MAX);
	value = xmalloc(XATTR_MAX);
	if (len > 0)
		len = flistxattr(fd, names, XATTR_MAX);
	if (len < 0)
		return err_sys(e, "cannot list the attributes of '%s'", path);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n;

		if (!image_keeps_xattr(name))
			continue;
		n = fgetxattr(fd, name, value, XATTR_MAX);
		if (n < 0)
			return err_sys(e, "cannot read the attribute '%s' of '%s'", name, path);
		each(data, name, value, (size_t)n);
	}
	return 0;
}

static void add_xattr(void *data, const char *name, const void *value, size_t size)
{
	struct buf *b = data;

	buf_add(b, name, strlen(name) + 1);
	buf_add(b, &size, sizeof(size));
	buf_add(b, value, size);
}

static int same_xattrs(int a, int b, const char *path, bool *ret, struct err *e)
{
	cleanup_buf struct buf x = BUF_INIT;
	cleanup_buf struct buf y = BUF_INIT;
	int r = pack_xattrs(a, path, add_xattr, &x, e);

	if (r == 0)
		r = pack_xattrs(b, path, add_xattr, &y, e);
	*ret = r == 0 && x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
	return r;
}

/* ---- content -------------------------------------------------------------- */

/* As much as there is, up to CHUNK. */
static ssize_t read_full(int fd, char *buf)
{
	size_t len = 0;

	while (len < CHUNK) {
		ssize_t n = read(fd, buf + len, CHUNK - len);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int same_data(int a, int b, const char *path, bool *ret, struct err *e)
{
	cleanup_free char *x = xmalloc(CHUNK);
	cleanup_free char *y = xmalloc(CHUNK);
	ssize_t n, m;

	do {
		n = read_full(a, x);
		m = n < 0 ? -1 : read_full(b, y);
		if (m < 0)
			return err_sys(e, "cannot read '%s'", path);
		*ret = n == m && memcmp(x, y, (size_t)n) == 0;
	} while (*ret && n > 0);
	return 0;
}

static int same_link(int rootfd, int basefd, const char *path, bool *ret, struct err *e)
{
	cleanup_close int a = pack_open(rootfd, path, O_PATH | O_NOFOLLOW);
	cleanup_close int b = pack_open(basefd, path, O_PATH | O_NOFOLLOW);
	char x[PATH_MAX], y[PATH_MAX];
	ssize_t n = a < 0 ? -1 : readlinkat(a, "", x, sizeof(x));
	ssize_t m = b < 0 ? -1 : readlinkat(b, "", y, sizeof(y));

	if (n < 0 || m < 0)
		return err_sys(e, "cannot read the link '%s'", path);
	*ret = n == m && memcmp(x, y, (size_t)n) == 0;
	return 0;
}

static int same_content(int rootfd, int basefd, const struct stat *st, const char *path,
			bool *ret, struct err *e)
{
	int flags = O_RDONLY | (S_ISDIR(st->st_mode) ? O_DIRECTORY : 0);
	cleanup_close int a = pack_open(rootfd, path, flags);
	cleanup_close int b = pack_open(basefd, path, flags);
	int r;

	if (a < 0 || b < 0)
		return err_sys(e, "cannot open '%s'", path);
	r = same_xattrs(a, b, path, ret, e);
	if (r == 0 && *ret && S_ISREG(st->st_mode))
		r = same_data(a, b, path, ret, e);
	return r;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int pack_same(int rootfd, const struct stat *a, int basefd, const struct stat *b,
	      const char *path, bool *ret, struct err *e)
{
	bool is_file = S_ISREG(a->st_mode);
	bool untouched = a->st_ino == b->st_ino && same_time(&a->st_ctim, &b->st_ctim);

	*ret = a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_rdev == b->st_rdev && same_time(&a->st_mtim, &b->st_mtim) &&
	       (!is_file || a->st_size == b->st_size);
	/* Which names a file has is part of what it is: one that was given another name was
	 * touched. */
	if (is_file && (a->st_nlink > 1 || b->st_nlink > 1) && !untouched)
		*ret = false;
	if (!*ret || untouched)
		return 0;
	if (S_ISLNK(a->st_mode))
		return same_link(rootfd, basefd, path, ret, e);
	return is_file || S_ISDIR(a->st_mode) ? same_content(rootfd, basefd, a, path, ret, e)
					      : 0;
}
