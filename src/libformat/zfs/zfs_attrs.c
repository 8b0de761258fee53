/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs_private.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libformat/xattr.h"
#include "libformat/zfs/zap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define SA_MAGIC   0x2F505AU
#define ID_MAX     65535U
#define XATTR_MAX  65536U
#define XATTR_FITS 2048U /* beyond it ENOSPC may mean: larger than the file system takes */

/* A znode of before there were system attributes. */
#define ZNODE_SIZE 264U

static const char *const attr_names[ZFS_ATTR_MAX_] = {
	[ZFS_MODE] = "ZPL_MODE",       [ZFS_SIZE] = "ZPL_SIZE",     [ZFS_UID] = "ZPL_UID",
	[ZFS_GID] = "ZPL_GID",         [ZFS_MTIME] = "ZPL_MTIME",   [ZFS_XATTR] = "ZPL_XATTR",
	[ZFS_SYMLINK] = "ZPL_SYMLINK", [ZFS_DXATTR] = "ZPL_DXATTR",
};

static uint64_t get64(const struct zfs *z, const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return z->head.big ? __builtin_bswap64(v) : v;
}

static uint16_t get16(const struct zfs *z, const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return z->head.big ? __builtin_bswap16(v) : v;
}

/* ---- registry ------------------------------------------------------------- */

struct master {
	uint64_t root, attrs, registry, layouts;
};

static int take_master(void *data, const struct zap_entry *entry, struct err *e)
{
	struct master *m = data;

	(void)e;
	if (strcmp(entry->name, "ROOT") == 0)
		m->root = zap_number(entry);
	else if (strcmp(entry->name, "SA_ATTRS") == 0)
		m->attrs = zap_number(entry);
	else if (strcmp(entry->name, "REGISTRY") == 0)
		m->registry = zap_number(entry);
	else if (strcmp(entry->name, "LAYOUTS") == 0)
		m->layouts = zap_number(entry);
	return 0;
}

static int take_attr(void *data, const struct zap_entry *entry, struct err *e)
{
	struct zfs_registry *reg = data;
	uint64_t v = zap_number(entry);
	uint16_t number = v & 0xffff;

	if (number >= ZFS_ATTRS_MAX)
		return err_set(e, -EINVAL, "the ZFS stream registers attribute %u", number);
	reg->attrs[number].len = (uint16_t)(v >> 24);
	reg->attrs[number].known = true;
	reg->attrs[number].attr = -1;
	for (int i = 0; i < ZFS_ATTR_MAX_; i++)
		if (strcmp(entry->name, attr_names[i]) == 0)
			reg->attrs[number].attr = (int8_t)i;
	return 0;
}

static int take_layout(void *data, const struct zap_entry *entry, struct err *e)
{
	struct zfs_registry *reg = data;
	char *end;
	unsigned long number = strtoul(entry->name, &end, 10);

	if (*end || number >= ZFS_ATTRS_MAX || entry->count > ZFS_LAYOUT_MAX ||
	    entry->int_len != 2)
		return err_set(e, -EINVAL, "the ZFS stream has a bad layout of attributes");
	reg->layouts[number].count = (uint16_t)entry->count;
	for (unsigned int i = 0; i < entry->count; i++) {
		if (entry->value[2 * i])
			return err_set(e, -EINVAL,
				       "the ZFS stream has a bad layout of attributes");
		reg->layouts[number].attrs[i] = entry->value[2 * i + 1];
	}
	return 0;
}

static int read_table(struct zfs *z, uint64_t number, zap_fn *each, void *data, struct err *e)
{
	struct zfs_object *o = zfs_find(z, number);
	int fd;

	if (!o)
		return err_set(e, -EINVAL, "the ZFS stream lacks object %llu",
			       (unsigned long long)number);
	fd = zfs_open_data(z, o, e);
	return fd < 0 ? fd : zap_each(fd, o->block_size, z->head.big, each, data, e);
}

int zfs_read_registry(struct zfs *z, uint64_t *ret_root, struct err *e)
{
	struct master m = { 0 };
	int r;

	if (!z->registry)
		z->registry = xcalloc(1, sizeof(*z->registry));
	r = read_table(z, ZFS_MASTER, take_master, &m, e);
	if (r == 0 && m.attrs) {
		r = read_table(z, m.attrs, take_master, &m, e);
		if (r == 0)
			r = read_table(z, m.registry, take_attr, z->registry, e);
		if (r == 0)
			r = read_table(z, m.layouts, take_layout, z->registry, e);
	}
	if (r == 0 && !zfs_find(z, m.root))
		r = err_set(e, -EINVAL, "the ZFS stream has no root folder");
	*ret_root = m.root;
	return r;
}

/* ---- one object's --------------------------------------------------------- */

static int bad_attrs(const struct zfs_object *o, struct err *e)
{
	return err_set(e, -EINVAL, "the attributes of object %llu of the ZFS stream are bad",
		       (unsigned long long)o->number);
}

static void take_value(const struct zfs *z, struct zfs_node *n, enum zfs_attr attr,
		       const unsigned char *p, size_t len)
{
	uint64_t v = len >= 8 ? get64(z, p) : 0;

	if (attr == ZFS_MODE)
		n->mode = (uint32_t)v;
	else if (attr == ZFS_SIZE)
		n->size = v;
	else if (attr == ZFS_UID)
		n->uid = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	else if (attr == ZFS_GID)
		n->gid = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	else if (attr == ZFS_XATTR)
		n->xattr_dir = v;
	else if (attr == ZFS_MTIME && len >= 16)
		n->mtime = (struct timespec){ (time_t)v, (long)(get64(z, p + 8) % 1000000000) };
	else if (attr == ZFS_SYMLINK)
		n->symlink = p, n->symlink_len = len;
	else if (attr == ZFS_DXATTR)
		n->xattrs = p, n->xattrs_len = len;
}

/* Attributes one after the other, as their layout says, each padded to 8 bytes. */
static int read_attrs(const struct zfs *z, const struct zfs_object *o, const unsigned char *p,
		      size_t len, struct zfs_node *n, struct err *e)
{
	uint16_t info = len >= 8 ? get16(z, p + 4) : 0;
	size_t at = (size_t)(info >> 10) * 8, lens = 6;
	unsigned int layout = info & 0x3ff;

	if (len < 8 || layout >= ZFS_ATTRS_MAX || at < 8)
		return bad_attrs(o, e);
	for (unsigned int i = 0; i < z->registry->layouts[layout].count; i++) {
		unsigned int number = z->registry->layouts[layout].attrs[i];
		size_t size = z->registry->attrs[number].len;

		if (!z->registry->attrs[number].known)
			return bad_attrs(o, e);
		if (size == 0) {
			if (lens + 2 > (size_t)(info >> 10) * 8 || lens + 2 > len)
				return bad_attrs(o, e);
			size = get16(z, p + lens);
			lens += 2;
		}
		if (at > len || size > len - at)
			return bad_attrs(o, e);
		if (z->registry->attrs[number].attr >= 0)
			take_value(z, n, (enum zfs_attr)z->registry->attrs[number].attr, p + at,
				   size);
		at += (size + 7) & ~(size_t)7;
	}
	return 0;
}

static void read_znode(const struct zfs *z, struct zfs_node *n, size_t len)
{
	static const struct {
		enum zfs_attr attr;
		uint16_t at, len;
	} fields[] = {
		{ ZFS_MTIME, 16, 16 }, { ZFS_MODE, 72, 8 }, { ZFS_SIZE, 80, 8 },
		{ ZFS_XATTR, 104, 8 }, { ZFS_UID, 128, 8 }, { ZFS_GID, 136, 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		take_value(z, n, fields[i].attr, n->bonus + fields[i].at, fields[i].len);
	if (S_ISLNK(n->mode) && n->size <= len - ZNODE_SIZE)
		take_value(z, n, ZFS_SYMLINK, n->bonus + ZNODE_SIZE, n->size);
}

static bool has_sa_magic(const struct zfs *z, const unsigned char *p, size_t len)
{
	uint32_t v;

	if (len < 8)
		return false;
	memcpy(&v, p, sizeof(v));
	return (z->head.big ? __builtin_bswap32(v) : v) == SA_MAGIC;
}

static int read_spill(struct zfs *z, const struct zfs_object *o, struct zfs_node *n,
		      struct err *e)
{
	int r;

	if (o->spill_len == 0)
		return 0;
	n->spill = xmalloc(o->spill_len);
	r = zfs_read_meta(z, o->spill_at, n->spill, o->spill_len, e);
	if (r < 0)
		return r;
	return has_sa_magic(z, n->spill, o->spill_len)
		       ? read_attrs(z, o, n->spill, o->spill_len, n, e)
		       : bad_attrs(o, e);
}

int zfs_read_node(struct zfs *z, const struct zfs_object *o, struct zfs_node *ret,
		  struct err *e)
{
	struct zfs_node n = { 0 };
	int r;

	n.bonus = xcalloc(1, (size_t)o->bonus_len + 1);
	r = zfs_read_meta(z, o->bonus_at, n.bonus, o->bonus_len, e);
	if (r == 0 && o->bonus_type == ZFS_BONUS_SA && has_sa_magic(z, n.bonus, o->bonus_len)) {
		r = read_attrs(z, o, n.bonus, o->bonus_len, &n, e);
		if (r == 0)
			r = read_spill(z, o, &n, e);
	} else if (r == 0 && o->bonus_type == ZFS_BONUS_ZNODE && o->bonus_len >= ZNODE_SIZE) {
		read_znode(z, &n, o->bonus_len);
	} else if (r == 0) {
		r = bad_attrs(o, e);
	}
	if (r == 0 && (n.uid > ID_MAX || n.gid > ID_MAX))
		r = err_set(e, -EINVAL,
			    "object %llu of the ZFS stream belongs to %u:%u; owners "
			    "above %u do not fit into a zone",
			    (unsigned long long)o->number, n.uid, n.gid, ID_MAX);
	if (r < 0)
		zfs_free_node(&n);
	else
		*ret = n;
	return r;
}

void zfs_free_node(struct zfs_node *n)
{
	free(n->bonus);
	free(n->spill);
	*n = (struct zfs_node){ 0 };
}

/* ---- extended attributes -------------------------------------------------- */

struct xattr_target {
	struct zfs *z;
	int fd;
};

static int set_xattr(struct zfs *z, int fd, const char *name, const void *value, size_t len,
		     struct err *e)
{
	int r;

	if (!image_keeps_xattr(name) || len > XATTR_MAX) {
		z->counts.xattrs++;
		return 0;
	}
	r = zfs_count(z, strlen(name) + len, e);
	if (r < 0 || fsetxattr(fd, name, value, len, 0) == 0)
		return r;
	if (errno == EDQUOT || (errno == ENOSPC && len <= XATTR_FITS))
		return err_sys(e, "cannot set the attribute '%.100s'", name);
	z->counts.xattrs++;
	return 0;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static size_t round4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/*
 * One pair of the list: two lengths, its name, a type, a count of bytes, the bytes. Some
 * writers repeat the count before the bytes; the pair's length tells.
 */
static int set_pair(struct zfs *z, int fd, const unsigned char *p, size_t len, struct err *e)
{
	size_t name_len = be32(p + 8), at = 12, value_len;
	char name[256];

	if (name_len == 0 || name_len >= sizeof(name) || 12 + round4(name_len) + 8 > len)
		goto bad;
	memcpy(name, p + at, name_len);
	name[name_len] = '\0';
	at += round4(name_len);
	value_len = be32(p + at + 4);
	at += 8;
	if (value_len <= len && len - at == 4 + round4(value_len) && be32(p + at) == value_len)
		at += 4;
	if (value_len > len - at || strlen(name) == 0)
		goto bad;
	return set_xattr(z, fd, name, p + at, value_len, e);
bad:
	return err_set(e, -EINVAL, "the ZFS stream has a bad list of extended attributes");
}

static int set_list(struct zfs *z, int fd, const unsigned char *p, size_t len, struct err *e)
{
	size_t at = 12; /* encoding, version, flags */
	int r = 0;

	if (len < at + 8 || p[0] != 1)
		return len < at + 8 ? 0
				    : err_set(e, -ENOTSUP,
					      "the ZFS stream has extended "
					      "attributes in an unknown encoding");
	while (r == 0 && at + 8 <= len) {
		size_t size = be32(p + at);

		if (size == 0)
			return 0;
		if (size < 20 || size > len - at)
			return err_set(e, -EINVAL,
				       "the ZFS stream has a bad list of extended "
				       "attributes");
		r = set_pair(z, fd, p + at, size, e);
		at += size;
	}
	return r;
}

/* An attribute that is a file of its own, in a folder of attributes. */
static int set_file_xattr(void *data, const struct zap_entry *entry, struct err *e)
{
	struct xattr_target *t = data;
	uint64_t number = zap_number(entry) & ZSTREAM_OBJECT_MAX;
	struct zfs_object *o = zfs_find(t->z, number);
	cleanup_node struct zfs_node n = { 0 };
	cleanup_free char *value = xcalloc(1, XATTR_MAX);
	char name[32];
	int fd, r;

	if (!o)
		return err_set(e, -EINVAL, "the ZFS stream lacks object %llu",
			       (unsigned long long)number);
	o->attribute = true;
	if (strncmp(entry->name, "SUNWattr_", 9) == 0)
		return 0;
	r = zfs_read_node(t->z, o, &n, e);
	if (r < 0)
		return r;
	if (n.size > XATTR_MAX || !S_ISREG(n.mode)) {
		t->z->counts.xattrs++;
		return 0;
	}
	zfs_data_name(number, name);
	fd = path_open_beneath(t->z->stagefd, name, O_RDONLY | O_NOFOLLOW);
	if (fd >= 0 && pread(fd, value, n.size, 0) < 0)
		r = err_sys(e, "cannot read an extended attribute");
	close_p(&fd);
	return r < 0 ? r : set_xattr(t->z, t->fd, entry->name, value, n.size, e);
}

static int set_xattr_dir(struct zfs *z, int fd, uint64_t number, struct err *e)
{
	struct xattr_target t = { z, fd };
	struct zfs_object *o = zfs_find(z, number);
	cleanup_close int dir = -1;
	char name[32];

	if (!o)
		return err_set(e, -EINVAL, "the ZFS stream lacks object %llu",
			       (unsigned long long)number);
	zfs_data_name(number, name);
	dir = path_open_beneath(z->stagefd, name, O_RDONLY | O_NOFOLLOW);
	if (dir < 0)
		return err_set(e, -EINVAL, "the ZFS stream lacks the data of object %s", name);
	return zap_each(dir, o->block_size, z->head.big, set_file_xattr, &t, e);
}

int zfs_set_attrs(struct zfs *z, int fd, const struct zfs_node *n, struct err *e)
{
	const struct timespec times[2] = { n->mtime, n->mtime };
	int r = 0;

	/* chown clears bits of the mode, and capabilities. */
	if (fchown(fd, n->uid, n->gid) < 0)
		return err_sys(e, "cannot set an owner");
	if (fchmod(fd, n->mode & 07777) < 0)
		return err_sys(e, "cannot set a mode");
	if (n->xattrs)
		r = set_list(z, fd, n->xattrs, n->xattrs_len, e);
	if (r == 0 && n->xattr_dir)
		r = set_xattr_dir(z, fd, n->xattr_dir, e);
	if (r == 0 && futimens(fd, times) < 0)
		r = err_sys(e, "cannot set a time");
	return r;
}
