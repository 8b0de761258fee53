/* SPDX-License-Identifier: MIT */
#include "libformat/btrfs/btrfs_private.h"

#include "base/alloc.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- names ---------------------------------------------------------------- */

int btrfs_left_add(struct btrfs_left *l, const char *path, struct err *e)
{
	if (l->count == BTRFS_LEFT_MAX)
		return err_set(e, -EFBIG, "there are more than %d devices and sockets",
			       BTRFS_LEFT_MAX);
	if (!l->paths)
		l->paths = xcalloc(BTRFS_LEFT_MAX, sizeof(*l->paths));
	l->paths[l->count++] = xstrdup(path);
	return 0;
}

static void drop(struct btrfs_left *l, size_t i)
{
	free(l->paths[i]);
	l->paths[i] = l->paths[--l->count];
}

void btrfs_left_free(struct btrfs_left *l)
{
	while (l->count > 0)
		drop(l, l->count - 1);
	free(l->paths);
	l->paths = NULL;
}

/* FROM itself, and what is below it. */
static int rename_left(struct btrfs_left *l, const char *from, const char *to, struct err *e)
{
	size_t len = strlen(from);

	for (size_t i = 0; i < l->count; i++) {
		char *path = l->paths[i];

		if (strncmp(path, from, len) != 0 || (path[len] && path[len] != '/'))
			continue;
		l->paths[i] = xasprintf("%s%s", to, path + len);
		free(path);
		if (strlen(l->paths[i]) >= STREAM_PATH_MAX)
			return err_set(e, -EINVAL, "a name is longer than %d bytes",
				       STREAM_PATH_MAX - 1);
	}
	return 0;
}

static bool is_left(const struct btrfs_left *l, const char *path, size_t *ret)
{
	for (*ret = 0; *ret < l->count; (*ret)++)
		if (strcmp(l->paths[*ret], path) == 0)
			return true;
	return false;
}

int btrfs_left_follow(struct btrfs_left *l, const struct stream_cmd *c, struct err *e)
{
	char path[STREAM_PATH_MAX], other[STREAM_PATH_MAX];
	size_t i;
	int r;

	if (l->count == 0 || (c->command != STREAM_RENAME && c->command != STREAM_LINK &&
			      c->command != STREAM_UNLINK))
		return 0;
	r = stream_path(c, ATTR_PATH, path, e);
	if (r == 0 && c->command == STREAM_UNLINK) {
		if (is_left(l, path, &i))
			drop(l, i);
		return 0;
	}
	if (r == 0)
		r = stream_path(c, c->command == STREAM_RENAME ? ATTR_PATH_TO : ATTR_PATH_LINK,
				other, e);
	if (r < 0)
		return r;
	if (c->command == STREAM_RENAME)
		return rename_left(l, path, other, e);
	return is_left(l, other, &i) ? btrfs_left_add(l, path, e) : 0;
}

/* ---- files ---------------------------------------------------------------- */

static int open_parent(int rootfd, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	int fd = path_open_beneath(rootfd, dir, O_RDONLY | O_DIRECTORY);

	*ret_name = slash ? slash + 1 : path;
	return fd < 0 ? err_sys(e, "cannot open the folder of '%.200s'", path) : fd;
}

static int make_or_remove(int rootfd, const char *path, bool make, struct err *e)
{
	cleanup_close int dirfd = -1;
	struct timespec times[2];
	const char *name;
	struct stat st;

	dirfd = open_parent(rootfd, path, &name, e);
	if (dirfd < 0)
		return dirfd;
	if (fstat(dirfd, &st) < 0)
		return err_sys(e, "cannot look at the folder of '%.200s'", path);
	if (make ? mknodat(dirfd, name, S_IFREG | 0600, 0) < 0 : unlinkat(dirfd, name, 0) < 0)
		return err_sys(e, "cannot leave out '%.200s'", path);
	times[0] = times[1] = st.st_mtim;
	return futimens(dirfd, times) < 0 ? err_sys(e, "cannot set a time") : 0;
}

static int each_left(const struct btrfs_left *l, int rootfd, bool make, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->count; i++)
		r = make_or_remove(rootfd, l->paths[i], make, e);
	return r;
}

int btrfs_left_make(const struct btrfs_left *l, int rootfd, struct err *e)
{
	return each_left(l, rootfd, true, e);
}

int btrfs_left_remove(const struct btrfs_left *l, int rootfd, struct err *e)
{
	return each_left(l, rootfd, false, e);
}

/* ---- state ---------------------------------------------------------------- */

#define MAGIC     "dais-btrfs 1\n"
#define STATE_MAX ((size_t)BTRFS_LEFT_MAX * STREAM_PATH_MAX + 64)

/* MAGIC, the id, and each path with its '\0'. */
int btrfs_state_save(int fd, const struct btrfs_id *id, const struct btrfs_left *left,
		     struct err *e)
{
	cleanup_free char *text = xcalloc(1, STATE_MAX);
	size_t len = strlen(MAGIC);

	memcpy(text, MAGIC, len);
	memcpy(text + len, id, sizeof(*id));
	len += sizeof(*id);
	for (size_t i = 0; i < left->count; i++) {
		size_t size = strlen(left->paths[i]) + 1;

		memcpy(text + len, left->paths[i], size);
		len += size;
	}
	for (size_t at = 0; fd >= 0 && at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot write the image's state");
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int read_all(int fd, char *text, size_t *ret_len, struct err *e)
{
	ssize_t n;

	for (*ret_len = 0; *ret_len<STATE_MAX; *ret_len += n> 0 ? (size_t)n : 0) {
		n = read(fd, text + *ret_len, STATE_MAX - *ret_len);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot read the origin's state");
	}
	return 0;
}

int btrfs_state_load(int fd, struct btrfs_id *ret, struct btrfs_left *left, struct err *e)
{
	cleanup_free char *text = xcalloc(1, STATE_MAX + 1);
	size_t len, at = strlen(MAGIC) + sizeof(*ret);
	int r = read_all(fd, text, &len, e);

	if (r < 0)
		return r;
	if (len < at || memcmp(text, MAGIC, strlen(MAGIC)) != 0)
		return err_set(e, -EINVAL,
			       "it is incremental, and the origin did not come as a btrfs "
			       "stream");
	memcpy(ret, text + strlen(MAGIC), sizeof(*ret));
	for (; r == 0 && at < len; at += strlen(text + at) + 1)
		r = btrfs_left_add(left, text + at, e);
	return r;
}
