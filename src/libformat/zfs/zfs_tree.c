/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs_private.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libformat/zfs/zap.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_LEN  4096
#define DEPTH_MAX 256
#define TOP       "root" /* of a zone's file system, what the zone sees as "/" */

struct child {
	char *name;
	struct zfs_object *object;
};

/* One folder on the way; its path is the walk's. */
struct folder {
	struct walk *walk;
	int fd;
	struct child *children; /* folders: gone into when this one has been read */
	size_t count, cap;
};

struct walk {
	struct zfs *z;
	bool back; /* from the tree to the stage */
	unsigned int depth;
	char path[PATH_LEN]; /* "." first */
	size_t path_len;
};

static int bad_name(const char *name, struct err *e)
{
	return err_set(e, -EINVAL, "the ZFS stream has a file with the name '%.100s'", name);
}

/* ---- from stage to tree --------------------------------------------------- */

static int make_data(struct zfs *z, struct zfs_object *o, const struct zfs_node *n,
		     struct err *e)
{
	int fd, r;

	if (n->size > z->limits->bytes)
		return err_set(e, -EFBIG, "object %llu of the ZFS stream has %llu bytes",
			       (unsigned long long)o->number, (unsigned long long)n->size);
	fd = zfs_open_data(z, o, e);
	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)n->size) < 0)
		return err_sys(e, "cannot set a file's size");
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* attributes may be files, which move the cache */
	if (fd < 0)
		return err_sys(e, "cannot keep a file open");
	zfs_close_data(z);
	o->done = true;
	r = zfs_set_attrs(z, fd, n, e);
	close_p(&fd);
	return r;
}

static int put_file(struct folder *f, struct zfs_object *o, const struct zfs_node *n,
		    const char *name, struct err *e)
{
	char data[32];
	int r = o->done ? 0 : make_data(f->walk->z, o, n, e);

	zfs_data_name(o->number, data);
	if (r == 0 && linkat(f->walk->z->stagefd, data, f->fd, name, 0) < 0)
		r = err_sys(e, "cannot create '%.200s/%.200s'", f->walk->path, name);
	return r;
}

static int put_attrs_at(const struct folder *f, const struct zfs_node *n, const char *name,
			struct err *e)
{
	const struct timespec times[2] = { n->mtime, n->mtime };

	if (fchownat(f->fd, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(f->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot set the attributes of '%.200s/%.200s'", f->walk->path,
			       name);
	return 0;
}

static int put_symlink(struct folder *f, struct zfs_object *o, const struct zfs_node *n,
		       const char *name, struct err *e)
{
	char target[PATH_LEN] = "";
	size_t len = n->symlink ? n->symlink_len : n->size;
	int fd;

	if (n->symlink && len > 0 && n->symlink[len - 1] == '\0')
		len--;
	if (len == 0 || len >= sizeof(target))
		return err_set(e, -EINVAL, "the link '%.200s/%.200s' leads nowhere",
			       f->walk->path, name);
	if (n->symlink) {
		memcpy(target, n->symlink, len);
	} else {
		fd = zfs_open_data(f->walk->z, o, e);
		if (fd < 0)
			return fd;
		if (pread(fd, target, len, 0) < 0)
			return err_sys(e, "cannot read a link");
	}
	if (strlen(target) != len)
		return err_set(e, -EINVAL, "the link '%.200s/%.200s' has a zero in it",
			       f->walk->path, name);
	if (symlinkat(target, f->fd, name) < 0)
		return err_sys(e, "cannot create '%.200s/%.200s'", f->walk->path, name);
	return put_attrs_at(f, n, name, e);
}

static int put(struct folder *f, struct zfs_object *o, const struct zfs_node *n,
	       const char *name, struct err *e)
{
	if (++f->walk->z->counts.entries > f->walk->z->limits->entries)
		return err_set(e, -E2BIG, "the ZFS stream has more than %llu entries",
			       (unsigned long long)f->walk->z->limits->entries);
	if (S_ISREG(n->mode))
		return put_file(f, o, n, name, e);
	if (S_ISLNK(n->mode))
		return put_symlink(f, o, n, name, e);
	if (S_ISFIFO(n->mode)) {
		if (mkfifoat(f->fd, name, n->mode & 0777) < 0)
			return err_sys(e, "cannot create '%.200s/%.200s'", f->walk->path, name);
		return put_attrs_at(f, n, name, e);
	}
	f->walk->z->counts.devices++;
	return 0;
}

/* ---- and back ------------------------------------------------------------- */

/* The first name of a file becomes its place in the stage; the others go. */
static int take_back(struct folder *f, struct zfs_object *o, const struct zfs_node *n,
		     const char *name, struct err *e)
{
	char data[32];

	zfs_data_name(o->number, data);
	if (!S_ISREG(n->mode) && !S_ISLNK(n->mode) && !S_ISFIFO(n->mode))
		return 0;
	if (S_ISREG(n->mode) && !o->done) {
		o->done = true;
		o->has_data = true;
		if (renameat(f->fd, name, f->walk->z->stagefd, data) == 0)
			return 0;
	} else if (unlinkat(f->fd, name, 0) == 0) {
		return 0;
	}
	return err_set(e, -EINVAL,
		       "the origin's tree is not what its stream made: '%.200s/%.200s': %s",
		       f->walk->path, name, strerror(errno));
}

/* ---- folders -------------------------------------------------------------- */

static int visit(void *data, const struct zap_entry *entry, struct err *e)
{
	struct folder *f = data;
	struct zfs *z = f->walk->z;
	struct zfs_object *o = zfs_find(z, zap_number(entry) & ZSTREAM_OBJECT_MAX);
	cleanup_node struct zfs_node n = { 0 };
	int r;

	if (strchr(entry->name, '/') || strcmp(entry->name, ".") == 0 ||
	    strcmp(entry->name, "..") == 0 || strlen(entry->name) > NAME_MAX)
		return bad_name(entry->name, e);
	if (!o)
		return err_set(e, -EINVAL, "the ZFS stream has no object for '%.200s/%.200s'",
			       f->walk->path, entry->name);
	r = zfs_read_node(z, o, &n, e);
	if (r < 0)
		return r;
	if (!S_ISDIR(n.mode))
		return f->walk->back ? take_back(f, o, &n, entry->name, e)
				     : put(f, o, &n, entry->name, e);
	if (o->done)
		return err_set(e, -EINVAL,
			       "the ZFS stream has the folder '%.200s/%.200s' twice",
			       f->walk->path, entry->name);
	o->done = true;
	if (f->count == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->children = xrealloc_array(f->children, f->cap, sizeof(*f->children));
	}
	f->children[f->count++] = (struct child){ xstrdup(entry->name), o };
	return 0;
}

static int enter(struct walk *w, const char *name, struct err *e)
{
	int n = snprintf(w->path + w->path_len, sizeof(w->path) - w->path_len, "/%s", name);

	if (n < 0 || (size_t)n >= sizeof(w->path) - w->path_len || ++w->depth > DEPTH_MAX)
		return err_set(e, -ENAMETOOLONG,
			       "the ZFS stream has folders that are too deep");
	w->path_len += (size_t)n;
	return 0;
}

static int open_here(const struct walk *w, struct err *e)
{
	int fd = path_open_beneath(w->z->rootfd, w->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

	return fd < 0 ? err_sys(e, "cannot open the folder '%.200s'", w->path) : fd;
}

/* All that is not a folder, and a list of those that are. */
static int read_folder(struct folder *f, const struct zfs_object *o, struct err *e)
{
	cleanup_close int data = -1;
	char name[32];
	int r;

	zfs_data_name(o->number, name);
	data = path_open_beneath(f->walk->z->stagefd, name, O_RDONLY | O_NOFOLLOW);
	if (data < 0)
		return err_set(e, -EINVAL, "the ZFS stream lacks the data of object %s", name);
	f->fd = open_here(f->walk, e);
	if (f->fd < 0)
		return f->fd;
	r = zap_each(data, o->block_size, f->walk->z->head.big, visit, f, e);
	close_p(&f->fd);
	return r;
}

static int walk_folder(struct walk *w, struct zfs_object *o, struct err *e);

static int make_folder(const struct walk *w, struct err *e)
{
	if (mkdirat(w->z->rootfd, w->path, 0700) < 0)
		return err_sys(e, "cannot create the folder '%.200s'", w->path);
	w->z->counts.entries++;
	return 0;
}

static int walk_child(struct walk *w, const struct child *c, struct err *e)
{
	size_t path_len = w->path_len;
	int r = enter(w, c->name, e);

	if (r == 0 && !w->back)
		r = make_folder(w, e);
	if (r == 0)
		r = walk_folder(w, c->object, e);
	if (r == 0 && w->back && unlinkat(w->z->rootfd, w->path, AT_REMOVEDIR) < 0)
		r = err_sys(e, "the origin's tree is not what its stream made: '%.200s'",
			    w->path);
	w->path[path_len] = '\0';
	w->path_len = path_len;
	w->depth--;
	return r;
}

/* Filling a folder changes its time: its attributes come last. */
static int finish_folder(struct walk *w, const struct zfs_object *o, struct err *e)
{
	cleanup_node struct zfs_node n = { 0 };
	cleanup_close int fd = -1;
	int r = zfs_read_node(w->z, o, &n, e);

	if (r < 0)
		return r;
	fd = open_here(w, e);
	return fd < 0 ? fd : zfs_set_attrs(w->z, fd, &n, e);
}

static int walk_folder(struct walk *w, struct zfs_object *o, struct err *e)
{
	struct folder f = { .walk = w, .fd = -1 };
	int r = read_folder(&f, o, e);

	for (size_t i = 0; r == 0 && i < f.count; i++)
		r = walk_child(w, &f.children[i], e);
	for (size_t i = 0; i < f.count; i++)
		free(f.children[i].name);
	free(f.children);
	return r < 0 || w->back ? r : finish_folder(w, o, e);
}

/* ---- the whole ------------------------------------------------------------ */

struct top {
	struct zfs *z;
	uint64_t found;
};

static int find_top(void *data, const struct zap_entry *entry, struct err *e)
{
	struct top *t = data;
	uint64_t number = zap_number(entry) & ZSTREAM_OBJECT_MAX;
	struct zfs_object *o = zfs_find(t->z, number);
	cleanup_node struct zfs_node n = { 0 };
	int r;

	if (strcmp(entry->name, TOP) != 0 || !o)
		return 0;
	r = zfs_read_node(t->z, o, &n, e);
	if (r == 0 && S_ISDIR(n.mode))
		t->found = number;
	return r;
}

static int walk(struct zfs *z, bool back, struct err *e)
{
	struct walk w = { .z = z, .back = back, .path = ".", .path_len = 1 };
	struct top top = { .z = z };
	struct zfs_object *o;
	uint64_t root;
	int r = zfs_read_registry(z, &root, e);
	int fd;

	if (r < 0)
		return r;
	o = zfs_find(z, root);
	fd = zfs_open_data(z, o, e);
	if (fd < 0)
		return fd;
	r = zap_each(fd, o->block_size, z->head.big, find_top, &top, e);
	if (r < 0)
		return r;
	if (top.found)
		o = zfs_find(z, top.found);
	zfs_close_data(z);
	o->done = true;
	r = walk_folder(&w, o, e);
	for (size_t i = 0; i < z->table_cap; i++)
		z->table[i].done = false;
	return r;
}

int zfs_build(struct zfs *z, struct err *e)
{
	return walk(z, false, e);
}

int zfs_unbuild(struct zfs *z, struct err *e)
{
	return walk(z, true, e);
}
