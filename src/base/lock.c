/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include "base/clock.h"

#include <fcntl.h>
#include <sys/stat.h>

#define RETRY_MAX_MS 20

static int apply(int fd, int cmd, enum lock_mode mode)
{
	struct flock fl = {
		.l_type = mode == LOCK_SHARED ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};
	int r;

	do
		r = fcntl(fd, cmd, &fl);
	while (r < 0 && errno == EINTR && cmd == F_OFD_SETLKW);
	return r < 0 ? -errno : 0;
}

/* The kernel has no timed wait for these locks: ask again, ever less often. */
static int wait_for(int fd, enum lock_mode mode, int wait_ms)
{
	int64_t end = clock_deadline(wait_ms);
	int pause = 1;

	for (;;) {
		int r = apply(fd, F_OFD_SETLK, mode);
		int left = clock_left_ms(end);

		if (r != -EAGAIN && r != -EACCES)
			return r;
		if (left == 0)
			return -EBUSY;
		clock_sleep_ms(pause < left ? pause : left);
		pause = pause * 2 < RETRY_MAX_MS ? pause * 2 : RETRY_MAX_MS;
	}
}

int lock_take(int dirfd, const char *name, enum lock_mode mode, int wait_ms, struct err *e)
{
	cleanup_close int fd = -1;
	int r;

	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "cannot open the lock '%s'", name);

	r = wait_ms < 0 ? apply(fd, F_OFD_SETLKW, mode) : wait_for(fd, mode, wait_ms);
	if (r == -EBUSY)
		return err_set(e, r, "'%s' is locked by another process", name);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot lock '%s'", name);
	}
	return take_fd(fd);
}
