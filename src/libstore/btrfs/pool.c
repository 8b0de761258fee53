/* SPDX-License-Identifier: MIT */
#include "libstore/pool.h"

#include "base/alloc.h"
#include "base/path.h"
#include "base/proc.h"
#include "libstore/btrfs/driver.h"
#include "libstore/btrfs/quota.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define DEVICES_MAX 64

int store_pool_format(const char *const devices[], size_t count, struct err *e)
{
	const char *argv[DEVICES_MAX + 16] = { "mkfs.btrfs", "-q", "-f", "-L",
					       STORE_POOL_LABEL };
	size_t n = 5;
	int r;

	if (count == 0 || count > DEVICES_MAX)
		return err_set(e, -EINVAL, "a pool has 1 to %d devices", DEVICES_MAX);
	/* One device: metadata once. The default keeps it twice on some, and simple disks lie.
	 */
	argv[n++] = "-d";
	argv[n++] = count > 1 ? "raid1" : "single";
	argv[n++] = "-m";
	argv[n++] = count > 1 ? "raid1" : "dup";
	for (size_t i = 0; i < count; i++)
		argv[n++] = devices[i];
	argv[n] = NULL;
	r = proc_run(argv, NULL, e);
	if (r == -ENOENT)
		return err_set(e, r, "mkfs.btrfs is not installed; install btrfs-progs");
	return r < 0 ? err_wrap(e, r, "cannot make a file system on '%s'", devices[0]) : 0;
}

int store_pool_mount(const char *const devices[], size_t count, const char *target,
		     struct err *e)
{
	cleanup_buf struct buf options = BUF_INIT;

	buf_adds(&options, "subvolid=5");
	for (size_t i = 1; i < count; i++) {
		if (strchr(devices[i], ','))
			return err_set(e, -EINVAL, "the name of '%s' has a comma", devices[i]);
		buf_addf(&options, ",device=%s", devices[i]);
	}
	if (mount(devices[0], target, "btrfs", MS_NOATIME | MS_NODEV, buf_str(&options)) < 0)
		return err_sys(e, "cannot mount '%s' at '%s'", devices[0], target);
	return 0;
}

int store_pool_prepare(int poolfd, bool *ret_quota, struct err *e)
{
	struct btrfs_ioctl_quota_ctl_args args = { .cmd = BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA };
	int r;

	/*
	 * Before anything is written, so that everything is counted. Kernels that
	 * do not know simple quotas refuse; the older kind is not turned on: it
	 * makes each clone and each delete dear, and loses count.
	 */
	if (quota_mode(poolfd) == QUOTA_NONE)
		(void)ioctl(poolfd, BTRFS_IOC_QUOTA_CTL, &args);
	*ret_quota = quota_mode(poolfd) == QUOTA_SIMPLE || quota_mode(poolfd) == QUOTA_FULL;

	if (fchmod(poolfd, 0755) < 0)
		return err_sys(e, "cannot set the mode of the pool's top");
	/* Images hold setuid programs of other worlds: nobody else may reach them. */
	r = path_mkdir_all(poolfd, PARTIAL, 0700, e);
	if (r == 0)
		r = path_mkdir_all(poolfd, "system", 0755, e);
	if (r == 0 && syncfs(poolfd) < 0)
		r = err_sys(e, "cannot write the pool's data to disk");
	return r;
}
