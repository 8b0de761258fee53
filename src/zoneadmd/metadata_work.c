/* SPDX-License-Identifier: MIT */
#include "zoneadmd/metadata.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/lock.h"
#include "base/log.h"
#include "libmdata/mdata.h"
#include "librecord/record.h"
#include "libvm/vm.h"
#include "libvm/vm_object.h"
#include "zoneadmd/zoneadmd.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* What a child may take for everything, and for getting the VM's lock. */
#define WORK_SECONDS 50
#define LOCK_MS      5000

/* A guest may not grow its record beyond this; others read it too. */
#define GUEST_RECORD_MAX ((size_t)1 << 20)

static int send_object(struct zone *z, int channel, struct err *e)
{
	cleanup_jv struct jv *vm = NULL, *view = NULL;
	cleanup_free char *text = NULL;
	cleanup_close int fd = -1;
	int r = vm_object_load(&z->host, z->uuid, &vm, e);

	if (r < 0)
		return r;
	view = mdata_view(vm);
	text = jv_dump(view, 0);
	fd = memfd_create("vm-object", MFD_CLOEXEC);
	if (fd < 0 || file_write_fd(fd, text, strlen(text)) < 0)
		return err_sys(e, "cannot hand over the VM object");
	return channel_send(channel, "V", 1, fd, e);
}

static int lock_vm(struct zone *z, struct err *e)
{
	cleanup_close int dirfd = host_dir(&z->host, HOST_LOCKS, 0700, e);
	int r;

	if (dirfd < 0)
		return dirfd;
	r = lock_take(dirfd, z->uuid, LOCK_EXCLUSIVE, LOCK_MS, e);
	if (r == -EBUSY)
		return err_set(e, r, "The VM is being changed, try again");
	return r;
}

static int store(struct zone *z, struct jv *record, bool grows, struct err *e)
{
	cleanup_free char *text = grows ? jv_dump(record, 2) : NULL;

	if (text && strlen(text) > GUEST_RECORD_MAX)
		return err_set(e, -ENOSPC, "There is no room for more metadata");
	return record_store(&z->host, z->uuid, record, e);
}

/* As 'vmadm update' would: under the lock, after mending what somebody left half done. */
static int change(struct zone *z, const char *key, const char *value, struct err *e)
{
	const struct vm_host vh = { &z->host, z->program };
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = lock_vm(z, e);
	bool changed = false;
	int r = lock;

	if (r >= 0)
		r = vm_recover(&vh, z->uuid, NULL, e);
	if (r >= 0)
		r = record_load(&z->host, z->uuid, &record, e);
	if (r >= 0)
		r = mdata_change(record, key, value, &changed, e);
	return r == 0 && changed ? store(z, record, value != NULL, e) : r;
}

static int work(struct zone *z, int channel, const char *message, size_t len, struct err *e)
{
	const char *key = message + 1;
	const char *end = memchr(key, '\0', len - 1);
	int r;

	if (message[0] == 'V')
		return send_object(z, channel, e);
	if (message[0] == 'C' && end)
		r = change(z, key, end + 1, e);
	else if (message[0] == 'D' && !end)
		r = change(z, key, NULL, e);
	else
		r = err_set(e, -EPROTO, "the agent sent what is no question");
	return r < 0 ? r : channel_send(channel, "K", 1, -1, e);
}

/* The guest gets to see texts of the protocol; the host's own go to the log. */
static void tell_failure(int channel, const struct err *e)
{
	bool for_guest = e->code == -EPERM || e->code == -EINVAL || e->code == -ENOSPC ||
			 e->code == -EBUSY;
	char text[ERR_MSG_MAX + 1];
	int n;

	if (!for_guest)
		log_warning("metadata: %s", e->msg);
	n = snprintf(text, sizeof(text), "E%s",
		     for_guest ? e->msg : "The host could not do that");
	(void)!channel_send(channel, text, (size_t)n, -1, NULL);
}

void metadata_work(struct zone *z, int channel, const char *message, size_t len)
{
	struct err e = { 0 };

	(void)alarm(WORK_SECONDS);
	if (work(z, channel, message, len, &e) < 0)
		tell_failure(channel, &e);
	_exit(0);
}
