/* SPDX-License-Identifier: MIT */
/*
 * apply.c - what each command of a stream does to a tree.
 *
 * The tree is being made by this process alone, so that a look at a name and its use
 * cannot be told apart by anybody. Every folder is reached below the root's
 * descriptor and through no symbolic link.
 */
#include "libstore/btrfs/stream.h"

#include "base/macro.h"
#include "base/path.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ID_MAX 65535 /* ids that a zone has */

/* A folder and a name in it; for the top "." in itself. */
struct place {
	int dirfd;
	char name[256];
};

static void place_done(struct place *p)
{
	close_p(&p->dirfd);
}
#define cleanup_place cleanup_with(place_done)

static int find_place(struct stream_target *t, const char *path, struct place *ret,
		      struct err *e)
{
	char dir[STREAM_PATH_MAX];
	const char *slash = strrchr(path, '/');

	(void)snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 1,
		       slash ? path : ".");
	(void)snprintf(ret->name, sizeof(ret->name), "%.255s",
		       *path ? (slash ? slash + 1 : path) : ".");
	ret->dirfd =
		path_open_in_root(t->rootfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, e);
	return ret->dirfd < 0 ? ret->dirfd : 0;
}

static int place_of(struct stream_target *t, const struct stream_cmd *c, enum stream_attr attr,
		    struct place *ret, struct err *e)
{
	char path[STREAM_PATH_MAX];
	int r = stream_path(c, attr, path, e);

	return r < 0 ? r : find_place(t, path, ret, e);
}

static int done(int result, const char *what, const struct place *p, struct err *e)
{
	return result < 0 ? err_sys(e, "cannot %s '%s'", what, p->name) : 0;
}

/* A file for reading or writing; never a device, never through a link. */
static int open_file(struct stream_target *t, const char *path, int flags, struct err *e)
{
	struct stat st;
	int fd = path_open_in_root(t->rootfd, *path ? path : ".",
				   flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, e);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		close_p(&fd);
		return err_set(e, -EBADMSG, "'%s' is a device", path);
	}
	return fd;
}

static int apply_begin(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	const struct stream_value *uuid = &c->attrs[ATTR_UUID];

	if (t->begun || !uuid->data || uuid->len != sizeof(t->uuid))
		return err_set(e, -EBADMSG, "the stream does not begin as one");
	memcpy(t->uuid, uuid->data, sizeof(t->uuid));
	t->begun = true;
	return 0;
}

static int make_node(const struct stream_cmd *c, const struct place *p, struct err *e)
{
	uint64_t mode, device = 0;
	int r = stream_number(c, ATTR_MODE, &mode, e);

	if (r == 0)
		r = stream_number(c, ATTR_RDEV, &device, e);
	if (r < 0)
		return r;
	/* What overlays mark deleted files with; a zone has no other device. */
	if (!S_ISCHR(mode) || device != 0)
		return err_set(e, -EPERM, "'%s' is a device; zones have none of their own",
			       p->name);
	return done(mknodat(p->dirfd, p->name, S_IFCHR | 0600, 0), "make", p, e);
}

static int apply_make(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	char text[STREAM_PATH_MAX];
	int r = place_of(t, c, ATTR_PATH, &p, e);

	if (r < 0)
		return r;
	switch (c->command) {
	case STREAM_MKFILE:
		return done(mknodat(p.dirfd, p.name, S_IFREG | 0600, 0), "make", &p, e);
	case STREAM_MKDIR:
		return done(mkdirat(p.dirfd, p.name, 0700), "make", &p, e);
	case STREAM_MKFIFO:
		return done(mknodat(p.dirfd, p.name, S_IFIFO | 0600, 0), "make", &p, e);
	case STREAM_MKSOCK:
		return done(mknodat(p.dirfd, p.name, S_IFSOCK | 0600, 0), "make", &p, e);
	case STREAM_SYMLINK:
		r = stream_text(c, ATTR_PATH_LINK, text, e);
		return r < 0 ? r : done(symlinkat(text, p.dirfd, p.name), "make", &p, e);
	default:
		return make_node(c, &p, e);
	}
}

static int apply_two(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	cleanup_place struct place q = { .dirfd = -1 };
	bool rename = c->command == STREAM_RENAME;
	int r = place_of(t, c, ATTR_PATH, &p, e);

	if (r == 0)
		r = place_of(t, c, rename ? ATTR_PATH_TO : ATTR_PATH_LINK, &q, e);
	if (r < 0)
		return r;
	if (rename)
		return done(renameat2(p.dirfd, p.name, q.dirfd, q.name, 0), "rename", &p, e);
	return done(linkat(q.dirfd, q.name, p.dirfd, p.name, 0), "link", &p, e);
}

static int apply_remove(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	int r = place_of(t, c, ATTR_PATH, &p, e);

	if (r < 0)
		return r;
	return done(unlinkat(p.dirfd, p.name, c->command == STREAM_RMDIR ? AT_REMOVEDIR : 0),
		    "remove", &p, e);
}

/* "trusted." is the host's, and labels are those of its policy. */
static bool keeps_xattr(const char *name)
{
	static const char *const kept[] = { "user.", "security.capability", "system.posix_acl_",
					    "btrfs." };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (strncmp(name, kept[i], strlen(kept[i])) == 0)
			return true;
	return false;
}

static int apply_xattr(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	const struct stream_value *v = &c->attrs[ATTR_XATTR_DATA];
	char name[STREAM_PATH_MAX], path[STREAM_PATH_MAX];
	cleanup_close int fd = -1;
	int r = stream_text(c, ATTR_XATTR_NAME, name, e);

	if (r == 0)
		r = stream_path(c, ATTR_PATH, path, e);
	if (r < 0 || !keeps_xattr(name))
		return r;
	fd = open_file(t, path, O_RDONLY, e);
	if (fd < 0)
		return fd;
	if (c->command == STREAM_REMOVE_XATTR)
		r = fremovexattr(fd, name) < 0 && errno != ENODATA ? -1 : 0;
	else if (!v->data)
		return err_set(e, -EBADMSG, "an attribute '%s' without a value", name);
	else
		r = fsetxattr(fd, name, v->data, v->len, 0);
	return r < 0 ? err_sys(e, "cannot set the attribute '%s' of '%s'", name, path) : 0;
}

/* Most of a stream is one write after the other to the same file. */
static int open_for_writing(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	char path[STREAM_PATH_MAX];
	int r = stream_path(c, ATTR_PATH, path, e);

	if (r < 0)
		return r;
	if (t->openfd >= 0 && strcmp(path, t->open_path) == 0)
		return 0;
	close_p(&t->openfd);
	t->openfd = open_file(t, path, O_WRONLY, e);
	if (t->openfd < 0)
		return t->openfd;
	memcpy(t->open_path, path, sizeof(path));
	return 0;
}

static int apply_write(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	const struct stream_value *v = &c->attrs[ATTR_DATA];
	uint64_t offset;
	int r = stream_number(c, ATTR_FILE_OFFSET, &offset, e);

	if (r == 0)
		r = open_for_writing(t, c, e);
	if (r == 0 && (!v->data || offset > INT64_MAX - v->len))
		r = err_set(e, -EBADMSG, "a write to '%s' that cannot be", t->open_path);
	for (size_t at = 0; r == 0 && at < v->len;) {
		ssize_t n = pwrite(t->openfd, v->data + at, v->len - at, (off_t)(offset + at));

		if (n < 0)
			r = err_sys(e, "cannot write '%s'", t->open_path);
		at += n > 0 ? (size_t)n : 0;
	}
	return r;
}

static int apply_clone(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	const struct stream_value *uuid = &c->attrs[ATTR_CLONE_UUID];
	char path[STREAM_PATH_MAX];
	cleanup_close int src = -1;
	uint64_t from, len, to;
	struct file_clone_range args;
	int r = stream_path(c, ATTR_CLONE_PATH, path, e);

	if (r == 0)
		r = stream_number(c, ATTR_CLONE_OFFSET, &from, e);
	if (r == 0)
		r = stream_number(c, ATTR_CLONE_LEN, &len, e);
	if (r == 0)
		r = stream_number(c, ATTR_FILE_OFFSET, &to, e);
	if (r < 0)
		return r;
	/* Ours never name another file system. */
	if (!uuid->data || uuid->len != sizeof(t->uuid) ||
	    memcmp(uuid->data, t->uuid, sizeof(t->uuid)) != 0)
		return err_set(e, -EBADMSG, "'%s' would be cloned from elsewhere", path);
	src = open_file(t, path, O_RDONLY, e);
	if (src < 0)
		return src;
	r = open_for_writing(t, c, e);
	args = (struct file_clone_range){ src, from, len, to };
	if (r == 0 && ioctl(t->openfd, FICLONERANGE, &args) < 0)
		r = err_sys(e, "cannot clone a part of '%s'", path);
	return r;
}

static int apply_truncate(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	uint64_t size;
	int r = stream_number(c, ATTR_SIZE, &size, e);

	if (r == 0)
		r = open_for_writing(t, c, e);
	if (r == 0 && (size > INT64_MAX || ftruncate(t->openfd, (off_t)size) < 0))
		r = err_sys(e, "cannot set the size of '%s'", t->open_path);
	return r;
}

static int apply_mode(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	struct stat st;
	uint64_t mode;
	int r = stream_number(c, ATTR_MODE, &mode, e);

	if (r == 0)
		r = place_of(t, c, ATTR_PATH, &p, e);
	if (r < 0)
		return r;
	if (fstatat(p.dirfd, p.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
		return err_set(e, -EBADMSG, "'%s' has no mode to set", p.name);
	return done(fchmodat(p.dirfd, p.name, (mode_t)(mode & 07777), 0), "set the mode of", &p,
		    e);
}

static int apply_owner(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	uint64_t uid, gid = 0;
	int r = stream_number(c, ATTR_UID, &uid, e);

	if (r == 0)
		r = stream_number(c, ATTR_GID, &gid, e);
	if (r == 0)
		r = place_of(t, c, ATTR_PATH, &p, e);
	if (r == 0 && (uid > ID_MAX || gid > ID_MAX))
		r = err_set(e, -EBADMSG, "'%s' belongs to %llu:%llu, which no zone has", p.name,
			    (unsigned long long)uid, (unsigned long long)gid);
	if (r < 0)
		return r;
	return done(fchownat(p.dirfd, p.name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW),
		    "set the owner of", &p, e);
}

static int take_time(const struct stream_cmd *c, enum stream_attr attr, struct timespec *ret,
		     struct err *e)
{
	const struct stream_value *v = &c->attrs[attr];
	int64_t seconds;
	uint32_t nanoseconds;

	if (!v->data || v->len != sizeof(seconds) + sizeof(nanoseconds))
		return err_set(e, -EBADMSG, "attribute %d is no time", attr);
	memcpy(&seconds, v->data, sizeof(seconds));
	memcpy(&nanoseconds, v->data + sizeof(seconds), sizeof(nanoseconds));
	seconds = (int64_t)le64toh((uint64_t)seconds);
	nanoseconds = le32toh(nanoseconds);
	if (nanoseconds > 999999999)
		return err_set(e, -EBADMSG, "attribute %d is no time", attr);
	*ret = (struct timespec){ seconds, nanoseconds };
	return 0;
}

static int apply_times(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	cleanup_place struct place p = { .dirfd = -1 };
	struct timespec times[2];
	int r = take_time(c, ATTR_ATIME, &times[0], e);

	if (r == 0)
		r = take_time(c, ATTR_MTIME, &times[1], e);
	if (r == 0)
		r = place_of(t, c, ATTR_PATH, &p, e);
	if (r < 0)
		return r;
	return done(utimensat(p.dirfd, p.name, times, AT_SYMLINK_NOFOLLOW), "set the times of",
		    &p, e);
}

static int apply_end(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	(void)c;
	(void)e;
	t->ended = true;
	return 0;
}

int stream_apply(struct stream_target *t, const struct stream_cmd *c, struct err *e)
{
	static int (*const apply[STREAM_COMMAND_MAX_])(
		struct stream_target *, const struct stream_cmd *, struct err *) = {
		[STREAM_SUBVOL] = apply_begin,      [STREAM_SNAPSHOT] = apply_begin,
		[STREAM_MKFILE] = apply_make,       [STREAM_MKDIR] = apply_make,
		[STREAM_MKNOD] = apply_make,        [STREAM_MKFIFO] = apply_make,
		[STREAM_MKSOCK] = apply_make,       [STREAM_SYMLINK] = apply_make,
		[STREAM_RENAME] = apply_two,        [STREAM_LINK] = apply_two,
		[STREAM_UNLINK] = apply_remove,     [STREAM_RMDIR] = apply_remove,
		[STREAM_SET_XATTR] = apply_xattr,   [STREAM_REMOVE_XATTR] = apply_xattr,
		[STREAM_WRITE] = apply_write,       [STREAM_CLONE] = apply_clone,
		[STREAM_TRUNCATE] = apply_truncate, [STREAM_CHMOD] = apply_mode,
		[STREAM_CHOWN] = apply_owner,       [STREAM_UTIMES] = apply_times,
		[STREAM_END] = apply_end,
	};
	bool begins = c->command == STREAM_SUBVOL || c->command == STREAM_SNAPSHOT;

	if (c->command >= STREAM_COMMAND_MAX_ || !apply[c->command])
		return err_set(e, -EBADMSG, "command %u is not known", c->command);
	if (t->ended || (!t->begun && !begins))
		return err_set(e, -EBADMSG, "command %u is out of its place", c->command);
	/* A name may have become another file's. */
	if (c->command == STREAM_RENAME || c->command == STREAM_UNLINK)
		close_p(&t->openfd);
	return apply[c->command](t, c, e);
}
