/* SPDX-License-Identifier: MIT */
/*
 * zones.c - start the zones with the host, and stop them before it goes down.
 *
 * One process a zone, some at a time: a zone that hangs holds up only itself.
 * Starting is vmadm's work. Stopping is not, as "vmadm stop" also says that the
 * zone shall not start with the host again.
 */
#include "platform/platform.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/uuid.h"
#include "libvm/vm.h"
#include "libvm/vm_object.h"
#include "libquery/vm_query.h"
#include "libvm/zoneadmd.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE      8
#define ZONES_MAX    4096
#define STOP_SECONDS 60
#define VMADM        "vmadm"

struct zones {
	char (*uuids)[UUID_STR];
	size_t count;
};

/* Does the work for one zone in a process of its own; the result is its status. */
typedef int zone_work(const struct host *h, const char *uuid);

static void add(struct zones *z, const char *text)
{
	if (z->count == ZONES_MAX)
		return;
	memcpy(z->uuids[z->count], text, UUID_LEN);
	z->uuids[z->count][UUID_LEN] = '\0';
	z->count += uuid_is_valid(z->uuids[z->count]);
}

/* Those that stand still and shall run. What failed before may have reason to work now. */
static int list_startable(const struct host *h, struct zones *z, struct err *e)
{
	static const char *const startable[] = { "stopped", "failed", "provisioning" };
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	cleanup_vm_list struct vm_list list = { 0 };
	int r;

	vm_needs_add(&needs, "autoboot");
	vm_needs_add(&needs, "state");
	r = vm_list_load(h, &needs, &list, e);
	if (r < 0)
		return err_wrap(e, r, "cannot list the zones");
	if (list.unreadable)
		log_error("%zu records cannot be read; one of them: %s", list.unreadable,
			  list.error.msg);
	for (size_t i = 0; i < list.count; i++) {
		if (!jv_get_bool(list.vms[i], "autoboot", false))
			continue;
		for (size_t s = 0; s < ARRAY_SIZE(startable); s++)
			if (strcmp(vm_object_state(list.vms[i]), startable[s]) == 0)
				add(z, jv_get_string(list.vms[i], "uuid"));
	}
	return 0;
}

/* What runs has a folder in run/dais; vmadm need not work for that. */
static int list_running(const struct host *h, struct zones *z, struct err *e)
{
	int fd = host_dir(h, HOST_RUN, 0755, e);
	struct dirent *entry;
	DIR *dir;
	int r;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close_p(&fd);
		return err_set(e, -EIO, "cannot read '" HOST_RUN "'");
	}
	while ((r = path_next_entry(dir, &entry, e)) > 0) {
		if (uuid_is_valid(entry->d_name) && zoneadmd_vm_pid(h, entry->d_name) > 0)
			add(z, entry->d_name);
	}
	(void)closedir(dir);
	return r;
}

/* The supervisor's program: beside this one, or in sbin above it. */
static char *find_zoneadmd(void)
{
	static const char *const beside[] = { "", "/../../sbin" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		cleanup_free char *path = xasprintf("%s%s/zoneadmd", self, beside[i]);

		if (access(path, X_OK) == 0)
			return take_ptr(path);
	}
	return xstrdup("/usr/sbin/zoneadmd");
}

/* The reason goes to the log and stays with the VM, which shows it as failed. */
static int start_one(const struct host *h, const char *uuid)
{
	const char *const argv[] = { VMADM, "start", "--root", *h->root ? h->root : "/",
				     uuid,  NULL };
	cleanup_free char *program = find_zoneadmd(), *why = NULL;
	struct vm_host vh = { h, program };
	struct err e, ignored;

	if (proc_run(argv, NULL, &e) == 0) {
		log_info("%s runs", uuid);
		return 0;
	}
	log_error("%s does not start: %s", uuid, e.msg);
	why = xasprintf("start with the host: %s", e.msg);
	if (vm_mark_failed(&vh, uuid, why, &ignored) < 0)
		log_error("%s", ignored.msg);
	return 1;
}

static int stop_one(const struct host *h, const char *uuid)
{
	cleanup_free char *program = find_zoneadmd();
	struct err e;

	if (zoneadmd_stop_vm(h, program, uuid, false, STOP_SECONDS, &e) == 0)
		return 0;
	log_error("%s does not stop: %s", uuid, e.msg);
	return 1;
}

static bool begin(const struct host *h, const char *uuid, zone_work *work)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(work(h, uuid));
	if (pid < 0)
		log_error("%s: no process for it: %s", uuid, strerror(errno));
	return pid > 0;
}

/* Waits for one; returns how many failed. */
static size_t end_one(void)
{
	int status;

	while (waitpid(-1, &status, 0) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int for_each(const struct host *h, const struct zones *z, zone_work *work,
		    const char *what, struct err *e)
{
	size_t running = 0, failed = 0;

	for (size_t i = 0; i < z->count; i++) {
		if (running == AT_ONCE) {
			failed += end_one();
			running--;
		}
		if (begin(h, z->uuids[i], work))
			running++;
		else
			failed++;
	}
	while (running-- > 0)
		failed += end_one();
	if (failed > 0)
		return err_set(e, -EIO, "%zu of %zu zones did not %s", failed, z->count, what);
	return 0;
}

int platform_start_zones(const struct host *h, struct err *e)
{
	struct zones z = { .uuids = xcalloc(ZONES_MAX, sizeof(*z.uuids)) };
	int r = list_startable(h, &z, e);

	if (r == 0)
		r = for_each(h, &z, start_one, "start", e);
	free(z.uuids);
	return r;
}

int platform_stop_zones(const struct host *h, struct err *e)
{
	struct zones z = { .uuids = xcalloc(ZONES_MAX, sizeof(*z.uuids)) };
	int r = list_running(h, &z, e);

	if (r == 0)
		r = for_each(h, &z, stop_one, "stop", e);
	free(z.uuids);
	return r;
}
