/* SPDX-License-Identifier: MIT */
#include "libformat/squashfs/squashfs_private.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libformat/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SUPERBLOCK  96U
#define LOG_MIN     12U
#define LOG_MAX     20U
#define MEMORY_MAX  ((size_t)64 << 20) /* of paths that are kept */
#define LIST_HEAD   12U
#define LIST_GROUP  256U /* entries after one head */
#define LIST_UNREAL 3U   /* "." and "..", which are counted and not there */

/* ---- superblock ----------------------------------------------------------- */

static int read_xattr_table(struct squash *s, uint64_t at, struct err *e)
{
	unsigned char p[16];
	int r;

	if (at == UINT64_MAX)
		return 0;
	r = spool_read(s->fd, at, p, sizeof(p), e);
	if (r < 0)
		return r;
	s->xattr_data = squash_get64(p);
	s->xattrs = squash_get32(p + 8);
	s->xattr_table = at + sizeof(p);
	if (s->xattr_data > s->size)
		return squash_bad(e, "points beyond its end");
	return 0;
}

static int check_kind(struct squash *s, const unsigned char *h, struct err *e)
{
	unsigned int log = squash_get16(h + 22);

	if (squash_get16(h + 28) != 4 || squash_get16(h + 30) != 0)
		return err_set(e, -ENOTSUP,
			       "the squashfs file system is of version %u.%u, and only 4.0 is "
			       "known",
			       squash_get16(h + 28), squash_get16(h + 30));
	s->how = squash_get16(h + 20);
	if (!squash_can_unpack(s->how))
		return err_set(
			e, -ENOTSUP,
			"the squashfs file system is compressed by %s; gzip, xz, lz4 and "
			"zstd are known",
			squash_how_name(s->how) ? squash_how_name(s->how)
						: "something unknown");
	if (log < LOG_MIN || log > LOG_MAX || s->block_size != 1U << log)
		return squash_bad(e, "has blocks of an impossible size");
	return 0;
}

static int read_superblock(struct squash *s, struct squash_at *ret_root, struct err *e)
{
	unsigned char h[SUPERBLOCK];
	int r = spool_read(s->fd, 0, h, sizeof(h), e);

	if (r < 0)
		return r;
	s->inodes = squash_get32(h + 4);
	s->block_size = squash_get32(h + 12);
	s->frags = squash_get32(h + 16);
	s->ids = squash_get16(h + 26);
	s->id_table = squash_get64(h + 48);
	s->inode_table = squash_get64(h + 64);
	s->list_table = squash_get64(h + 72);
	s->frag_table = squash_get64(h + 80);
	r = check_kind(s, h, e);
	if (r < 0)
		return r;
	if (squash_get64(h + 40) > s->size)
		return squash_bad(e, "is cut off");
	if (s->inode_table > s->size || s->list_table > s->size)
		return squash_bad(e, "points beyond its end");
	if (s->inodes == 0 || s->inodes - 1 > s->limits->entries)
		return err_set(e, -EFBIG, "the squashfs file system holds more than %llu files",
			       (unsigned long long)s->limits->entries);
	*ret_root = (struct squash_at){ s->inode_table + (squash_get64(h + 32) >> 16),
					squash_get16(h + 32) };
	return read_xattr_table(s, squash_get64(h + 56), e);
}

/* ---- names ---------------------------------------------------------------- */

/* Only once: a folder would be inside of itself, a file would be as many as it has names. */
static int see(struct squash *s, const struct squash_inode *i, struct err *e)
{
	unsigned char bit = (unsigned char)(1U << i->number % 8);

	if (s->seen[i->number / 8] & bit)
		return squash_bad(e, "has a folder or a file in two places");
	s->seen[i->number / 8] |= bit;
	return 0;
}

static int keep_path(struct squash *s, const char *path, char **ret, struct err *e)
{
	size_t size = strlen(path) + sizeof(struct squash_pending);

	if (size > MEMORY_MAX - s->memory)
		return err_set(e, -EFBIG,
			       "the squashfs file system has too many folders or links");
	s->memory += size;
	*ret = xstrdup(path);
	return 0;
}

static int push(struct squash *s, const struct squash_inode *i, const char *path, struct err *e)
{
	char *copy = NULL;
	int r = see(s, i, e);

	if (r == 0)
		r = keep_path(s, path, &copy, e);
	if (r < 0)
		return r;
	if (s->pending_count == s->pending_cap) {
		s->pending_cap = s->pending_cap ? 2 * s->pending_cap : 64;
		s->pending = xrealloc_array(s->pending, s->pending_cap, sizeof(*s->pending));
	}
	s->pending[s->pending_count++] = (struct squash_pending){ copy, *i };
	return 0;
}

/* The slot of NUMBER in a table that has room; its path is NULL when it is new. */
static struct squash_first *slot(const struct squash *s, uint32_t number)
{
	size_t at = number * 2654435761U % s->first_cap;

	while (s->first[at].path && s->first[at].number != number)
		at = (at + 1) % s->first_cap;
	return &s->first[at];
}

static void grow_first(struct squash *s)
{
	struct squash_first *old = s->first;
	size_t cap = s->first_cap;

	s->first_cap = cap ? 2 * cap : 64;
	s->first = xcalloc(s->first_cap, sizeof(*s->first));
	for (size_t i = 0; i < cap; i++)
		if (old[i].path)
			*slot(s, old[i].number) = old[i];
	free(old);
}

static int link_to(struct squash *s, const char *first, const struct squash_place *p,
		   struct err *e)
{
	const char *slash = strrchr(first, '/');
	cleanup_free char *dir =
		slash ? xstrndup(first, (size_t)(slash - first)) : xstrdup(".");
	cleanup_close int fd = path_open_beneath(s->rootfd, dir, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || linkat(fd, slash ? slash + 1 : first, p->dirfd, p->name, 0) < 0)
		return err_sys(e, "cannot link '%.200s' to '%.200s'", p->path, first);
	return 0;
}

static int write_inode(struct squash *s, const struct squash_inode *i,
		       const struct squash_place *p, struct err *e)
{
	struct squash_first *f;
	int r;

	if (i->links <= 1) {
		r = see(s, i, e);
		if (r < 0)
			return r;
	} else {
		if (2 * s->first_count >= s->first_cap)
			grow_first(s);
		f = slot(s, i->number);
		if (f->path)
			return link_to(s, f->path, p, e);
		r = keep_path(s, p->path, &f->path, e);
		if (r < 0)
			return r;
		f->number = i->number;
		s->first_count++;
	}
	return i->type == SQUASH_FILE ? squash_write_file(s, i, p, e)
				      : squash_write_node(s, i, p, e);
}

/* ---- folders -------------------------------------------------------------- */

static int write_entry(struct squash *s, struct squash_at at, const struct squash_place *p,
		       struct err *e)
{
	struct squash_inode i;
	int r = squash_inode_read(s, at, &i, e);

	if (r < 0)
		return r;
	if (++s->counts.entries > s->limits->entries)
		return err_set(e, -EFBIG, "the squashfs file system holds more than %llu files",
			       (unsigned long long)s->limits->entries);
	if (i.type == SQUASH_FILE || i.type == SQUASH_LINK || i.type == SQUASH_FIFO)
		return write_inode(s, &i, p, e);
	if (i.type != SQUASH_DIR) {
		s->counts.devices++; /* a zone has its own */
		return 0;
	}
	if (mkdirat(p->dirfd, p->name, 0700) < 0)
		return err_sys(e, "cannot create '%.200s'", p->path);
	return push(s, &i, p->path, e);
}

static int read_name(struct squash *s, struct squash_at *list, size_t len,
		     char name[static SQUASH_NAME_MAX + 1], struct err *e)
{
	int r;

	if (len > SQUASH_NAME_MAX)
		return squash_bad(e, "has a name that is too long");
	r = squash_read(s, list, name, len, e);
	name[len] = '\0';
	if (r == 0 && (memchr(name, '/', len) || memchr(name, 0, len) ||
		       strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		r = squash_bad(e, "has a name that is none");
	return r;
}

/* The COUNT entries after a head, whose inodes begin in BLOCK. Takes from *LEFT. */
static int write_group(struct squash *s, const struct squash_pending *d, int dirfd,
		       struct squash_at *list, uint32_t count, uint64_t block, uint64_t *left,
		       struct err *e)
{
	char name[SQUASH_NAME_MAX + 1], path[SQUASH_PATH_MAX];
	const struct squash_place place = { dirfd, name, path };

	for (; count > 0; count--) {
		unsigned char p[8];
		size_t len;
		int r = squash_read(s, list, p, sizeof(p), e);

		if (r < 0)
			return r;
		len = (size_t)squash_get16(p + 6) + 1;
		if (*left < sizeof(p) + len)
			return squash_bad(e, "has a folder that is too short");
		*left -= sizeof(p) + len;
		r = read_name(s, list, len, name, e);
		if (r < 0)
			return r;
		if (snprintf(path, sizeof(path), "%s%s%s", d->path, *d->path ? "/" : "",
			     name) >= (int)sizeof(path))
			return squash_bad(e, "has folders that are too deep");
		r = write_entry(s, (struct squash_at){ block, squash_get16(p) }, &place, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_list(struct squash *s, const struct squash_pending *d, int dirfd,
		      struct err *e)
{
	uint64_t left = d->inode.size > LIST_UNREAL ? d->inode.size - LIST_UNREAL : 0;
	struct squash_at list = d->inode.list;
	int r = 0;

	while (r == 0 && left > 0) {
		unsigned char p[LIST_HEAD];
		uint32_t count;

		if (left < sizeof(p))
			return squash_bad(e, "has a folder that is too short");
		left -= sizeof(p);
		r = squash_read(s, &list, p, sizeof(p), e);
		if (r < 0)
			return r;
		count = squash_get32(p);
		if (count >= LIST_GROUP)
			return squash_bad(e, "has a folder of an impossible size");
		r = write_group(s, d, dirfd, &list, count + 1,
				s->inode_table + squash_get32(p + 4), &left, e);
	}
	return r;
}

/* The first of its folders is taken next: what lies together is read together. */
static void turn(struct squash *s, size_t from)
{
	for (size_t to = s->pending_count; from + 1 < to; from++, to--) {
		struct squash_pending one = s->pending[from];

		s->pending[from] = s->pending[to - 1];
		s->pending[to - 1] = one;
	}
}

static int write_dir(struct squash *s, const struct squash_pending *d, struct err *e)
{
	size_t from = s->pending_count;
	cleanup_close int fd = path_open_beneath(s->rootfd, *d->path ? d->path : ".",
						 O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%.200s'", d->path);
	r = write_list(s, d, fd, e);
	turn(s, from);
	return r < 0 ? r : squash_dress(s, &d->inode, fd, *d->path ? d->path : "/", e);
}

static int write_tree(struct squash *s, struct squash_at root, struct err *e)
{
	struct squash_inode i;
	int r = squash_inode_read(s, root, &i, e);

	if (r == 0 && i.type != SQUASH_DIR)
		r = squash_bad(e, "has no folder as its root");
	if (r == 0)
		r = push(s, &i, "", e);
	while (r == 0 && s->pending_count > 0) {
		struct squash_pending d = s->pending[--s->pending_count];

		r = write_dir(s, &d, e);
		s->memory -= strlen(d.path) + sizeof(d);
		free(d.path);
	}
	return r;
}

static void done(struct squash *s)
{
	while (s->pending_count > 0)
		free(s->pending[--s->pending_count].path);
	for (size_t i = 0; i < s->first_cap; i++)
		free(s->first[i].path);
	for (size_t i = 0; i < SQUASH_FRAGS; i++)
		free(s->kept[i].data);
	free(s->pending);
	free(s->first);
	free(s->seen);
	free(s->packed);
	free(s->block);
	close_p(&s->fd);
}

static int run(struct squash *s, struct image_input *in, struct err *e)
{
	struct squash_at root;
	int r;

	if (in->basefd >= 0)
		return err_set(e, -EINVAL,
			       "a squashfs file system is a whole one, and the manifest names "
			       "an origin");
	s->fd = spool_input(in, s->rootfd, s->limits, &s->size, e);
	r = s->fd < 0 ? s->fd : read_superblock(s, &root, e);
	if (r < 0)
		return r;
	s->seen = xcalloc((size_t)s->inodes / 8 + 1, 1);
	s->packed = xmalloc(s->block_size);
	s->block = xmalloc(s->block_size);
	return write_tree(s, root, e);
}

int squashfs_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
		   struct extract_counts *ret_counts, struct err *e)
{
	cleanup_free struct squash *s = xcalloc(1, sizeof(*s));
	int r;

	s->fd = -1;
	s->rootfd = rootfd;
	s->limits = limits;
	r = run(s, in, e);
	if (r == 0)
		*ret_counts = s->counts;
	done(s);
	return r;
}
