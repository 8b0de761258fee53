/* SPDX-License-Identifier: MIT */
#include "libformat/tar/tar_private.h"

#include "libformat/tar/layer.h"
#include "libformat/xattr.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define XATTR_MAX 65536

/* Smaller files come together better when all are written at once. */
#define FLUSH_MIN (64 << 10)

/* Beyond it the kernel may say ENOSPC of a value that is too large for the file system. */
#define XATTR_FITS 2048

static struct timespec mtime_of(struct archive_entry *entry)
{
	struct timespec ts = { 0 };

	if (archive_entry_mtime_is_set(entry)) {
		ts.tv_sec = archive_entry_mtime(entry);
		ts.tv_nsec = archive_entry_mtime_nsec(entry);
	}
	if (ts.tv_nsec < 0 || ts.tv_nsec > 999999999)
		ts.tv_nsec = 0;
	return ts;
}

/*
 * Take away what stands at PLACE. A folder must be empty: archives do not replace trees. Layers
 * do.
 */
static int make_room(struct tar *t, const struct tar_place *place, const char *clean,
		     struct err *e)
{
	if (unlinkat(place->fd, place->name, 0) == 0)
		goto gone;
	if (errno == EISDIR && unlinkat(place->fd, place->name, AT_REMOVEDIR) == 0)
		goto gone;
	if (errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY && t->layer) {
		int r = layer_remove_tree(place->fd, place->name, e);

		tar_forget_parent(t);
		return r;
	}
	if (errno == ENOTEMPTY)
		return err_set(e, -EINVAL,
			       "entry '%.200s' would replace a folder that is not empty",
			       clean);
	return err_sys(e, "cannot replace '%.200s'", clean);
gone:
	/* It may have been a link on the way to the open folder; that folder stays what it was.
	 */
	if (place->fd != t->parentfd)
		tar_forget_parent(t);
	return 0;
}

static int check_owner(struct archive_entry *entry, const char *clean, struct err *e)
{
	la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

	if (uid >= 0 && uid <= TAR_ID_MAX && gid >= 0 && gid <= TAR_ID_MAX)
		return 0;
	return err_set(e, -EINVAL,
		       "entry '%.200s' belongs to %lld:%lld; owners above %d do not fit "
		       "into a zone",
		       clean, (long long)uid, (long long)gid, TAR_ID_MAX);
}

static int too_much(const struct tar *t, struct err *e)
{
	return err_set(e, -EFBIG, "the archive holds more than %llu bytes",
		       (unsigned long long)t->limits->bytes);
}

/* Attributes and links take room in the pool like data. */
static int count_bytes(struct tar *t, size_t bytes, struct err *e)
{
	t->counts.bytes += bytes;
	return t->counts.bytes > t->limits->bytes ? too_much(t, e) : 0;
}

static int set_xattr(struct tar *t, int fd, const char *name, const void *value, size_t size,
		     const char *clean, struct err *e)
{
	int r = count_bytes(t, strlen(name) + size, e);

	if (r < 0 || fsetxattr(fd, name, value, size, 0) == 0)
		return r;
	if (errno == EDQUOT || (errno == ENOSPC && size <= XATTR_FITS))
		return err_sys(e, "cannot set the attribute '%s' of '%.200s'", name, clean);
	t->counts.xattrs++;
	return 0;
}

static int set_xattrs(struct tar *t, struct archive_entry *entry, int fd, const char *clean,
		      struct err *e)
{
	const char *name;
	const void *value;
	size_t size;
	int r = 0;

	(void)archive_entry_xattr_reset(entry);
	while (r == 0 && archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (!name || !image_keeps_xattr(name) || size > XATTR_MAX)
			t->counts.xattrs++;
		else
			r = set_xattr(t, fd, name, value, size, clean, e);
	}
	return r;
}

/* Owner, then mode (chown clears bits of it), then time, then attributes. */
static int set_attributes(struct tar *t, struct archive_entry *entry, int fd, bool mode_is_set,
			  const char *clean, struct err *e)
{
	uid_t uid = (uid_t)archive_entry_uid(entry);
	gid_t gid = (gid_t)archive_entry_gid(entry);
	mode_t mode = archive_entry_perm(entry) & 07777;
	const struct timespec mtime = mtime_of(entry);
	const struct timespec times[2] = { mtime, mtime };

	/* What was made belongs to 0:0, save below a setgid folder. */
	if (fchown(fd, uid, gid) < 0)
		return err_sys(e, "cannot set the owner of '%.200s'", clean);
	if ((!mode_is_set || (mode & 07000)) && fchmod(fd, mode) < 0)
		return err_sys(e, "cannot set the mode of '%.200s'", clean);
	if (futimens(fd, times) < 0)
		return err_sys(e, "cannot set the time of '%.200s'", clean);
	return archive_entry_xattr_count(entry) > 0 ? set_xattrs(t, entry, fd, clean, e) : 0;
}

static int write_block(int fd, const char *data, size_t len, off_t offset, const char *clean,
		       struct err *e)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write '%.200s'", clean);
		data += n;
		len -= (size_t)n;
		offset += n;
	}
	return 0;
}

static int write_data(struct tar *t, int fd, off_t size, const char *clean, struct err *e)
{
	la_int64_t offset, end = 0;
	const void *data;
	size_t len;
	int r, status;

	while ((status = archive_read_data_block(t->in, &data, &len, &offset)) != ARCHIVE_EOF) {
		if (status == ARCHIVE_RETRY)
			continue;
		if (status < ARCHIVE_WARN)
			return err_set(e, -EINVAL, "the archive is damaged in '%.200s': %s",
				       clean, archive_error_string(t->in));
		r = count_bytes(t, len, e);
		if (r == 0)
			r = write_block(fd, data, len, offset, clean, e);
		if (r < 0)
			return r;
		end = offset + (la_int64_t)len;
	}
	/* A hole at the end of a sparse file. */
	if (end < size && ftruncate(fd, size) < 0)
		return err_sys(e, "cannot set the size of '%.200s'", clean);
	/* The disk begins with it now; what it has to say is told when the image is published.
	 */
	if (end >= FLUSH_MIN)
		(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static int write_file(struct tar *t, struct archive_entry *entry, const struct tar_place *place,
		      const char *clean, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	mode_t mode = archive_entry_perm(entry) & 0777;
	cleanup_close int fd = -1;
	int r;

	/* Holes count: the kernel's word on a file that is too large would be a signal. */
	if ((uint64_t)archive_entry_size(entry) > t->limits->bytes)
		return too_much(t, e);
	fd = openat(place->fd, place->name, flags, mode);
	if (fd < 0 && errno == EEXIST) {
		struct tar_place again;

		r = make_room(t, place, clean, e);
		if (r == 0)
			r = tar_open_parent(t, clean, &again, e);
		if (r < 0)
			return r;
		fd = openat(again.fd, again.name, flags, mode);
	}
	if (fd < 0)
		return err_sys(e, "cannot create '%.200s'", clean);
	r = write_data(t, fd, archive_entry_size(entry), clean, e);
	return r < 0 ? r : set_attributes(t, entry, fd, true, clean, e);
}

static int write_dir(struct tar *t, struct archive_entry *entry, const struct tar_place *place,
		     const char *clean, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct timespec mtime = mtime_of(entry);
	cleanup_close int fd = -1;
	int r = 0;

	if (*clean && mkdirat(place->fd, place->name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot create '%.200s'", clean);
	fd = openat(place->fd, place->name, flags);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
		struct tar_place again;

		r = make_room(t, place, clean, e);
		if (r == 0)
			r = tar_open_parent(t, clean, &again, e);
		if (r == 0 && mkdirat(again.fd, again.name, 0700) == 0)
			fd = openat(again.fd, again.name, flags);
	}
	if (r < 0)
		return r;
	if (fd < 0)
		return err_sys(e, "cannot create '%.200s'", clean);
	r = set_attributes(t, entry, fd, false, *clean ? clean : ".", e);
	if (r == 0)
		tar_remember_dir(t, clean, &mtime);
	return r;
}

/* Try MAKE; when the name is taken, make room and try again. */
static int place_anew(struct tar *t, const char *clean,
		      int (*make)(int, const char *, const void *), const void *arg,
		      struct tar_place *place, struct err *e)
{
	int r;

	if (make(place->fd, place->name, arg) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "cannot create '%.200s'", clean);
	r = make_room(t, place, clean, e);
	if (r == 0)
		r = tar_open_parent(t, clean, place, e);
	if (r < 0)
		return r;
	return make(place->fd, place->name, arg) < 0
		       ? err_sys(e, "cannot create '%.200s'", clean)
		       : 0;
}

static int make_symlink(int fd, const char *name, const void *target)
{
	return symlinkat(target, fd, name);
}

static int make_fifo(int fd, const char *name, const void *mode)
{
	return mkfifoat(fd, name, *(const mode_t *)mode);
}

static int make_link(int fd, const char *name, const void *from)
{
	const struct tar_place *source = from;

	return linkat(source->fd, source->name, fd, name, 0);
}

/* For what has no descriptor: links and pipes. */
static int set_attributes_at(struct archive_entry *entry, const struct tar_place *place,
			     const char *clean, struct err *e)
{
	const struct timespec mtime = mtime_of(entry);
	const struct timespec times[2] = { mtime, mtime };

	if (fchownat(place->fd, place->name, (uid_t)archive_entry_uid(entry),
		     (gid_t)archive_entry_gid(entry), AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the owner of '%.200s'", clean);
	if (utimensat(place->fd, place->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the time of '%.200s'", clean);
	return 0;
}

static int write_symlink(struct tar *t, struct archive_entry *entry, struct tar_place *place,
			 const char *clean, struct err *e)
{
	const char *target = archive_entry_symlink(entry);
	int r;

	if (!target || !*target)
		return err_set(e, -EINVAL, "link '%.200s' leads nowhere", clean);
	r = count_bytes(t, strlen(target), e);
	if (r == 0)
		r = place_anew(t, clean, make_symlink, target, place, e);
	return r < 0 ? r : set_attributes_at(entry, place, clean, e);
}

static int write_fifo(struct tar *t, struct archive_entry *entry, struct tar_place *place,
		      const char *clean, struct err *e)
{
	mode_t mode = archive_entry_perm(entry) & 0777;
	int r = place_anew(t, clean, make_fifo, &mode, place, e);

	return r < 0 ? r : set_attributes_at(entry, place, clean, e);
}

static int write_hardlink(struct tar *t, const char *target, const char *clean, struct err *e)
{
	char clean_target[TAR_NAME_MAX + 1];
	struct tar_place source, place;
	cleanup_close int sourcefd = -1;
	int r;

	r = tar_clean_name(target, clean_target, e);
	if (r < 0)
		return err_wrap(e, r, "link '%.200s'", clean);
	if (!*clean_target)
		return err_set(e, -EINVAL, "link '%.200s' leads to the root", clean);
	if (strcmp(clean_target, clean) == 0)
		return err_set(e, -EINVAL, "link '%.200s' leads to itself", clean);
	r = tar_open_parent(t, clean_target, &source, e);
	if (r < 0)
		return err_wrap(e, r, "link '%.200s'", clean);
	/* Opening the link's own folder closes that one. */
	sourcefd = fcntl(source.fd, F_DUPFD_CLOEXEC, 3);
	if (sourcefd < 0)
		return err_sys(e, "cannot keep the folder of '%.200s' open", clean_target);
	source.fd = sourcefd;
	r = tar_open_parent(t, clean, &place, e);
	if (r < 0)
		return r;
	if (faccessat(source.fd, source.name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, -EINVAL,
			       "link '%.200s' leads to '%.200s', which is not there", clean,
			       clean_target);
	return place_anew(t, clean, make_link, &source, &place, e);
}

int tar_write_entry(struct tar *t, struct archive_entry *entry, const char *clean,
		    struct err *e)
{
	const char *target = archive_entry_hardlink(entry);
	struct tar_place place;
	int r;

	if (target)
		return write_hardlink(t, target, clean, e);
	r = check_owner(entry, clean, e);
	if (r == 0)
		r = tar_open_parent(t, clean, &place, e);
	if (r < 0)
		return r;
	if (!*clean && archive_entry_filetype(entry) != AE_IFDIR)
		return err_set(e, -EINVAL, "the root of the archive is not a folder");
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return write_file(t, entry, &place, clean, e);
	case AE_IFDIR:
		return write_dir(t, entry, &place, clean, e);
	case AE_IFLNK:
		return write_symlink(t, entry, &place, clean, e);
	case AE_IFIFO:
		return write_fifo(t, entry, &place, clean, e);
	default:
		t->counts.devices++;
		return 0;
	}
}
