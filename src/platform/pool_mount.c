/* SPDX-License-Identifier: MIT */
/*
 * pool_mount.c - /zones, and what of the host lasts in it: docs/image.md 4.
 */
#include "platform/platform.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "libstore/pool.h"
#include "platform/pool_find.h"
#include "platform/seed.h"

#include <btrfsutil.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM    "system"
#define PARTIAL   ".partial"
#define ISSUE     "50-pool.issue"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const struct {
	const char *name;   /* below system/ */
	const char *target; /* below the host's root */
	mode_t mode;        /* of a target that is absent */
} lasting[] = {
	{ "config", "etc/zones", 0755 }, { "dais", "etc/dais", 0755 }, { "opt", "opt", 0755 },
	{ "usbkey", "usbkey", 0700 },    { "var", "var", 0755 },
};

void platform_set_issue(const struct host *h, const char *text)
{
	cleanup_close int fd = -1;

	if (path_mkdir_all(h->fd, "run/issue.d", 0755, NULL) < 0)
		return;
	fd = openat(h->fd, "run/issue.d", DIR_FLAGS);
	if (fd < 0 || file_write_atomic(fd, ISSUE, text, strlen(text), NULL) < 0 ||
	    fchmodat(fd, ISSUE, 0644, 0) < 0)
		log_warning("cannot tell of the pool above the login prompt; ignoring");
}

/* What udev has not finished yet may be a disk. */
static void wait_for_disks(void)
{
	static const char *const argv[] = { "udevadm", "settle", "--timeout=30", NULL };
	struct err e;

	if (pool_disks_may_come("/sys") && proc_run(argv, NULL, &e) < 0)
		log_warning("not all devices are there yet: %s; ignoring", e.msg);
}

/* 1: the pool is mounted. 0: there is none. */
static int mount_top(const struct host *h, struct err *e)
{
	static struct pool_found found;
	const char *devices[POOL_DEVICES_MAX];
	cleanup_free char *target = xasprintf("%s/" HOST_POOL, h->root);
	cleanup_close int fd = host_dir(h, HOST_POOL, 0755, e);
	int r;

	if (fd < 0)
		return fd;
	if (store_pool_is_mounted(fd))
		return 1;
	wait_for_disks();
	r = pool_find(STORE_POOL_LABEL, &found, e);
	if (r == 0)
		r = pool_check(&found, STORE_POOL_LABEL, e);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < found.count; i++)
		devices[i] = found.devices[i];
	r = store_pool_mount(devices, found.count, target, e);
	if (r < 0)
		return r;
	log_info("pool '%s' on %s%s", STORE_POOL_LABEL, found.devices[0],
		 found.count > 1 ? " and others" : "");
	return 1;
}

static int fail_util(enum btrfs_util_error code, const char *what, const char *name,
		     struct err *e)
{
	if (errno == 0)
		errno = EIO;
	return err_sys(e, "cannot %s '%s': %s", what, name, btrfs_util_strerror(code));
}

/* Make the subvolume NAME with what is in SOURCE; it appears whole or not at all. */
static int make_lasting(int systemfd, const char *name, int source, struct err *e)
{
	cleanup_close int fd = -1;
	enum btrfs_util_error code;
	int r;

	/* Left by one that was interrupted. */
	code = btrfs_util_delete_subvolume_fd(systemfd, PARTIAL, 0);
	if (code && errno != ENOENT)
		return fail_util(code, "remove", SYSTEM "/" PARTIAL, e);
	code = btrfs_util_create_subvolume_fd(systemfd, PARTIAL, 0, NULL, NULL);
	if (code)
		return fail_util(code, "make", SYSTEM "/" PARTIAL, e);
	fd = openat(systemfd, PARTIAL, DIR_FLAGS);
	if (fd < 0)
		return err_sys(e, "cannot open '" SYSTEM "/" PARTIAL "'");
	r = seed_copy(source, fd, e);
	if (r < 0)
		return err_wrap(e, r, "cannot fill '" SYSTEM "/%s'", name);
	if (syncfs(fd) < 0)
		return err_sys(e, "cannot write '" SYSTEM "/%s' to disk", name);
	if (renameat(systemfd, PARTIAL, systemfd, name) < 0)
		return err_sys(e, "cannot move '" SYSTEM "/%s' into place", name);
	return 0;
}

static bool is_same(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* Mount the folder SOURCE over TARGET, unless it is there already. */
static int bind(int source, int target, const char *path, struct err *e)
{
	cleanup_free char *from = xasprintf("/proc/self/fd/%d", source);
	cleanup_free char *to = xasprintf("/proc/self/fd/%d", target);

	if (is_same(source, target))
		return 0;
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "cannot mount the pool's folder at '/%s'", path);
	return 0;
}

static int mount_lasting(const struct host *h, int systemfd, size_t i, struct err *e)
{
	cleanup_close int target = host_dir(h, lasting[i].target, lasting[i].mode, e);
	cleanup_close int source = -1;
	int r;

	if (target < 0)
		return target;
	source = openat(systemfd, lasting[i].name, DIR_FLAGS);
	if (source < 0 && errno == ENOENT) {
		r = make_lasting(systemfd, lasting[i].name, target, e);
		if (r < 0)
			return r;
		source = openat(systemfd, lasting[i].name, DIR_FLAGS);
	}
	if (source < 0)
		return err_sys(e, "cannot open '" SYSTEM "/%s'", lasting[i].name);
	return bind(source, target, lasting[i].target, e);
}

/* The host's SSH keys: a folder in usbkey, which is not a subvolume of its own. */
static int mount_keys(const struct host *h, int systemfd, struct err *e)
{
	cleanup_close int target = host_dir(h, "etc/ssh/keys", 0700, e);
	cleanup_close int source = -1;
	int r = target < 0 ? target : path_mkdir_all(systemfd, "usbkey/ssh", 0700, e);

	if (r < 0)
		return r;
	source = openat(systemfd, "usbkey/ssh", DIR_FLAGS);
	if (source < 0)
		return err_sys(e, "cannot open '" SYSTEM "/usbkey/ssh'");
	return bind(source, target, "etc/ssh/keys", e);
}

static int mount_all(const struct host *h, struct err *e)
{
	cleanup_close int pool = host_dir_existing(h, HOST_POOL, e);
	cleanup_close int systemfd = -1;
	int r = pool < 0 ? pool : path_mkdir_all(pool, SYSTEM, 0755, e);

	if (r < 0)
		return r;
	systemfd = openat(pool, SYSTEM, DIR_FLAGS);
	if (systemfd < 0)
		return err_sys(e, "cannot open '" SYSTEM "' in the pool");
	for (size_t i = 0; i < ARRAY_SIZE(lasting); i++) {
		r = mount_lasting(h, systemfd, i, e);
		if (r < 0)
			return r;
	}
	r = mount_keys(h, systemfd, e);
	return r < 0 ? r : platform_keep_password(h, e);
}

int platform_mount_pool(const struct host *h, struct err *e)
{
	cleanup_free char *text = NULL;
	cleanup_close int dir = host_dir(h, HOST_LOCKS, 0700, e);
	cleanup_close int lock = -1;
	int r;

	if (dir < 0)
		return dir;
	/* mkpool holds the same lock until its pool is whole. */
	lock = lock_take(dir, "pool", LOCK_EXCLUSIVE, -1, e);
	if (lock < 0)
		return lock;
	r = mount_top(h, e);
	if (r == 0) {
		log_info("no pool: this host runs in memory ('mkpool DEVICE' makes a pool)");
		platform_set_issue(h, "no pool: this host runs in memory, nothing lasts; "
				      "'mkpool DEVICE' makes one\n\n");
		return 0;
	}
	if (r > 0)
		r = mount_all(h, e);
	text = r < 0 ? xasprintf("the pool is not in use: %s\n\n", e->msg) : xstrdup("");
	platform_set_issue(h, text);
	return r < 0 ? r : 0;
}
