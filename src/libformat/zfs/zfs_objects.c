/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs_private.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OBJECTS_MAX    ((size_t)2 << 20)
#define FIRST_CAP      ((size_t)1 << 12)
#define TABLE_DATA_MAX ((uint64_t)1 << 30) /* of a folder, or of a table of ZFS's own */

/* ---- the table ------------------------------------------------------------ */

static size_t slot_of(const struct zfs *z, uint64_t number)
{
	size_t i = (size_t)(number * 0x9e3779b97f4a7c15ULL >> 20) & (z->table_cap - 1);

	while (z->table[i].number && z->table[i].number != number)
		i = (i + 1) & (z->table_cap - 1);
	return i;
}

struct zfs_object *zfs_find(const struct zfs *z, uint64_t number)
{
	struct zfs_object *o = z->table_cap && number ? &z->table[slot_of(z, number)] : NULL;

	return o && o->number && o->live ? o : NULL;
}

static void grow(struct zfs *z)
{
	struct zfs_object *old = z->table;
	size_t old_cap = z->table_cap;

	z->table_cap = old_cap ? 2 * old_cap : FIRST_CAP;
	z->table = xcalloc(z->table_cap, sizeof(*z->table));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].number)
			z->table[slot_of(z, old[i].number)] = old[i];
	free(old);
}

/* The object's slot, live or not; NULL with -E2BIG. */
static struct zfs_object *take_slot(struct zfs *z, uint64_t number, struct err *e)
{
	struct zfs_object *o;

	if (4 * (z->table_used + 1) > 3 * z->table_cap)
		grow(z);
	o = &z->table[slot_of(z, number)];
	if (!o->number) {
		if (z->table_used >= OBJECTS_MAX || z->table_used >= z->limits->entries) {
			(void)err_set(e, -E2BIG, "the ZFS stream has more than %zu objects",
				      z->table_used);
			return NULL;
		}
		o->number = number;
		z->table_used++;
	}
	if (number > z->highest)
		z->highest = number;
	return o;
}

/* ---- their data ----------------------------------------------------------- */

int zfs_count(struct zfs *z, uint64_t bytes, struct err *e)
{
	z->counts.bytes += bytes;
	if (z->counts.bytes <= z->limits->bytes)
		return 0;
	return err_set(e, -EFBIG, "the ZFS stream holds more than %llu bytes",
		       (unsigned long long)z->limits->bytes);
}

void zfs_data_name(uint64_t number, char ret[static 32])
{
	(void)snprintf(ret, 32, "%llu", (unsigned long long)number);
}

void zfs_close_data(struct zfs *z)
{
	close_p(&z->datafd);
	z->datafd = -1;
	z->data_of = 0;
}

int zfs_open_data(struct zfs *z, struct zfs_object *o, struct err *e)
{
	struct stat st;
	char name[32];

	if (z->datafd >= 0 && z->data_of == o->number)
		return z->datafd;
	zfs_close_data(z);
	zfs_data_name(o->number, name);
	z->datafd = openat(z->stagefd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (z->datafd < 0 || fstat(z->datafd, &st) < 0)
		return err_sys(e, "cannot open the file of object %s", name);
	o->has_data = true;
	z->data_of = o->number;
	z->data_size = (uint64_t)st.st_size;
	return z->datafd;
}

static int drop_data(struct zfs *z, struct zfs_object *o, struct err *e)
{
	char name[32];

	if (!o->has_data)
		return 0;
	if (z->data_of == o->number)
		zfs_close_data(z);
	zfs_data_name(o->number, name);
	if (unlinkat(z->stagefd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the file of object %s", name);
	o->has_data = false;
	return 0;
}

static int write_at(int fd, uint64_t offset, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write an object's data");
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- metadata ------------------------------------------------------------- */

static int keep_meta(struct zfs *z, const void *data, size_t len, uint64_t *ret_at,
		     struct err *e)
{
	int r = zfs_count(z, len, e);

	if (r == 0)
		r = write_at(z->metafd, z->meta_len, data, len, e);
	*ret_at = z->meta_len;
	z->meta_len += len;
	return r;
}

int zfs_read_meta(struct zfs *z, uint64_t at, void *data, size_t len, struct err *e)
{
	if (pread(z->metafd, data, len, (off_t)at) == (ssize_t)len)
		return 0;
	return err_set(e, -EIO, "cannot read back an object's attributes");
}

/* ---- records -------------------------------------------------------------- */

static int unknown(uint64_t object, struct err *e)
{
	return err_set(e, -EINVAL,
		       "the ZFS stream has data for object %llu, which it has not "
		       "begun",
		       (unsigned long long)object);
}

static int on_object(void *data, const struct zstream_object *object, struct err *e)
{
	struct zfs *z = data;
	struct zfs_object *o = take_slot(z, object->number, e);
	int r = 0;

	if (!o)
		return -E2BIG;
	/* The same object with another face is another one: nothing of the old stays. */
	if (!o->live || o->type != object->type || o->block_size != object->block_size) {
		r = drop_data(z, o, e);
		o->spill_len = 0;
	}
	o->live = true;
	o->type = object->type;
	o->block_size = object->block_size;
	o->bonus_len = (uint16_t)object->bonus_len;
	o->bonus_type = object->bonus_type <= UINT8_MAX ? (uint8_t)object->bonus_type : 0;
	if (!object->has_spill)
		o->spill_len = 0;
	return r < 0 ? r : keep_meta(z, object->bonus, o->bonus_len, &o->bonus_at, e);
}

static int free_object(struct zfs *z, struct zfs_object *o, struct err *e)
{
	o->live = false;
	o->spill_len = 0;
	return drop_data(z, o, e);
}

static int on_free_objects(void *data, uint64_t first, uint64_t count, struct err *e)
{
	struct zfs *z = data;
	int r = 0;

	if (first > z->highest)
		return 0;
	if (count > z->highest - first + 1)
		count = z->highest - first + 1;
	for (uint64_t i = 0; r == 0 && count < z->table_cap && i < count; i++) {
		struct zfs_object *o = zfs_find(z, first + i);

		r = o ? free_object(z, o, e) : 0;
	}
	for (size_t i = 0; r == 0 && count >= z->table_cap && i < z->table_cap; i++)
		if (z->table[i].live && z->table[i].number - first < count)
			r = free_object(z, &z->table[i], e);
	return r;
}

static int on_write(void *data, uint64_t object, uint64_t offset, const void *block, size_t len,
		    struct err *e)
{
	struct zfs *z = data;
	struct zfs_object *o = zfs_find(z, object);
	uint64_t max = z->limits->bytes;
	int r;

	if (!o)
		return unknown(object, e);
	if (o->type != ZFS_PLAIN_FILE && max > TABLE_DATA_MAX)
		max = TABLE_DATA_MAX;
	if (offset > max || len > max - offset)
		return err_set(e, -EFBIG,
			       "object %llu of the ZFS stream is larger than %llu bytes",
			       (unsigned long long)object, (unsigned long long)max);
	r = zfs_count(z, len, e);
	if (r == 0)
		r = zfs_open_data(z, o, e);
	if (r >= 0)
		r = write_at(z->datafd, offset, block, len, e);
	if (r == 0 && offset + len > z->data_size)
		z->data_size = offset + len;
	return r;
}

static int on_copy(void *data, uint64_t object, uint64_t offset, uint64_t len, uint64_t from,
		   uint64_t from_offset, struct err *e)
{
	struct zfs *z = data;
	struct zfs_object *o = zfs_find(z, from);
	cleanup_free char *block = xcalloc(1, len);
	int r;

	if (!o)
		return unknown(from, e);
	r = zfs_open_data(z, o, e);
	if (r < 0)
		return r;
	if (pread(r, block, len, (off_t)from_offset) < 0)
		return err_sys(e, "cannot read an object's data");
	return on_write(data, object, offset, block, len, e);
}

static int on_free(void *data, uint64_t object, uint64_t offset, uint64_t len, struct err *e)
{
	struct zfs *z = data;
	struct zfs_object *o = zfs_find(z, object);
	int r;

	if (!o || !o->has_data)
		return 0;
	r = zfs_open_data(z, o, e);
	if (r < 0)
		return r;
	if (offset >= z->data_size)
		return 0;
	if (len > z->data_size - offset)
		len = z->data_size - offset;
	if (len && fallocate(z->datafd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     (off_t)offset, (off_t)len) < 0)
		return err_sys(e, "cannot make a hole in an object's data");
	return 0;
}

static int on_spill(void *data, uint64_t object, const void *block, size_t len, struct err *e)
{
	struct zfs *z = data;
	struct zfs_object *o = zfs_find(z, object);

	if (!o)
		return unknown(object, e);
	if (len > ZFS_META_MAX)
		return err_set(e, -ERANGE,
			       "object %llu of the ZFS stream has %zu bytes of attributes",
			       (unsigned long long)object, len);
	o->spill_len = (uint32_t)len;
	return keep_meta(z, block, len, &o->spill_at, e);
}

const struct zstream_ops zfs_object_ops = {
	.begin = zfs_begin,
	.object = on_object,
	.free_objects = on_free_objects,
	.write = on_write,
	.copy = on_copy,
	.free = on_free,
	.spill = on_spill,
};
