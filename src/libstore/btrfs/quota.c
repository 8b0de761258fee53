/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/quota.h"

#include "base/alloc.h"

#include <endian.h>
#include <string.h>
#include <sys/ioctl.h>

#define LEVEL_1 (1ULL << BTRFS_QGROUP_LEVEL_SHIFT)

static int take_status(void *data, const struct tree_key *key ATTR_UNUSED, const void *item,
		       size_t len)
{
	struct btrfs_qgroup_status_item status = { 0 };

	memcpy(&status, item, len < sizeof(status) ? len : sizeof(status));
	*(uint64_t *)data = le64toh(status.flags);
	return 0;
}

int quota_mode(int fsfd)
{
	const struct tree_key key = { 0, BTRFS_QGROUP_STATUS_KEY, 0 };
	uint64_t flags = 0;
	int r;

	/* No quota tree is -ENOENT: no quotas. All else must not look as if there were none. */
	r = btrfs_search(fsfd, BTRFS_QUOTA_TREE_OBJECTID, key, key, take_status, &flags);
	if (r < 0)
		return r == -ENOENT ? QUOTA_NONE : r;
	if (!(flags & BTRFS_QGROUP_STATUS_FLAG_ON))
		return QUOTA_NONE;
	if (flags & BTRFS_QGROUP_STATUS_FLAG_SIMPLE_MODE)
		return QUOTA_SIMPLE;
	if (flags & (BTRFS_QGROUP_STATUS_FLAG_INCONSISTENT | BTRFS_QGROUP_STATUS_FLAG_RESCAN))
		return QUOTA_INCONSISTENT;
	return QUOTA_FULL;
}

/* FNV-1a, folded into the 48 bits that a group's number has. */
uint64_t quota_group(const char *vm)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *vm; vm++)
		hash = (hash ^ (uint8_t)*vm) * 0x100000001b3ULL;
	return LEVEL_1 | ((hash ^ (hash >> 48)) & (LEVEL_1 - 1));
}

int quota_group_create(int fsfd, uint64_t group)
{
	struct btrfs_ioctl_qgroup_create_args args = { .create = 1, .qgroupid = group };

	if (ioctl(fsfd, BTRFS_IOC_QGROUP_CREATE, &args) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

int quota_group_set_limit(int fsfd, uint64_t group, enum quota_mode mode, uint64_t bytes)
{
	struct btrfs_ioctl_qgroup_limit_args args = { .qgroupid = group };
	uint64_t limit = bytes ? bytes : UINT64_MAX; /* all ones takes a limit away */

	if (mode == QUOTA_SIMPLE) {
		args.lim.flags = BTRFS_QGROUP_LIMIT_MAX_RFER;
		args.lim.max_rfer = limit;
	} else {
		args.lim.flags = BTRFS_QGROUP_LIMIT_MAX_EXCL;
		args.lim.max_excl = limit;
	}
	return ioctl(fsfd, BTRFS_IOC_QGROUP_LIMIT, &args) < 0 ? -errno : 0;
}

static int assign(int fsfd, uint64_t group, uint64_t subvol_id, bool member)
{
	struct btrfs_ioctl_qgroup_assign_args args = {
		.assign = member,
		.src = subvol_id,
		.dst = group,
	};

	return ioctl(fsfd, BTRFS_IOC_QGROUP_ASSIGN, &args) < 0 ? -errno : 0;
}

int quota_group_add(int fsfd, uint64_t group, uint64_t subvol_id)
{
	int r = assign(fsfd, group, subvol_id, true);

	return r == -EEXIST ? 0 : r;
}

static int found(void *data ATTR_UNUSED, const struct tree_key *key ATTR_UNUSED,
		 const void *item ATTR_UNUSED, size_t len ATTR_UNUSED)
{
	return 1;
}

bool quota_group_has(int fsfd, uint64_t group, uint64_t subvol_id)
{
	const struct tree_key key = { subvol_id, BTRFS_QGROUP_RELATION_KEY, group };

	return btrfs_search(fsfd, BTRFS_QUOTA_TREE_OBJECTID, key, key, found, NULL) == 1;
}

struct numbers {
	enum quota_mode mode;
	uint64_t used;
	uint64_t limit;
	bool seen;
};

static int take_info(void *data, const struct tree_key *key ATTR_UNUSED, const void *item,
		     size_t len)
{
	struct btrfs_qgroup_info_item info;
	struct numbers *n = data;

	if (len < sizeof(info))
		return -EIO;
	memcpy(&info, item, sizeof(info));
	n->used = le64toh(n->mode == QUOTA_SIMPLE ? info.rfer : info.excl);
	n->seen = true;
	return 0;
}

static int take_limit(void *data, const struct tree_key *key ATTR_UNUSED, const void *item,
		      size_t len)
{
	struct btrfs_qgroup_limit_item limit;
	struct numbers *n = data;
	bool simple = n->mode == QUOTA_SIMPLE;

	if (len < sizeof(limit))
		return -EIO;
	memcpy(&limit, item, sizeof(limit));
	if (le64toh(limit.flags) &
	    (simple ? BTRFS_QGROUP_LIMIT_MAX_RFER : BTRFS_QGROUP_LIMIT_MAX_EXCL))
		n->limit = le64toh(simple ? limit.max_rfer : limit.max_excl);
	return 0;
}

int quota_group_usage(int fsfd, uint64_t group, enum quota_mode mode, uint64_t *ret_used,
		      uint64_t *ret_limit)
{
	const struct tree_key info = { 0, BTRFS_QGROUP_INFO_KEY, group };
	const struct tree_key limit = { 0, BTRFS_QGROUP_LIMIT_KEY, group };
	struct numbers n = { .mode = mode };
	int r;

	r = btrfs_search(fsfd, BTRFS_QUOTA_TREE_OBJECTID, info, info, take_info, &n);
	if (r == 0)
		r = btrfs_search(fsfd, BTRFS_QUOTA_TREE_OBJECTID, limit, limit, take_limit, &n);
	if (r < 0)
		return r;
	if (!n.seen)
		return -ENOENT;
	*ret_used = n.used;
	*ret_limit = n.limit;
	return 0;
}

struct ids {
	uint64_t *ids;
	size_t count;
};

static int add_offset(void *data, const struct tree_key *key, const void *item ATTR_UNUSED,
		      size_t len ATTR_UNUSED)
{
	struct ids *ids = data;

	ids->ids = xrealloc_array(ids->ids, ids->count + 1, sizeof(*ids->ids));
	ids->ids[ids->count++] = key->offset;
	return 0;
}

static int group_remove(int fsfd, uint64_t group)
{
	struct btrfs_ioctl_qgroup_create_args args = { .create = 0, .qgroupid = group };

	if (ioctl(fsfd, BTRFS_IOC_QGROUP_CREATE, &args) < 0)
		return errno == ENOENT || errno == ENOTCONN ? 0 : -errno;
	return 0;
}

int quota_group_destroy(int fsfd, uint64_t group)
{
	struct ids members = { 0 };
	int r;

	r = btrfs_search(fsfd, BTRFS_QUOTA_TREE_OBJECTID,
			 (struct tree_key){ group, BTRFS_QGROUP_RELATION_KEY, 0 },
			 (struct tree_key){ group, BTRFS_QGROUP_RELATION_KEY, UINT64_MAX },
			 add_offset, &members);
	for (size_t i = 0; r == 0 && i < members.count; i++)
		r = assign(fsfd, group, members.ids[i], false);
	free(members.ids);
	if (r < 0 && r != -ENOENT)
		return r;
	return group_remove(fsfd, group);
}

void quota_sweep(int fsfd)
{
	struct ids groups = { 0 };

	(void)btrfs_search(
		fsfd, BTRFS_QUOTA_TREE_OBJECTID,
		(struct tree_key){ 0, BTRFS_QGROUP_INFO_KEY, BTRFS_FIRST_FREE_OBJECTID },
		(struct tree_key){ 0, BTRFS_QGROUP_INFO_KEY, LEVEL_1 - 1 }, add_offset,
		&groups);
	for (size_t i = 0; i < groups.count; i++) {
		const struct tree_key min = { groups.ids[i], BTRFS_ROOT_ITEM_KEY, 0 };
		const struct tree_key max = { groups.ids[i], BTRFS_ROOT_ITEM_KEY, UINT64_MAX };

		/* Still there, or going: the kernel refuses what is not ours to take. */
		if (btrfs_search(fsfd, BTRFS_ROOT_TREE_OBJECTID, min, max, found, NULL) == 0)
			(void)group_remove(fsfd, groups.ids[i]);
	}
	free(groups.ids);
}
