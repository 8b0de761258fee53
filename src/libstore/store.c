/* SPDX-License-Identifier: MIT */
/*
 * store.c - finds the driver of a pool, checks names, and passes calls on.
 */
#include "libstore/store.h"

#include "base/alloc.h"
#include "libstore/driver.h"
#include "libstore/pool.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

static const struct store_ops *const drivers[] = { &store_btrfs_ops };

/* Names of what people mount by mistake, for the message. */
static const struct {
	long magic;
	const char *name;
} known[] = {
	{ 0xef53, "ext4" },        { 0x58465342, "xfs" },   { 0x01021994, "tmpfs" },
	{ 0x794c7630, "overlay" }, { 0x9123683e, "btrfs" }, { 0x2fc12fc1, "zfs" },
};

static const char *fs_name(long magic)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].magic == magic)
			return known[i].name;
	return "a file system of another kind";
}

int store_open(int poolfd, struct store **ret_store, struct err *e)
{
	struct store *s;
	struct statfs fs;
	int r, fd;

	if (fstatfs(poolfd, &fs) < 0)
		return err_sys(e, "cannot look at the pool");
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (drivers[i]->magic != (long)fs.f_type)
			continue;
		r = drivers[i]->probe(poolfd, e);
		if (r < 0)
			return r;
		fd = fcntl(poolfd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return err_sys(e, "cannot keep the pool open");
		s = xcalloc(1, sizeof(*s));
		s->ops = drivers[i];
		s->poolfd = fd;
		*ret_store = s;
		return 0;
	}
	if (!store_pool_is_mounted(poolfd))
		return err_set(e, -ENOTSUP,
			       "no pool is mounted there, its folder is on %s; "
			       "'mkpool --mount' mounts the one that was made before",
			       fs_name((long)fs.f_type));
	return err_set(e, -ENOTSUP,
		       "the pool is on %s, which is not supported; "
		       "make one with mkpool",
		       fs_name((long)fs.f_type));
}

void store_close(struct store *s)
{
	if (!s)
		return;
	(void)close(s->poolfd);
	free(s);
}

void store_close_p(struct store **s)
{
	store_close(*s);
	*s = NULL;
}

const char *store_driver(const struct store *s)
{
	return s->ops->name;
}

/* Everything below becomes part of a path: this is the one gate. */
static int check_uuid(const char *uuid, const char *what, struct err *e)
{
	if (uuid && uuid_is_valid(uuid))
		return 0;
	return err_set(e, -EINVAL, "'%s' is not the UUID of %s", uuid ? uuid : "", what);
}

int store_image_begin(struct store *s, const char *uuid, const char *origin, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	if (r == 0 && origin)
		r = check_uuid(origin, "an image", e);
	return r < 0 ? r : s->ops->image_begin(s, uuid, origin, e);
}

int store_image_begin_from_vm(struct store *s, const char *uuid, const char *vm, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	if (r == 0)
		r = check_uuid(vm, "a VM", e);
	return r < 0 ? r : s->ops->image_begin_from_vm(s, uuid, vm, e);
}

int store_image_commit(struct store *s, const char *uuid, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	return r < 0 ? r : s->ops->image_commit(s, uuid, e);
}

int store_image_commit_into(struct store *s, const char *uuid, const char *next, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	if (r == 0)
		r = check_uuid(next, "an image", e);
	return r < 0 ? r : s->ops->image_commit_into(s, uuid, next, e);
}

int store_image_abort(struct store *s, const char *uuid, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	return r < 0 ? r : s->ops->image_abort(s, uuid, e);
}

int store_image_destroy(struct store *s, const char *uuid, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	return r < 0 ? r : s->ops->image_destroy(s, uuid, e);
}

int store_image_dir(struct store *s, const char *uuid, bool partial, struct err *e)
{
	int r = check_uuid(uuid, "an image", e);

	return r < 0 ? r : s->ops->image_dir(s, uuid, partial, e);
}

int store_image_partials(struct store *s, char (**ret_uuids)[UUID_STR], size_t *ret_count,
			 struct err *e)
{
	return s->ops->image_partials(s, ret_uuids, ret_count, e);
}

int store_clones(struct store *s, struct store_clone_of **ret_clones, size_t *ret_count,
		 struct err *e)
{
	return s->ops->clones(s, ret_clones, ret_count, e);
}

int store_clone(struct store *s, const char *image, const char *vm, uint64_t quota_bytes,
		bool *ret_quota_holds, struct err *e)
{
	int r = check_uuid(image, "an image", e);

	if (r < 0)
		return r;
	r = check_uuid(vm, "a VM", e);
	return r < 0 ? r : s->ops->clone(s, image, vm, quota_bytes, ret_quota_holds, e);
}

int store_vm_set_quota(struct store *s, const char *vm, uint64_t quota_bytes,
		       bool *ret_quota_holds, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->vm_set_quota(s, vm, quota_bytes, ret_quota_holds, e);
}

int store_vm_usage(struct store *s, const char *vm, uint64_t *ret_used, uint64_t *ret_quota,
		   struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->vm_usage(s, vm, ret_used, ret_quota, e);
}

int store_vm_destroy(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->vm_destroy(s, vm, e);
}

bool store_snapshot_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.:%-";
	size_t len = name ? strspn(name, allowed) : 0;

	return len > 0 && !name[len] && len < STORE_SNAPSHOT_NAME && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static int check_snapshot(const char *vm, const char *name, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	if (r == 0 && !store_snapshot_name_is_valid(name))
		r = err_set(e, -EINVAL, "'%s' is not the name of a snapshot", name ? name : "");
	return r;
}

int store_snapshot_create(struct store *s, const char *vm, const char *name, struct err *e)
{
	int r = check_snapshot(vm, name, e);

	return r < 0 ? r : s->ops->snapshot_create(s, vm, name, e);
}

int store_snapshot_destroy(struct store *s, const char *vm, const char *name, struct err *e)
{
	int r = check_snapshot(vm, name, e);

	return r < 0 ? r : s->ops->snapshot_destroy(s, vm, name, e);
}

int store_next_from_snapshot(struct store *s, const char *vm, const char *name,
			     const char *image, struct err *e)
{
	int r = check_snapshot(vm, name, e);

	if (r == 0)
		r = check_uuid(image, "an image", e);
	return r < 0 ? r : s->ops->next_from_snapshot(s, vm, name, image, e);
}

int store_next_from_vm(struct store *s, const char *vm, const char *other, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	if (r == 0)
		r = check_uuid(other, "a VM", e);
	return r < 0 ? r : s->ops->next_from_vm(s, vm, other, e);
}

int store_next_swap(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->next_swap(s, vm, e);
}

int store_next_end(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->next_end(s, vm, e);
}

int store_data_create(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->data_create(s, vm, e);
}

int store_next_from_image(struct store *s, const char *vm, const char *image, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	if (r == 0)
		r = check_uuid(image, "an image", e);
	return r < 0 ? r : s->ops->next_from_image(s, vm, image, e);
}

int store_snapshot_list(struct store *s, const char *vm, struct store_snapshot **ret_list,
			size_t *ret_count, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->snapshot_list(s, vm, ret_list, ret_count, e);
}

/* A snapshot's name, or what stands for one. */
static int check_source(const char *vm, const char *name, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 || !name || strcmp(name, STORE_SENDING) == 0 ? r
								  : check_snapshot(vm, name, e);
}

int store_has_fs(struct store *s, const char *vm, const char *snapshot, enum store_fs fs,
		 struct err *e)
{
	int r = check_source(vm, snapshot, e);

	return r < 0 ? r : s->ops->has_fs(s, vm, snapshot, fs, e);
}

int store_send_fs(struct store *s, const char *vm, enum store_fs fs, const char *snapshot,
		  const char *base, int outfd, struct err *e)
{
	int r = check_source(vm, snapshot, e);

	if (r == 0)
		r = check_source(vm, base, e);
	return r < 0 ? r : s->ops->send_fs(s, vm, fs, snapshot, base, outfd, e);
}

long store_stream_piece(struct store *s, const void *data, size_t len, bool at_start,
			struct err *e)
{
	return s->ops->stream_piece(data, len, at_start, e);
}

int store_stream_apply(struct store *s, int infd, int rootfd, bool *ret_ended, struct err *e)
{
	return s->ops->stream_apply(infd, rootfd, ret_ended, e);
}

int store_receive_begin(struct store *s, const char *vm, uint64_t quota_bytes,
			bool *ret_quota_holds, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_begin(s, vm, quota_bytes, ret_quota_holds, e);
}

int store_receive_work(struct store *s, const char *vm, enum store_fs fs, const char *base,
		       const struct store_arrival *after, struct err *e)
{
	int r = base ? check_snapshot(vm, base, e) : check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_work(s, vm, fs, base, after, e);
}

int store_receive_keep(struct store *s, const char *vm, const struct store_arrival *a,
		       struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_keep(s, vm, a, e);
}

int store_receive_drop_points(struct store *s, const char *vm, const struct store_arrival *keep,
			      struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_drop_points(s, vm, keep, e);
}

int store_receive_install(struct store *s, const char *vm, const struct store_arrival *a,
			  enum store_fs fs, const char *snapshot, int64_t created_ns,
			  struct err *e)
{
	int r = snapshot ? check_snapshot(vm, snapshot, e) : check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_install(s, vm, a, fs, snapshot, created_ns, e);
}

int store_next_begin(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->next_begin(s, vm, e);
}

int store_send_begin(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->send_begin(s, vm, e);
}

int store_send_end(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->send_end(s, vm, e);
}

int store_receive_end(struct store *s, const char *vm, struct err *e)
{
	int r = check_uuid(vm, "a VM", e);

	return r < 0 ? r : s->ops->receive_end(s, vm, e);
}

int store_sync(struct store *s, struct err *e)
{
	if (syncfs(s->poolfd) < 0)
		return err_sys(e, "cannot write the pool's data to disk");
	return 0;
}

int store_space(struct store *s, uint64_t *ret_total, uint64_t *ret_free, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(s->poolfd, &fs) < 0)
		return err_sys(e, "cannot ask for the pool's size");
	*ret_total = (uint64_t)fs.f_blocks * fs.f_frsize;
	*ret_free = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}
