/* SPDX-License-Identifier: MIT */
#include "libstore/btrfs/driver.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libstore/btrfs/ioctl.h"

#include <dirent.h>
#include <string.h>

struct origin {
	uint64_t id;
	uint8_t uuid[BTRFS_UUID_SIZE];
	uint8_t parent_uuid[BTRFS_UUID_SIZE];
};

struct origins {
	struct origin *items;
	size_t count;
};

/* Every live subvolume of the file system, with where it was cloned from. */
static int add_origin(void *data, const struct tree_key *key, const void *item, size_t len)
{
	struct btrfs_root_item root = { 0 };
	struct origins *all = data;
	struct origin *o;

	if (key->objectid < BTRFS_FIRST_FREE_OBJECTID)
		return 0;
	memcpy(&root, item, len < sizeof(root) ? len : sizeof(root));
	if (root.refs == 0) /* destroyed, and being cleaned up */
		return 0;
	all->items = xrealloc_array(all->items, all->count + 1, sizeof(*all->items));
	o = &all->items[all->count++];
	o->id = key->objectid;
	memcpy(o->uuid, root.uuid, sizeof(o->uuid));
	memcpy(o->parent_uuid, root.parent_uuid, sizeof(o->parent_uuid));
	return 0;
}

static int read_origins(int fsfd, struct origins *all)
{
	return btrfs_search(
		fsfd, BTRFS_ROOT_TREE_OBJECTID,
		(struct tree_key){ BTRFS_FIRST_FREE_OBJECTID, BTRFS_ROOT_ITEM_KEY, 0 },
		(struct tree_key){ BTRFS_LAST_FREE_OBJECTID, BTRFS_ROOT_ITEM_KEY, UINT64_MAX },
		add_origin, all);
}

/*
 * The last UUID in the folders of PATH: the VM in "UUID/root", "UUID/snap/X"
 * and, when the pool is itself a subvolume, "zones/UUID/root". False where
 * there is none or it is below images/.
 */
static bool vm_of_path(const char *path, char ret_vm[static UUID_STR])
{
	const char *dir, *slash;
	bool seen = false;

	for (dir = path; (slash = strchr(dir, '/')); dir = slash + 1) {
		size_t len = (size_t)(slash - dir);
		char part[UUID_STR];

		if (len == strlen(IMAGES) && strncmp(dir, IMAGES, len) == 0)
			return false;
		if (seen || len != UUID_LEN)
			continue;
		memcpy(part, dir, UUID_LEN);
		part[UUID_LEN] = '\0';
		if (uuid_is_valid(part)) {
			memcpy(ret_vm, part, UUID_STR);
			seen = true;
		}
	}
	return seen;
}

/* The UUID of image I's subvolume; false when there is no such image. */
static bool image_subvol_uuid(struct store *s, const char *image, uint8_t ret_uuid[static 16])
{
	struct btrfs_subvol sub;
	char path[PATH_SIZE];
	cleanup_close int fd =
		openat(s->poolfd, btrfs_place(path, IMAGES, image, "rootfs"), DIR_FLAGS);

	if (fd < 0 || !btrfs_is_subvol(fd) || btrfs_subvol_info(fd, &sub) < 0)
		return false;
	memcpy(ret_uuid, sub.uuid, sizeof(sub.uuid));
	return true;
}

int btrfs_clones(struct store *s, struct store_clone_of **ret_clones, size_t *ret_count,
		 struct err *e)
{
	cleanup_free struct store_clone_of *list = NULL;
	struct origins all = { 0 };
	size_t count = 0;
	cleanup_close int fd = openat(s->poolfd, IMAGES, DIR_FLAGS);
	DIR *dir = NULL;
	struct dirent *entry;
	int r = 0;

	if (fd >= 0) {
		dir = fdopendir(fd);
		fd = dir ? -1 : fd;
		r = read_origins(s->poolfd, &all);
	}
	while (r == 0 && dir && (r = path_next_entry(dir, &entry, e)) > 0) {
		uint8_t uuid[16];

		r = 0;
		if (!uuid_is_valid(entry->d_name) || !image_subvol_uuid(s, entry->d_name, uuid))
			continue;
		for (size_t i = 0; r == 0 && i < all.count; i++) {
			struct store_clone_of c = { 0 };
			cleanup_free char *path = NULL;

			if (memcmp(all.items[i].parent_uuid, uuid, 16) != 0)
				continue;
			r = btrfs_subvol_path(s->poolfd, all.items[i].id, &path);
			if (r == -ENOENT) { /* destroyed meanwhile */
				r = 0;
				continue;
			}
			if (r < 0 || !vm_of_path(path, c.vm))
				continue;
			memcpy(c.image, entry->d_name, UUID_STR);
			list = xrealloc_array(list, count + 1, sizeof(*list));
			list[count++] = c;
		}
	}
	if (dir)
		(void)closedir(dir);
	free(all.items);
	if (r < 0)
		return btrfs_fail(e, r, "cannot look for the clones of", "images");
	*ret_clones = take_ptr(list);
	*ret_count = count;
	return 0;
}

/* Refuse when something that was cloned from the image is alive, and name it. */
int btrfs_image_check_unused(struct store *s, const char *image, struct err *e)
{
	struct origins all = { 0 };
	uint8_t uuid[16];
	int r;

	if (!image_subvol_uuid(s, image, uuid))
		return 0;
	r = read_origins(s->poolfd, &all);
	if (r < 0)
		r = btrfs_fail(e, r, "cannot look for the clones of image", image);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		cleanup_free char *path = NULL;
		char vm[UUID_STR];

		if (memcmp(all.items[i].parent_uuid, uuid, 16) != 0)
			continue;
		if (btrfs_subvol_path(s->poolfd, all.items[i].id, &path) < 0)
			continue;
		r = vm_of_path(path, vm)
			    ? err_set(e, -EBUSY, "image '%s' is used by VM '%s'", image, vm)
			    : err_set(e, -EBUSY, "image '%s' is used by subvolume '%s'", image,
				      path);
	}
	free(all.items);
	return r;
}
