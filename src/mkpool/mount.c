/* SPDX-License-Identifier: MIT */
/*
 * mount.c - the pool's mount point, and what is remembered of the pool.
 */
#include "mkpool/mkpool.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libstore/pool.h"
#include "libstore/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define POOL_JSON     "pool.json"
#define POOL_JSON_MAX 65536

static bool is_empty(int fd)
{
	cleanup_close int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return false;
	copy = -1;
	while ((entry = readdir(dir)))
		count++;
	(void)closedir(dir);
	return count <= 2; /* "." and ".." */
}

int mkpool_open_target(const struct mkpool *m, bool *ret_mounted, struct err *e)
{
	int fd = host_dir(&m->host, HOST_POOL, 0755, e);

	if (fd < 0)
		return fd;
	*ret_mounted = store_pool_is_mounted(fd);
	if (*ret_mounted || is_empty(fd))
		return fd;
	(void)close(fd);
	return err_set(e, -ENOTEMPTY,
		       "'%s/" HOST_POOL "' is not empty; the pool would hide what is in it",
		       m->host.root);
}

static struct jv *describe(const struct mkpool *m)
{
	struct jv *v = jv_object();
	struct jv *list;

	if (m->file) {
		jv_set(v, "file", jv_string(m->file));
		return v;
	}
	list = jv_array();
	for (size_t i = 0; i < m->device_count; i++)
		jv_push(list, jv_string(m->devices[i]));
	jv_set(v, "devices", list);
	return v;
}

static int load_pool_json(const struct host *h, struct jv **ret, struct err *e)
{
	cleanup_close int fd = host_dir_existing(h, HOST_ETC, e);

	return fd < 0 ? fd : jv_load(fd, POOL_JSON, POOL_JSON_MAX, ret, e);
}

bool mkpool_is_same(const struct mkpool *m)
{
	cleanup_jv struct jv *known = NULL;
	cleanup_jv struct jv *asked = describe(m);

	return load_pool_json(&m->host, &known, NULL) == 0 && jv_equal(known, asked);
}

static int remember(const struct mkpool *m, struct err *e)
{
	cleanup_close int fd = host_dir(&m->host, HOST_ETC, 0755, e);
	cleanup_jv struct jv *v = describe(m);

	return fd < 0 ? fd : jv_store(fd, POOL_JSON, v, e);
}

static int attach(const struct mkpool *m, int *ret_loopfd, char ret_name[static 32],
		  struct err *e)
{
	cleanup_close int fd = open(m->file, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", m->file);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "'%s' is not a regular file", m->file);
	return store_loop_attach(fd, m->file, ret_loopfd, ret_name, e);
}

static void tell(struct mkpool *m, int poolfd, bool quota)
{
	cleanup_store struct store *s = NULL;
	uint64_t total = 0, avail = 0;

	if (store_open(poolfd, &s, NULL) == 0 && store_space(s, &total, &avail, NULL) == 0) {
		jv_set(m->answer, "size", jv_int((int64_t)total));
		jv_set(m->answer, "free", jv_int((int64_t)avail));
		jv_set(m->answer, "driver", jv_string(store_driver(s)));
	}
	jv_set(m->answer, "quota", jv_bool(quota));
}

static int settle(struct mkpool *m, const char *target, struct err *e)
{
	cleanup_close int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool quota = false;
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", target);
	r = store_pool_prepare(fd, &quota, e);
	if (r == 0)
		r = remember(m, e);
	if (r == 0)
		tell(m, fd, quota);
	return r;
}

int mkpool_bring_up(struct mkpool *m, struct err *e)
{
	cleanup_free char *target = xasprintf("%s/" HOST_POOL, m->host.root);
	cleanup_close int loopfd = -1;
	char loop[32];
	const char *loop_name = loop;
	int r;

	if (m->file) {
		r = attach(m, &loopfd, loop, e);
		if (r < 0)
			return r;
	}
	r = store_pool_mount(m->file ? &loop_name : m->devices, m->file ? 1 : m->device_count,
			     target, e);
	if (r < 0)
		return r;
	r = settle(m, target, e);
	if (r < 0)
		goto undo_mount;
	return 0;

undo_mount:
	(void)umount2(target, 0);
	return r;
}

/* Take over from pool.json what the command line did not say. */
static int recall(struct mkpool *m, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const char *file;
	struct jv *list;
	int r = load_pool_json(&m->host, &v, e);

	if (r == -ENOENT)
		return err_set(e, r,
			       "no pool is known here ('%s/" HOST_ETC "/" POOL_JSON
			       "'); give --file FILE or a device",
			       m->host.root);
	if (r < 0)
		return r;
	file = jv_get_string(v, "file");
	list = jv_get(v, "devices");
	if (file) {
		m->file = xstrdup(file);
		return 0;
	}
	for (size_t i = 0; i < jv_len(list) && i < MKPOOL_DEVICES_MAX; i++) {
		if (!jv_as_string(jv_at(list, i)))
			break;
		m->devices[m->device_count++] = xstrdup(jv_as_string(jv_at(list, i)));
	}
	if (m->device_count == 0)
		return err_set(e, -EINVAL,
			       "'%s/" HOST_ETC "/" POOL_JSON
			       "' names neither a file nor devices",
			       m->host.root);
	return 0;
}

int mkpool_mount(struct mkpool *m, struct err *e)
{
	bool given = m->file || m->device_count;
	cleanup_close int fd = -1;
	bool mounted;
	int r;

	r = given ? 0 : recall(m, e);
	if (r < 0)
		return r;
	fd = mkpool_open_target(m, &mounted, e);
	if (fd < 0)
		return fd;
	jv_set(m->answer, "changed", jv_bool(!mounted));
	if (mounted && !mkpool_is_same(m))
		return err_set(e, -EBUSY, "another pool is mounted at '%s/" HOST_POOL "'",
			       m->host.root);
	if (mounted) {
		tell(m, fd, true);
		mkpool_say(m, "the pool is mounted already");
		return 0;
	}
	r = mkpool_bring_up(m, e);
	if (r == 0)
		mkpool_say(m, "mounted the pool at %s/" HOST_POOL, m->host.root);
	return r;
}

int mkpool_unmount(struct mkpool *m, struct err *e)
{
	cleanup_free char *target = xasprintf("%s/" HOST_POOL, m->host.root);
	int fd = host_dir_existing(&m->host, HOST_POOL, e);
	bool mounted;
	int r;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	mounted = fd >= 0 && store_pool_is_mounted(fd);
	close_p(&fd);
	jv_set(m->answer, "changed", jv_bool(mounted));
	if (!mounted) {
		mkpool_say(m, "the pool is not mounted");
		return 0;
	}
	r = mkpool_check_no_vm_runs(&m->host, e);
	if (r < 0)
		return r;
	if (umount2(target, UMOUNT_NOFOLLOW) < 0)
		return errno == EBUSY ? err_set(e, -EBUSY, "'%s' is in use", target)
				      : err_sys(e, "cannot unmount '%s'", target);
	mkpool_say(m, "unmounted the pool");
	return 0;
}
