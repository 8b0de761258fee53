/* SPDX-License-Identifier: MIT */
#include "libstore/pool.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define TRIES 64 /* others take the number that we were given, too */

bool store_pool_is_mounted(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) < 0)
		return false;
	return (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int configure(int loopfd, int fd, const char *path)
{
	struct loop_config config = {
		.fd = (uint32_t)fd,
		.block_size = 0,
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO },
	};

	(void)snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s",
		       path);
	if (ioctl(loopfd, LOOP_CONFIGURE, &config) == 0)
		return 0;
	/* Not every file system below can do direct I/O. */
	if (errno == EINVAL || errno == EOPNOTSUPP) {
		config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
		if (ioctl(loopfd, LOOP_CONFIGURE, &config) == 0)
			return 0;
	}
	return -errno;
}

int store_loop_attach(int fd, const char *path, int *ret_fd, char ret_name[static 32],
		      struct err *e)
{
	cleanup_close int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r = -EBUSY;

	if (control < 0)
		return err_sys(e, "cannot open '/dev/loop-control'");
	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		int loopfd;

		if (number < 0)
			return err_sys(e, "no loop device is free");
		(void)snprintf(ret_name, 32, "/dev/loop%d", number);
		loopfd = open(ret_name, O_RDWR | O_CLOEXEC);
		if (loopfd < 0)
			return err_sys(e, "cannot open '%s'", ret_name);
		r = configure(loopfd, fd, path);
		if (r == 0) {
			*ret_fd = loopfd;
			return 0;
		}
		(void)close(loopfd);
	}
	errno = -r;
	return err_sys(e, "cannot attach '%s' to a loop device", path);
}
