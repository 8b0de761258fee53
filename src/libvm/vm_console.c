/* SPDX-License-Identifier: MIT */
#include "libvm/console.h"

#include "base/lock.h"
#include "libvm/vm.h"
#include "libvm/zoneadmd.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* A supervisor may die while we ask, and the next one: but not for ever. */
#define TRIES 3

static bool has_no_supervisor(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -ECONNRESET ||
	       code == -EPIPE;
}

/* With the lock, so that two who find no supervisor start one, not two. */
static int replace_supervisor(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_close int lock = vm_lock(vh->host, uuid, e);
	cleanup_close int fd = -1;
	bool running;

	if (lock < 0)
		return lock;
	fd = zoneadmd_console(vh->host, uuid, 0, 0, NULL);
	if (fd >= 0)
		return 0;
	return zoneadmd_attach_vm(vh->host, vh->zoneadmd, uuid, &running, e);
}

/* Not while it is rebooted, rolled back or stopped by a command. */
static bool is_left_alone(const struct vm_host *vh, const char *uuid)
{
	cleanup_close int dirfd = host_dir(vh->host, HOST_LOCKS, 0700, NULL);
	cleanup_close int lock = dirfd < 0 ? -1 : lock_take(dirfd, uuid, LOCK_SHARED, 0, NULL);

	return lock != -EBUSY;
}

int vm_console(const struct vm_host *vh, const char *uuid, unsigned short rows,
	       unsigned short columns, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		bool left_alone = is_left_alone(vh, uuid);
		int r;

		if (zoneadmd_vm_pid(vh->host, uuid) == 0)
			return err_set(e, left_alone ? -ESRCH : -EAGAIN, "VM %s does not run%s",
				       uuid, left_alone ? "" : " just now");
		r = zoneadmd_console(vh->host, uuid, rows, columns, e);
		if (!has_no_supervisor(r))
			return r;
		r = replace_supervisor(vh, uuid, e);
		if (r < 0)
			return r;
	}
	return err_set(e, -EAGAIN, "the supervisor of VM %s ends again and again", uuid);
}

static int send_all(int fd, const unsigned char *data, size_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write to the console");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int send_frame(int fd, char type, const void *data, size_t len, struct err *e)
{
	unsigned char frame[CONSOLE_FRAME_HEAD + CONSOLE_FRAME_MAX];

	frame[0] = (unsigned char)type;
	frame[1] = (unsigned char)(len >> 8);
	frame[2] = (unsigned char)(len & 0xff);
	memcpy(frame + CONSOLE_FRAME_HEAD, data, len);
	return send_all(fd, frame, CONSOLE_FRAME_HEAD + len, e);
}

int console_send(int fd, const char *data, size_t len, struct err *e)
{
	while (len > 0) {
		size_t n = len < CONSOLE_FRAME_MAX ? len : CONSOLE_FRAME_MAX;
		int r = send_frame(fd, CONSOLE_FRAME_DATA, data, n, e);

		if (r < 0)
			return r;
		data += n;
		len -= n;
	}
	return 0;
}

int console_send_size(int fd, unsigned short rows, unsigned short columns, struct err *e)
{
	const unsigned char size[] = { (unsigned char)(rows >> 8), (unsigned char)(rows & 0xff),
				       (unsigned char)(columns >> 8),
				       (unsigned char)(columns & 0xff) };

	return send_frame(fd, CONSOLE_FRAME_SIZE, size, sizeof(size), e);
}
