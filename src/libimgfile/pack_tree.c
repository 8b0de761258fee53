/* SPDX-License-Identifier: MIT */
#include "libimgfile/pack.h"

#include "base/alloc.h"
#include "libimgfile/pack_diff.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#define CHUNK      ((size_t)256 << 10)
#define DEPTH_MAX  256   /* beyond, the image could not be installed: see tar.c */
#define PIECES_MAX 65536 /* of a file with holes; one with more is written whole */

/* A file with several names: where it is in the image. */
struct link {
	ino_t ino;
	char *path;
};

struct packer {
	struct archive *out;
	int rootfd, basefd;
	struct pack_counts counts;
	void *links; /* a tree of struct link */
	char *buf;
	char path[PATH_MAX]; /* of what is being looked at; "" is the top */
};

static const char *at(const struct packer *p)
{
	return *p->path ? p->path : ".";
}

static int fail(struct packer *p, struct err *e)
{
	int code = archive_errno(p->out);
	const char *text = archive_error_string(p->out);

	return err_set(e, code > 0 ? -code : -EIO, "cannot archive '%s': %s", at(p),
		       text ? text : "unknown reason");
}

/* ---- links ---------------------------------------------------------------- */

static int by_ino(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static void link_free(void *l)
{
	free(((struct link *)l)->path);
	free(l);
}

/* The name under which the file was met first, or NULL: this is it. */
static const char *first_name(struct packer *p, const struct stat *st)
{
	struct link key = { .ino = st->st_ino }, *l;
	struct link **found = tfind(&key, &p->links, by_ino);

	if (found)
		return (*found)->path;
	l = xcalloc(1, sizeof(*l));
	l->ino = st->st_ino;
	l->path = xstrdup(p->path);
	if (!tsearch(l, &p->links, by_ino))
		abort(); /* memory */
	return NULL;
}

/* ---- data ----------------------------------------------------------------- */

/* Tell where there is data; false: it is everywhere. */
static bool map_holes(int fd, off_t size, struct archive_entry *entry)
{
	unsigned int pieces = 0;
	off_t at = 0;

	while (at < size && pieces++ < PIECES_MAX) {
		off_t data = lseek(fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO) /* a hole to the end */
			break;
		if (hole < 0)
			return false;
		archive_entry_sparse_add_entry(entry, data, hole - data);
		at = hole;
	}
	if (pieces == 0 || at < size)
		archive_entry_sparse_add_entry(entry, size, 0);
	if (pieces > PIECES_MAX)
		archive_entry_sparse_clear(entry);
	return true;
}

static int put(struct packer *p, const char *data, size_t len, struct err *e)
{
	while (len > 0) {
		la_ssize_t n = archive_write_data(p->out, data, len);

		if (n <= 0)
			return fail(p, e);
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* All of it: what is in a hole the library drops. */
static int put_data(struct packer *p, int fd, off_t size, struct err *e)
{
	off_t done = 0;
	int r = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "cannot read '%s'", p->path);
	while (r == 0 && done < size) {
		ssize_t n = read(fd, p->buf, CHUNK);

		if (n < 0)
			return err_sys(e, "cannot read '%s'", p->path);
		if (n == 0)
			return err_set(e, -EIO, "'%s' became shorter", p->path);
		r = put(p, p->buf, (size_t)n, e);
		done += n;
	}
	p->counts.bytes += (uint64_t)done;
	return r;
}

/* ---- entries -------------------------------------------------------------- */

static void add_xattr(void *data, const char *name, const void *value, size_t size)
{
	archive_entry_xattr_add_entry(data, name, value, size);
}

static int put_header(struct packer *p, struct archive_entry *entry, struct err *e)
{
	p->counts.entries++;
	return archive_write_header(p->out, entry) < ARCHIVE_WARN ? fail(p, e) : 0;
}

static int put_opened(struct packer *p, struct archive_entry *entry, const struct stat *st,
		      struct err *e)
{
	bool is_file = S_ISREG(st->st_mode);
	cleanup_close int fd = pack_open(p->rootfd, at(p), O_RDONLY);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", p->path);
	r = pack_xattrs(fd, at(p), add_xattr, entry, e);
	if (r == 0 && is_file && st->st_blocks * 512 < st->st_size &&
	    !map_holes(fd, st->st_size, entry))
		archive_entry_sparse_clear(entry);
	if (r == 0)
		r = put_header(p, entry, e);
	return r < 0 || !is_file ? r : put_data(p, fd, st->st_size, e);
}

static int put_symlink(struct packer *p, struct archive_entry *entry, struct err *e)
{
	cleanup_close int fd = pack_open(p->rootfd, at(p), O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, "cannot read the link '%s'", p->path);
	target[n] = '\0';
	archive_entry_set_symlink(entry, target);
	return put_header(p, entry, e);
}

static int put_entry(struct packer *p, struct archive_entry *entry, const struct stat *st,
		     struct err *e)
{
	const char *first = S_ISREG(st->st_mode) && st->st_nlink > 1 ? first_name(p, st) : NULL;

	archive_entry_set_pathname(entry, at(p));
	archive_entry_set_mode(entry, st->st_mode);
	archive_entry_set_uid(entry, st->st_uid);
	archive_entry_set_gid(entry, st->st_gid);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (first) {
		archive_entry_set_hardlink(entry, first);
		return put_header(p, entry, e);
	}
	if (S_ISREG(st->st_mode))
		archive_entry_set_size(entry, st->st_size);
	if (S_ISLNK(st->st_mode))
		return put_symlink(p, entry, e);
	if (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode))
		return put_opened(p, entry, st, e);
	return put_header(p, entry, e);
}

static int put_node(struct packer *p, const struct stat *st, struct err *e)
{
	struct archive_entry *entry;
	int r;

	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) || S_ISSOCK(st->st_mode)) {
		p->counts.left_out++;
		return 0;
	}
	entry = archive_entry_new();
	if (!entry)
		abort(); /* memory */
	r = put_entry(p, entry, st, e);
	archive_entry_free(entry);
	return r;
}

/* ---- the walk ------------------------------------------------------------- */

/* p->path becomes that of NAME in the folder whose path has LEN bytes. */
static int enter(struct packer *p, size_t len, const char *lead, const char *name,
		 struct err *e)
{
	int n = snprintf(p->path + len, sizeof(p->path) - len, "%s%s%s", len ? "/" : "", lead,
			 name);

	if (n < 0 || (size_t)n >= sizeof(p->path) - len)
		return err_set(e, -ENAMETOOLONG, "the path of '%.200s' is too long", name);
	return 0;
}

static void leave(struct packer *p, size_t len)
{
	p->path[len] = '\0';
}

/* NAME, of the base, is gone. */
static int put_whiteout(struct packer *p, size_t len, const char *name, struct err *e)
{
	const struct stat st = { .st_mode = S_IFREG | 0600, .st_nlink = 1 };
	struct archive_entry *entry = archive_entry_new();
	int r = enter(p, len, PACK_WHITEOUT, name, e);

	if (!entry)
		abort(); /* memory */
	if (r == 0) {
		archive_entry_set_pathname(entry, at(p));
		archive_entry_set_mode(entry, st.st_mode);
		archive_entry_set_mtime(entry, 0, 0);
		archive_entry_set_size(entry, 0);
		r = put_header(p, entry, e);
	}
	archive_entry_free(entry);
	leave(p, len);
	return r;
}

static int put_gone(struct packer *p, const struct pack_names *names, struct err *e)
{
	cleanup_pack_names struct pack_names base = { 0 };
	size_t len = strlen(p->path);
	int r = pack_list(p->basefd, at(p), &base, e);

	for (size_t i = 0; r == 0 && i < base.count; i++)
		if (!pack_names_have(names, base.items[i]))
			r = put_whiteout(p, len, base.items[i], e);
	return r;
}

/* In an incremental image such a name would take something away. */
static int check_name(const struct packer *p, const char *name, struct err *e)
{
	if (p->basefd < 0 || strncmp(name, PACK_WHITEOUT, strlen(PACK_WHITEOUT)) != 0)
		return 0;
	return err_set(e, -EINVAL,
		       "'%s/%s': an incremental image cannot have names that begin with "
		       "'" PACK_WHITEOUT "'",
		       p->path, name);
}

static int walk(struct packer *p, bool in_base, unsigned int depth, struct err *e);

static int visit(struct packer *p, size_t len, const char *name, bool in_base,
		 unsigned int depth, struct err *e)
{
	struct stat st, base = { 0 };
	bool same = false;
	int there = 0, r = pack_stat(p->rootfd, at(p), &st, e);

	if (r <= 0)
		return r < 0 ? r : err_set(e, -EIO, "'%s' went away", p->path);
	if (in_base)
		there = pack_stat(p->basefd, at(p), &base, e);
	r = there < 0 ? there : 0;
	if (there > 0)
		r = pack_same(p->rootfd, &st, p->basefd, &base, at(p), &same, e);
	if (r == 0 && there > 0 && S_ISDIR(base.st_mode) && !S_ISDIR(st.st_mode)) {
		r = put_whiteout(p, len, name, e);
		if (r == 0)
			r = enter(p, len, "", name, e);
	}
	if (r == 0 && !same)
		r = put_node(p, &st, e);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = walk(p, there > 0 && S_ISDIR(base.st_mode), depth + 1, e);
	return r;
}

/* What is below the folder p->path. */
static int walk(struct packer *p, bool in_base, unsigned int depth, struct err *e)
{
	cleanup_pack_names struct pack_names names = { 0 };
	size_t len = strlen(p->path);
	int r;

	if (depth > DEPTH_MAX)
		return err_set(e, -ENAMETOOLONG, "'%.200s...' is too deep", p->path);
	r = pack_list(p->rootfd, at(p), &names, e);
	if (r == 0 && in_base)
		r = put_gone(p, &names, e);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		r = check_name(p, names.items[i], e);
		if (r == 0)
			r = enter(p, len, "", names.items[i], e);
		if (r == 0)
			r = visit(p, len, names.items[i], in_base, depth, e);
		leave(p, len);
	}
	return r;
}

static int pack_all(struct packer *p, struct err *e)
{
	int r = visit(p, 0, ".", p->basefd >= 0, 0, e);
	if (r == 0 && archive_write_close(p->out) != ARCHIVE_OK)
		r = fail(p, e);
	return r;
}

int pack_tree(int rootfd, int basefd, int outfd, struct pack_counts *ret, struct err *e)
{
	struct packer *p = xcalloc(1, sizeof(*p));
	int r;

	p->rootfd = rootfd;
	p->basefd = basefd;
	p->buf = xmalloc(CHUNK);
	p->out = archive_write_new();
	if (!p->out)
		abort(); /* memory */
	if (archive_write_set_format_pax(p->out) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(p->out, (int)CHUNK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(p->out, 512) != ARCHIVE_OK ||
	    archive_write_open_fd(p->out, outfd) != ARCHIVE_OK)
		r = fail(p, e);
	else
		r = pack_all(p, e);
	*ret = p->counts;
	(void)archive_write_free(p->out);
	tdestroy(p->links, link_free);
	free(p->buf);
	free(p);
	return r;
}
