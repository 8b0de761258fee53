/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/ioctl.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <endian.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define SEARCH_BUFFER 65536
#define DEPTH_MAX     64 /* subvolumes around one whose path is asked */

static int ioctl_errno(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

bool btrfs_is_subvol(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

static int set_name(struct btrfs_ioctl_vol_args_v2 *args, const char *name)
{
	int n = snprintf(args->name, sizeof(args->name), "%s", name);

	return n < 0 || (size_t)n >= sizeof(args->name) ? -ENAMETOOLONG : 0;
}

int btrfs_subvol_create(int dirfd, const char *name)
{
	struct btrfs_ioctl_vol_args_v2 args = { 0 };
	int r = set_name(&args, name);

	return r < 0 ? r : ioctl_errno(dirfd, BTRFS_IOC_SUBVOL_CREATE_V2, &args);
}

int btrfs_subvol_snapshot(int srcfd, int dirfd, const char *name, uint64_t qgroup,
			  bool readonly)
{
	/* One group behind the fixed part of the structure. */
	alignas(8) char space[sizeof(struct btrfs_qgroup_inherit) + sizeof(uint64_t)] = { 0 };
	struct btrfs_qgroup_inherit *inherit = (struct btrfs_qgroup_inherit *)space;
	struct btrfs_ioctl_vol_args_v2 args = {
		.fd = srcfd,
		.flags = readonly ? BTRFS_SUBVOL_RDONLY : 0,
	};
	int r = set_name(&args, name);

	if (r < 0)
		return r;
	if (qgroup) {
		inherit->num_qgroups = 1;
		inherit->qgroups[0] = qgroup;
		args.flags |= BTRFS_SUBVOL_QGROUP_INHERIT;
		args.size = sizeof(space);
		args.qgroup_inherit = inherit;
	}
	return ioctl_errno(dirfd, BTRFS_IOC_SNAP_CREATE_V2, &args);
}

int btrfs_subvol_set_readonly(int fd, bool readonly)
{
	uint64_t flags;
	int r = ioctl_errno(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &flags);

	if (r < 0)
		return r;
	if (!!(flags & BTRFS_SUBVOL_RDONLY) == readonly)
		return 0;
	flags ^= BTRFS_SUBVOL_RDONLY;
	return ioctl_errno(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags);
}

int btrfs_write_out(int fd)
{
	/* Before it tells of extents the driver waits until all are in their tree. */
	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_flags = FIEMAP_FLAG_SYNC };

	return ioctl_errno(fd, FS_IOC_FIEMAP, &map);
}

int btrfs_has_failed_writes(int fsfd, bool *ret)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	int r = ioctl_errno(fsfd, BTRFS_IOC_FS_INFO, &info);
	bool failed = false;

	/* The numbers of devices that were taken out are free. */
	for (uint64_t id = 1; r == 0 && !failed && id <= info.max_id; id++) {
		struct btrfs_ioctl_get_dev_stats st = { .devid = id,
							.nr_items = BTRFS_DEV_STAT_VALUES_MAX };

		r = ioctl_errno(fsfd, BTRFS_IOC_GET_DEV_STATS, &st);
		failed = r == 0 && (st.values[BTRFS_DEV_STAT_WRITE_ERRS] ||
				    st.values[BTRFS_DEV_STAT_FLUSH_ERRS]);
		r = r == -ENODEV ? 0 : r;
	}
	if (r == 0)
		*ret = failed;
	return r;
}

int btrfs_subvol_info(int fd, struct btrfs_subvol *ret_info)
{
	struct btrfs_ioctl_get_subvol_info_args args = { 0 };
	int r = ioctl_errno(fd, BTRFS_IOC_GET_SUBVOL_INFO, &args);

	if (r < 0)
		return r;
	ret_info->id = args.treeid;
	memcpy(ret_info->uuid, args.uuid, sizeof(ret_info->uuid));
	memcpy(ret_info->parent_uuid, args.parent_uuid, sizeof(ret_info->parent_uuid));
	return 0;
}

int btrfs_subvol_destroy_id(int fsfd, uint64_t id)
{
	struct btrfs_ioctl_vol_args_v2 args = {
		.flags = BTRFS_SUBVOL_SPEC_BY_ID,
		.subvolid = id,
	};

	return ioctl_errno(fsfd, BTRFS_IOC_SNAP_DESTROY_V2, &args);
}

/* The next key after K in the order of the tree; false at its end. */
static bool key_next(struct tree_key *k)
{
	if (++k->offset != 0)
		return true;
	if (++k->type <= UINT8_MAX)
		return true;
	k->type = 0;
	return ++k->objectid != 0;
}

static bool key_in_range(const struct tree_key *k, const struct tree_key *min,
			 const struct tree_key *max)
{
	/* The kernel compares whole keys; callers mean each part by itself. */
	return k->objectid >= min->objectid && k->objectid <= max->objectid &&
	       k->type >= min->type && k->type <= max->type && k->offset >= min->offset &&
	       k->offset <= max->offset;
}

/* Hand the items of one answer to FN; *AT becomes the last key seen. */
static int walk_answer(const struct btrfs_ioctl_search_args_v2 *args, struct tree_key *at,
		       const struct tree_key *min, const struct tree_key *max,
		       btrfs_item_fn *fn, void *data)
{
	size_t used = 0;

	for (uint32_t i = 0; i < args->key.nr_items; i++) {
		struct btrfs_ioctl_search_header head;
		int r;

		if (used + sizeof(head) > args->buf_size)
			return -EIO;
		memcpy(&head, args->buf + used, sizeof(head));
		used += sizeof(head);
		if (head.len > args->buf_size - used)
			return -EIO;
		*at = (struct tree_key){ head.objectid, head.type, head.offset };
		r = key_in_range(at, min, max) ? fn(data, at, args->buf + used, head.len) : 0;
		if (r != 0)
			return r;
		used += head.len;
	}
	return 0;
}

int btrfs_search(int fsfd, uint64_t tree, struct tree_key min, struct tree_key max,
		 btrfs_item_fn *fn, void *data)
{
	cleanup_free struct btrfs_ioctl_search_args_v2 *args =
		xcalloc(1, sizeof(*args) + SEARCH_BUFFER);
	struct tree_key at = min;

	do {
		int r;

		args->key = (struct btrfs_ioctl_search_key){
			.tree_id = tree,
			.min_objectid = at.objectid,
			.max_objectid = max.objectid,
			.min_type = at.type,
			.max_type = max.type,
			.min_offset = at.offset,
			.max_offset = max.offset,
			.max_transid = UINT64_MAX,
			.nr_items = UINT32_MAX,
		};
		args->buf_size = SEARCH_BUFFER;
		r = ioctl_errno(fsfd, BTRFS_IOC_TREE_SEARCH_V2, args);
		if (r < 0)
			return r;
		if (args->key.nr_items == 0)
			return 0;
		r = walk_answer(args, &at, &min, &max, fn, data);
		if (r != 0)
			return r;
	} while (key_next(&at));
	return 0;
}

struct ids {
	uint64_t *ids;
	size_t count;
};

static int push_child(void *data, const struct tree_key *key, const void *item ATTR_UNUSED,
		      size_t len ATTR_UNUSED)
{
	struct ids *stack = data;

	stack->ids = xrealloc_array(stack->ids, stack->count + 1, sizeof(*stack->ids));
	stack->ids[stack->count++] = key->offset;
	return 0;
}

/*
 * Deepest first, on a stack of our own: who owns a folder may nest subvolumes in it
 * as deep as he likes, and must not be able to make it stay by that.
 */
static int destroy_with_children(int fsfd, uint64_t id)
{
	struct ids stack = { 0 };
	int r = 0;

	(void)push_child(&stack, &(struct tree_key){ .offset = id }, NULL, 0);
	while (r == 0 && stack.count > 0) {
		uint64_t top = stack.ids[stack.count - 1];
		size_t before = stack.count;

		r = btrfs_search(fsfd, BTRFS_ROOT_TREE_OBJECTID,
				 (struct tree_key){ top, BTRFS_ROOT_REF_KEY, 0 },
				 (struct tree_key){ top, BTRFS_ROOT_REF_KEY, UINT64_MAX },
				 push_child, &stack);
		if (r < 0 || stack.count > before)
			continue;
		r = btrfs_subvol_destroy_id(fsfd, top);
		stack.count--;
		/* Of the others the search has just said that they are there. */
		if (r == -ENOENT && stack.count == 0)
			r = 0;
	}
	free(stack.ids);
	return r;
}

int btrfs_subvol_destroy_tree(int fsfd, uint64_t id)
{
	/* Most have nothing below them: one call, no search. */
	int r = btrfs_subvol_destroy_id(fsfd, id);

	if (r == -ENOTEMPTY)
		return destroy_with_children(fsfd, id);
	return r == -ENOENT ? 0 : r;
}

struct backref {
	uint64_t parent;
	uint64_t dir;
	char name[BTRFS_SUBVOL_NAME_MAX + 1];
	bool found;
};

static int take_backref(void *data, const struct tree_key *key, const void *item, size_t len)
{
	struct btrfs_root_ref ref;
	struct backref *b = data;
	size_t name_len;

	if (len < sizeof(ref))
		return -EIO;
	memcpy(&ref, item, sizeof(ref));
	name_len = le16toh(ref.name_len);
	if (name_len > len - sizeof(ref) || name_len >= sizeof(b->name))
		return -EIO;
	memcpy(b->name, (const char *)item + sizeof(ref), name_len);
	b->name[name_len] = '\0';
	b->parent = key->offset;
	b->dir = le64toh(ref.dirid);
	b->found = true;
	return 1;
}

/* Put "FOLDER/NAME" of the subvolume ID in front of PATH; ID becomes the one around it. */
static int prepend_parent(int fsfd, uint64_t *id, struct buf *path)
{
	struct btrfs_ioctl_ino_lookup_args args = { 0 };
	struct backref b = { 0 };
	struct buf next = BUF_INIT;
	int r;

	r = btrfs_search(fsfd, BTRFS_ROOT_TREE_OBJECTID,
			 (struct tree_key){ *id, BTRFS_ROOT_BACKREF_KEY, 0 },
			 (struct tree_key){ *id, BTRFS_ROOT_BACKREF_KEY, UINT64_MAX },
			 take_backref, &b);
	if (r < 0)
		return r;
	if (!b.found)
		return -ENOENT;
	args.treeid = b.parent;
	args.objectid = b.dir;
	/* The top folder of a subvolume has no name in it. */
	if (b.dir != BTRFS_FIRST_FREE_OBJECTID) {
		r = ioctl_errno(fsfd, BTRFS_IOC_INO_LOOKUP, &args);
		if (r < 0)
			return r;
	}
	/* INO_LOOKUP ends its answer with a slash. */
	buf_addf(&next, "%.*s%s%s%s", (int)sizeof(args.name), args.name, b.name,
		 path->len ? "/" : "", buf_str(path));
	buf_done(path);
	*path = next;
	*id = b.parent;
	return 0;
}

int btrfs_subvol_path(int fsfd, uint64_t id, char **ret_path)
{
	struct buf path = BUF_INIT;
	int r = 0;

	for (int depth = 0; id != BTRFS_FS_TREE_OBJECTID && r == 0; depth++)
		r = depth < DEPTH_MAX ? prepend_parent(fsfd, &id, &path) : -ELOOP;
	if (r < 0) {
		buf_done(&path);
		return r;
	}
	*ret_path = path.data ? buf_take(&path) : xstrdup("");
	return 0;
}
