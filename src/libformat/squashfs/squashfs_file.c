/* SPDX-License-Identifier: MIT */
#include "libformat/squashfs/squashfs_private.h"

#include "base/alloc.h"
#include "libformat/spool.h"
#include "libformat/xattr.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ID_MAX     65535U
#define PLAIN      (1U << 24)
#define SIZE_MASK  (PLAIN - 1)
#define XATTR_MAX  65536U
#define XATTR_FITS 2048U /* beyond it ENOSPC may mean: larger than the file system takes */
#define XATTR_AWAY 0x100U
#define XATTRS_MAX 256U /* of one file */

int squash_count_bytes(struct squash *s, uint64_t bytes, struct err *e)
{
	if (bytes > s->limits->bytes - s->counts.bytes)
		return err_set(e, -EFBIG, "the squashfs file system holds more than %llu bytes",
			       (unsigned long long)s->limits->bytes);
	s->counts.bytes += bytes;
	return 0;
}

/* ---- attributes ----------------------------------------------------------- */

static int set_xattr(struct squash *s, int fd, const char *name, const void *value, size_t len,
		     const char *path, struct err *e)
{
	int r = squash_count_bytes(s, strlen(name) + len, e);

	if (r < 0 || fsetxattr(fd, name, value, len, 0) == 0)
		return r;
	if (errno == EDQUOT || (errno == ENOSPC && len <= XATTR_FITS))
		return err_sys(e, "cannot set the attribute '%s' of '%.200s'", name, path);
	s->counts.xattrs++;
	return 0;
}

/* The name with its prefix; its kind says too whether the value is elsewhere. */
static int read_name(struct squash *s, struct squash_at *at, char name[static 272],
		     bool *ret_away, struct err *e)
{
	static const char *const prefixes[] = { "user.", "trusted.", "security." };
	unsigned char p[4];
	unsigned int kind, len;
	size_t prefix;
	int r = squash_read(s, at, p, sizeof(p), e);

	if (r < 0)
		return r;
	kind = squash_get16(p);
	len = squash_get16(p + 2);
	*ret_away = kind & XATTR_AWAY;
	kind &= ~XATTR_AWAY;
	if (kind >= ARRAY_SIZE(prefixes) || len == 0 || len > SQUASH_NAME_MAX)
		return squash_bad(e, "has an attribute without a good name");
	prefix = strlen(prefixes[kind]);
	memcpy(name, prefixes[kind], prefix);
	r = squash_read(s, at, name + prefix, len, e);
	name[prefix + len] = '\0';
	return r;
}

/* -1 in *RET_LEN: too large to be one. */
static int read_value(struct squash *s, struct squash_at *at, bool away, unsigned char *value,
		      size_t *ret_len, struct err *e)
{
	struct squash_at there;
	unsigned char p[12];
	int r = squash_read(s, at, p, away ? 12 : 4, e);

	if (r < 0)
		return r;
	if (away) {
		uint64_t ref = squash_get64(p + 4);

		there = (struct squash_at){ s->xattr_data + (ref >> 16),
					    (uint32_t)(ref & 0xffff) };
		at = &there;
		r = squash_read(s, at, p, 4, e);
		if (r < 0)
			return r;
	}
	*ret_len = squash_get32(p);
	if (*ret_len > XATTR_MAX)
		return squash_bad(e, "has an attribute that is too large");
	return squash_read(s, at, value, *ret_len, e);
}

static int set_xattrs(struct squash *s, const struct squash_inode *i, int fd, const char *path,
		      struct err *e)
{
	cleanup_free unsigned char *value = NULL;
	struct squash_at at;
	unsigned char p[16];
	uint32_t count;
	int r;

	if (i->xattr == SQUASH_NONE)
		return 0;
	if (i->xattr >= s->xattrs)
		return squash_bad(e, "points at attributes that it has not");
	r = squash_entry(s, s->xattr_table, i->xattr, sizeof(p), p, e);
	if (r < 0)
		return r;
	count = squash_get32(p + 8);
	if (count > XATTRS_MAX)
		return squash_bad(e, "has a file of too many attributes");
	at = (struct squash_at){ s->xattr_data + (squash_get64(p) >> 16), squash_get16(p) };
	value = xmalloc(XATTR_MAX);
	for (; r == 0 && count > 0; count--) {
		char name[272];
		size_t len = 0;
		bool away;

		r = read_name(s, &at, name, &away, e);
		if (r == 0)
			r = read_value(s, &at, away, value, &len, e);
		if (r == 0 && image_keeps_xattr(name))
			r = set_xattr(s, fd, name, value, len, path, e);
		else if (r == 0)
			s->counts.xattrs++;
	}
	return r;
}

static int check_owner(const struct squash_inode *i, const char *path, struct err *e)
{
	if (i->uid <= ID_MAX && i->gid <= ID_MAX)
		return 0;
	return err_set(e, -EINVAL,
		       "'%.200s' belongs to %u:%u; owners above %u do not fit into a zone",
		       path, i->uid, i->gid, ID_MAX);
}

static void times_of(const struct squash_inode *i, struct timespec ret[2])
{
	ret[0] = ret[1] = (struct timespec){ .tv_sec = (time_t)i->mtime };
}

int squash_dress(struct squash *s, const struct squash_inode *i, int fd, const char *path,
		 struct err *e)
{
	struct timespec times[2];
	int r = check_owner(i, path, e);

	if (r < 0)
		return r;
	times_of(i, times);
	if (fchown(fd, i->uid, i->gid) < 0 || fchmod(fd, i->mode) < 0)
		return err_sys(e, "cannot set owner and mode of '%.200s'", path);
	r = set_xattrs(s, i, fd, path, e);
	if (r == 0 && futimens(fd, times) < 0)
		r = err_sys(e, "cannot set the time of '%.200s'", path);
	return r;
}

/* ---- data ----------------------------------------------------------------- */

/* A block as it is in the file, unpacked to OUT, which takes CAP bytes. */
static int read_block(struct squash *s, uint64_t at, uint32_t size, unsigned char *out,
		      size_t cap, size_t *ret_len, struct err *e)
{
	bool plain = size & PLAIN;
	uint32_t len = size & SIZE_MASK;
	int r;

	if (size & ~(PLAIN | SIZE_MASK) || len > s->block_size || (plain && len > cap))
		return squash_bad(e, "has a block of an impossible size");
	r = spool_read(s->fd, at, plain ? out : s->packed, len, e);
	if (r < 0)
		return r;
	*ret_len = len;
	if (!plain && !squash_unpack(s->how, s->packed, len, out, cap, ret_len))
		return squash_bad(e, "has a damaged block");
	return 0;
}

static int write_at(struct squash *s, int fd, uint64_t offset, const unsigned char *data,
		    size_t len, const char *path, struct err *e)
{
	int r = squash_count_bytes(s, len, e);

	while (r == 0 && len > 0) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot write '%.200s'", path);
		n = n < 0 ? 0 : n;
		data += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return r;
}

static int find_frag(struct squash *s, uint32_t number, struct squash_frag **ret, struct err *e)
{
	struct squash_frag *f;
	unsigned char p[16];
	int r;

	for (size_t i = 0; i < SQUASH_FRAGS; i++) {
		*ret = &s->kept[i];
		if (s->kept[i].data && s->kept[i].number == number && s->kept[i].len > 0)
			return 0;
	}
	if (number >= s->frags)
		return squash_bad(e, "points at a fragment that it has not");
	f = *ret = &s->kept[s->next_frag++ % SQUASH_FRAGS];
	if (!f->data)
		f->data = xmalloc(s->block_size);
	f->len = 0;
	r = squash_entry(s, s->frag_table, number, sizeof(p), p, e);
	if (r == 0)
		r = read_block(s, squash_get64(p), squash_get32(p + 8), f->data, s->block_size,
			       &f->len, e);
	if (r < 0)
		f->len = 0;
	f->number = number;
	return r;
}

static int write_tail(struct squash *s, const struct squash_inode *i, int fd, const char *path,
		      struct err *e)
{
	uint64_t len = i->size % s->block_size;
	struct squash_frag *f;
	int r;

	if (i->frag == SQUASH_NONE || len == 0)
		return 0;
	r = find_frag(s, i->frag, &f, e);
	if (r < 0)
		return r;
	if (i->frag_at > f->len || len > f->len - i->frag_at)
		return squash_bad(e, "points beyond a fragment");
	return write_at(s, fd, i->size - len, f->data + i->frag_at, len, path, e);
}

static int write_blocks(struct squash *s, const struct squash_inode *i, int fd,
			const char *path, struct err *e)
{
	uint64_t end = i->frag == SQUASH_NONE ? i->size : i->size - i->size % s->block_size;
	struct squash_at sizes = i->rest;
	uint64_t from = i->start;
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < end; at += s->block_size) {
		size_t want = end - at < s->block_size ? (size_t)(end - at) : s->block_size;
		unsigned char p[4];
		uint32_t size;
		size_t len = 0;

		r = squash_read(s, &sizes, p, sizeof(p), e);
		size = r < 0 ? 0 : squash_get32(p);
		if (size == 0) /* a hole */
			continue;
		r = read_block(s, from, size, s->block, s->block_size, &len, e);
		if (r == 0 && len != want)
			r = squash_bad(e, "has a block that is too short or too long");
		if (r == 0)
			r = write_at(s, fd, at, s->block, len, path, e);
		from += size & SIZE_MASK;
	}
	return r;
}

int squash_write_file(struct squash *s, const struct squash_inode *i,
		      const struct squash_place *p, struct err *e)
{
	cleanup_close int fd = -1;
	int r;

	/* The kernel would end this process for one that is larger. */
	if (i->size > s->limits->bytes)
		return squash_count_bytes(s, i->size, e);
	fd = openat(p->dirfd, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return err_sys(e, "cannot create '%.200s'", p->path);
	r = write_blocks(s, i, fd, p->path, e);
	if (r == 0)
		r = write_tail(s, i, fd, p->path, e);
	if (r == 0 && ftruncate(fd, (off_t)i->size) < 0)
		r = err_sys(e, "cannot set the size of '%.200s'", p->path);
	return r < 0 ? r : squash_dress(s, i, fd, p->path, e);
}

/* ---- others --------------------------------------------------------------- */

static int make_link(struct squash *s, const struct squash_inode *i,
		     const struct squash_place *p, struct err *e)
{
	struct squash_at at = i->rest;
	char target[SQUASH_PATH_MAX];
	int r;

	if (i->size == 0 || i->size >= sizeof(target))
		return err_set(e, -EINVAL, "link '%.200s' leads nowhere", p->path);
	r = squash_count_bytes(s, i->size, e);
	if (r == 0)
		r = squash_read(s, &at, target, (size_t)i->size, e);
	if (r < 0)
		return r;
	target[i->size] = '\0';
	if (symlinkat(target, p->dirfd, p->name) < 0)
		return err_sys(e, "cannot create '%.200s'", p->path);
	return 0;
}

int squash_write_node(struct squash *s, const struct squash_inode *i,
		      const struct squash_place *p, struct err *e)
{
	struct timespec times[2];
	int r = check_owner(i, p->path, e);

	if (r == 0 && i->type == SQUASH_LINK)
		r = make_link(s, i, p, e);
	else if (r == 0 && mknodat(p->dirfd, p->name, S_IFIFO | (i->mode & 0777), 0) < 0)
		r = err_sys(e, "cannot create '%.200s'", p->path);
	if (r < 0)
		return r;
	times_of(i, times);
	if (fchownat(p->dirfd, p->name, i->uid, i->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(p->dirfd, p->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set owner and time of '%.200s'", p->path);
	return 0;
}
