/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs_private.h"

#include "base/alloc.h"
#include "libformat/zfs/zap.h"

#include <string.h>

enum { VOLUME_DATA = 1, VOLUME_PROPERTIES = 2 };

static int on_object(void *data, const struct zstream_object *object, struct err *e)
{
	(void)data;
	(void)object;
	(void)e;
	return 0;
}

static int on_free(void *data, uint64_t object, uint64_t offset, uint64_t len, struct err *e)
{
	struct zfs *z = data;

	return object == VOLUME_DATA ? disk_punch(&z->disk, offset, len, e) : 0;
}

static int on_free_objects(void *data, uint64_t first, uint64_t count, struct err *e)
{
	bool all = first <= VOLUME_DATA && VOLUME_DATA - first < count;

	return all ? on_free(data, VOLUME_DATA, 0, ZSTREAM_TO_END, e) : 0;
}

static int take_size(void *data, const struct zap_entry *entry, struct err *e)
{
	struct zfs *z = data;

	(void)e;
	if (strcmp(entry->name, "size") == 0)
		z->disk_size = zap_number(entry);
	return 0;
}

static int on_write(void *data, uint64_t object, uint64_t offset, const void *block, size_t len,
		    struct err *e)
{
	struct zfs *z = data;

	if (object == VOLUME_DATA)
		return disk_write(&z->disk, offset, block, len, e);
	if (object == VOLUME_PROPERTIES && offset == 0)
		return zap_each_micro(block, len, z->head.big, take_size, z, e);
	return 0;
}

static int on_copy(void *data, uint64_t object, uint64_t offset, uint64_t len, uint64_t from,
		   uint64_t from_offset, struct err *e)
{
	struct zfs *z = data;
	cleanup_free char *block = xmalloc(len);
	int r;

	if (object != VOLUME_DATA || from != VOLUME_DATA)
		return 0;
	r = disk_read(&z->disk, from_offset, block, len, e);
	return r < 0 ? r : disk_write(&z->disk, offset, block, len, e);
}

static int on_spill(void *data, uint64_t object, const void *block, size_t len, struct err *e)
{
	(void)block;
	(void)len;
	(void)object;
	(void)e;
	(void)data;
	return 0;
}

const struct zstream_ops zfs_volume_ops = {
	.begin = zfs_begin,
	.object = on_object,
	.free_objects = on_free_objects,
	.write = on_write,
	.copy = on_copy,
	.free = on_free,
	.spill = on_spill,
};

int zfs_begin_volume(struct zfs *z, struct err *e)
{
	return disk_open(z->rootfd, z->in->basefd >= 0, z->limits, &z->disk, e);
}

int zfs_end_volume(struct zfs *z, struct err *e)
{
	int r;

	if (z->disk_size == 0 && z->in->basefd < 0)
		return err_set(e, -EINVAL,
			       "the ZFS stream does not tell the size of its volume");
	r = disk_finish(&z->disk, z->disk_size ? z->disk_size : z->disk.high, &z->counts, e);
	return r < 0 ? r : zfs_save_guid(z->in->statefd, &z->head, e);
}
