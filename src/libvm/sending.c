/* SPDX-License-Identifier: MIT */
#include "libvm/sending.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/lock.h"
#include "libvm/frames.h"
#include "libvm/transfer.h"

#include <string.h>

static int take_lock(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = host_dir(h, HOST_LOCKS, 0700, e);
	cleanup_free char *name = xasprintf("send.%s", uuid);

	return dirfd < 0 ? dirfd : lock_take(dirfd, name, LOCK_EXCLUSIVE, 0, e);
}

int sending_lock(const struct host *h, const char *uuid, struct err *e)
{
	int fd = take_lock(h, uuid, e);

	return fd == -EBUSY ? err_set(e, fd, "VM %s is being sent already", uuid) : fd;
}

/* One that is going out, or that the changes going out are of. */
static bool has_snapshot(const struct host *h, const char *uuid, const char *name)
{
	cleanup_free char *dir = xasprintf(HOST_POOL "/%s/sending", uuid);
	cleanup_close int fd = host_dir_existing(h, dir, NULL);
	cleanup_with(transfer_done) struct transfer plan = { 0 };
	cleanup_jv struct jv *head = NULL;

	/* What cannot be read may name it. */
	if (fd < 0 || jv_load(fd, "head.json", FRAME_HEADER_MAX, &head, NULL) < 0 ||
	    transfer_from_json(head, &plan, NULL) < 0 || strcmp(plan.from, name) == 0)
		return true;
	for (size_t i = 0; i < plan.count; i++)
		if (strcmp(plan.streams[i].snapshot, name) == 0)
			return true;
	return false;
}

int sending_refuse(const struct host *h, const char *uuid, const char *name, struct err *e)
{
	cleanup_close int fd = take_lock(h, uuid, e);

	if (fd != -EBUSY)
		return fd < 0 ? fd : 0;
	if (!name)
		return err_set(e, -EBUSY,
			       "VM %s is being sent: wait for the end of that, or end it",
			       uuid);
	if (!has_snapshot(h, uuid, name))
		return 0;
	return err_set(e, -EBUSY,
		       "snapshot \"%s\" of VM %s is being sent: wait for the end of that, or "
		       "end it",
		       name, uuid);
}
