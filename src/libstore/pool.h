/* SPDX-License-Identifier: MIT */
/*
 * pool.h - make and mount a pool. Only mkpool calls this.
 *
 * The driver is btrfs. What docs/image.md section 4 says of the pool's layout
 * is made here; the platform adds its own subvolumes below system/.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_POOL_LABEL "zones"
#define STORE_POOL_MIN   ((uint64_t)256 << 20) /* bytes; less does not hold an image */

/*
 * Write a new file system to DEVICES (COUNT of them: files or block devices,
 * absolute paths). All that they held is lost. Two or more keep data twice.
 */
ATTR_MUST_CHECK int store_pool_format(const char *const devices[], size_t count, struct err *e);

/*
 * Mount the pool on DEVICES (COUNT of them) at the folder TARGET: noatime, without
 * device nodes, and by its top whatever its default subvolume is. All are named
 * to the kernel, which need not have seen them before.
 */
ATTR_MUST_CHECK int store_pool_mount(const char *const devices[], size_t count,
				     const char *target, struct err *e);

/*
 * Make the folders of a new pool and turn counting on. *RET_QUOTA tells whether
 * it counts what each VM holds: false on kernels before 6.7.
 */
ATTR_MUST_CHECK int store_pool_prepare(int poolfd, bool *ret_quota, struct err *e);

/* Is FD the top of a mounted file system (and not just a folder)? */
bool store_pool_is_mounted(int fd);

/*
 * Attach the file FD to a free loop device, which detaches itself with its last
 * user: keep *RET_FD open until the mount. RET_NAME gets "/dev/loopN".
 */
ATTR_MUST_CHECK int store_loop_attach(int fd, const char *path, int *ret_fd,
				      char ret_name[static 32], struct err *e);
