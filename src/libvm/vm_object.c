/* SPDX-License-Identifier: MIT */
#include "libvm/vm_object.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libvm/journal.h"
#include "libvm/prop.h"
#include "libvm/record.h"
#include "libvm/vm_store.h"
#include "libvm/vm_query.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#define STATE_MAX ((size_t)64 << 10)

/* Members of the record that are the host's own business. */
static const char *const internal[] = { "idmap_base" };

static void set_text(struct jv *vm, const char *name, char *text)
{
	jv_set(vm, name, jv_string(text));
	free(text);
}

/* A deletion that was cut short: what is left of the VM is not a VM any more. */
static bool is_on_its_way_out(const struct host *h, const char *uuid)
{
	enum journal_op op = JOURNAL_NONE;

	return journal_is_there(h, uuid) && journal_read(h, uuid, &op, NULL, NULL) == 0 &&
	       op == JOURNAL_DELETE;
}

static void add_state(const struct host *h, struct jv *vm, const char *uuid, bool journalled)
{
	const char *state = "stopped", *zone_state = "installed";
	pid_t pid = zoneadmd_vm_pid(h, uuid);

	if (pid > 0) {
		state = zone_state = "running";
		jv_set(vm, "pid", jv_int(pid));
	} else if (journalled && is_on_its_way_out(h, uuid)) {
		state = zone_state = "incomplete";
	}
	if (jv_get(vm, "failed"))
		state = "failed";
	jv_set(vm, "state", jv_string(state));
	jv_set(vm, "zone_state", jv_string(zone_state));
}

static void add_place(const struct host *h, struct jv *vm, const char *uuid)
{
	set_text(vm, "zonepath", xasprintf("%s/" HOST_POOL "/%s", h->root, uuid));
	set_text(vm, "zfs_filesystem", xasprintf("zones/%s/root", uuid));
	if (jv_get_bool(vm, "delegate_dataset", false)) {
		cleanup_free char *data = xasprintf("zones/%s/data", uuid);
		struct jv *list = jv_array();

		jv_push(list, jv_string(data));
		jv_set(vm, "datasets", list);
	}
}

/* What the supervisor wrote down, where it did. */
static void add_supervised(const struct host *h, struct jv *vm, const char *uuid)
{
	static const char *const members[] = { "boot_timestamp", "init_restarts", "zoneid",
					       "exit_status", "exit_timestamp" };
	cleanup_free char *name = xasprintf(HOST_RUN "/%s/state.json", uuid);
	cleanup_jv struct jv *state = NULL;

	if (jv_load(h->fd, name, STATE_MAX, &state, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (jv_get(state, members[i]) && !jv_get(vm, members[i]))
			jv_set(vm, members[i], jv_ref(jv_get(state, members[i])));
	/* When it was booted is told of VMs that run, how it ended of those that do not. */
	if (!jv_get(vm, "pid"))
		(void)jv_del(vm, "boot_timestamp");
}

static void add_modified(const struct host *h, struct jv *vm, const char *uuid)
{
	cleanup_free char *name = xasprintf(HOST_RECORDS "/%s.json", uuid);
	struct stat st;
	struct tm tm;
	char text[48];
	size_t n;

	if (fstatat(h->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	(void)gmtime_r(&st.st_mtim.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03dZ",
		       (int)(st.st_mtim.tv_nsec / 1000000));
	jv_set(vm, "last_modified", jv_string(text));
}

/* The first line of a file of the host that holds one word, or what stands in for it. */
static void add_host_word(const struct host *h, struct jv *vm, const char *member,
			  const char *path, const char *otherwise)
{
	cleanup_free char *text = NULL;
	size_t len;

	if (file_read_all(h->fd, path, 256, &text, &len, NULL) == 0) {
		text[strcspn(text, "\r\n")] = '\0';
		for (char *c = text; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
	}
	jv_set(vm, member, jv_string(text && *text ? text : otherwise));
}

static void add_host(const struct host *h, struct jv *vm)
{
	struct utsname host;

	add_host_word(h, vm, "server_uuid", "sys/class/dmi/id/product_uuid",
		      "00000000-0000-0000-0000-000000000000");
	add_host_word(h, vm, "platform_buildstamp", "etc/version/platform", "none");
	if (uname(&host) == 0 && strcmp(jv_get_string(vm, "brand"), "lx") == 0 &&
	    !jv_get(vm, "kernel_version"))
		jv_set(vm, "kernel_version", jv_string(host.release));
}

static bool is_hardware(const struct jv *vm)
{
	return brand_from_name(jv_get_string(vm, "brand")) & BRANDS_HARDWARE;
}

int vm_object_load(const struct host *h, const char *uuid, struct jv **ret_vm, struct err *e)
{
	struct jv *vm;
	int r;

	r = record_load(h, uuid, &vm, e);
	if (r < 0)
		return r;
	jv_set(vm, "hvm", jv_bool(is_hardware(vm)));
	add_state(h, vm, uuid, true);
	add_supervised(h, vm, uuid);
	add_place(h, vm, uuid);
	add_modified(h, vm, uuid);
	add_host(h, vm);
	/* The number that the original gives a zone for ever is our id range's. */
	jv_set(vm, "zonedid", jv_int(jv_get_int(vm, "idmap_base", 0) >> 16));
	jv_set(vm, "snapshots", vm_snapshots(h, uuid));
	for (size_t i = 0; i < ARRAY_SIZE(internal); i++)
		(void)jv_del(vm, internal[i]);
	*ret_vm = vm;
	return 0;
}

const char *vm_object_state(const struct jv *vm)
{
	return jv_get_string(vm, "state");
}

static void add_computed(struct jv *vm)
{
	unsigned int brand = brand_from_name(jv_get_string(vm, "brand"));

	if (brand)
		jv_set(vm, "type", jv_string(brand_type(brand)));
	if (!(brand & BRANDS_HARDWARE) && jv_get(vm, "max_physical_memory"))
		jv_set(vm, "ram", jv_ref(jv_get(vm, "max_physical_memory")));
}

void vm_list_done(struct vm_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		jv_unref(list->vms[i]);
	free(list->vms);
	*list = (struct vm_list){ 0 };
}

static int by_uuid(const void *a, const void *b)
{
	return strcmp(a, b);
}

struct loading {
	const struct host *host;
	const struct vm_needs *needs;
	const struct record_members *members; /* NULL: all */
	int recordsfd;
	bool journals; /* there may be journals */
};

static bool needs(const struct loading *l, const char *name)
{
	return !l->needs || vm_needs_has(l->needs, name);
}

static void add_derived(const struct loading *l, struct jv *vm, const char *uuid)
{
	static const char *const supervised[] = { "boot_timestamp", "init_restarts", "zoneid",
						  "exit_status", "exit_timestamp" };
	bool ask = false;

	if (needs(l, "hvm"))
		jv_set(vm, "hvm", jv_bool(is_hardware(vm)));
	for (size_t i = 0; i < ARRAY_SIZE(supervised); i++)
		ask |= needs(l, supervised[i]);
	if (ask || needs(l, "state") || needs(l, "zone_state") || needs(l, "pid"))
		add_state(l->host, vm, uuid, l->journals);
	if (ask)
		add_supervised(l->host, vm, uuid);
	if (needs(l, "zonepath") || needs(l, "zfs_filesystem"))
		add_place(l->host, vm, uuid);
	/* Of those that are asked for alone: others may have thousands. */
	if (needs(l, "snapshots"))
		jv_set(vm, "snapshots", vm_snapshots(l->host, uuid));
	add_computed(vm);
	for (size_t i = 0; i < ARRAY_SIZE(internal); i++)
		(void)jv_del(vm, internal[i]);
}

static void load_one(const struct loading *l, const char *uuid, struct vm_list *list)
{
	struct jv *vm;
	struct err e = { 0 };
	int r;

	r = record_load_members(l->recordsfd, uuid, l->members, &vm, &e);
	/* Deleted since the folder was read: it is not in the list, that is all. */
	if (r == -ENOENT)
		return;
	if (r < 0) {
		list->unreadable++;
		list->error = e;
		return;
	}
	add_derived(l, vm, uuid);
	list->vms[list->count++] = vm;
}

int vm_list_load(const struct host *h, const struct vm_needs *needed, struct vm_list *ret_list,
		 struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	cleanup_close int recordsfd = -1, journalfd = -1;
	struct record_members members = { 0 };
	struct loading l = { .host = h, .needs = needed };
	struct vm_list list = { 0 };
	size_t count;
	int r;

	r = record_list(h, &uuids, &count, e);
	if (r < 0)
		return r;
	if (count > 0) {
		recordsfd = host_dir_existing(h, HOST_RECORDS, e);
		if (recordsfd < 0)
			return recordsfd;
		qsort(uuids, count, sizeof(*uuids), by_uuid);
		list.vms = xcalloc(count, sizeof(struct jv *));
	}
	/* Most hosts have no journal at all: then no VM has to be looked up in it. */
	journalfd = host_dir_existing(h, HOST_JOURNAL, NULL);
	l.journals = journalfd >= 0;
	l.recordsfd = recordsfd;
	if (needed && !needed->all) {
		members.names = (const char *const *)needed->names;
		members.count = needed->count;
		l.members = &members;
	}
	for (size_t i = 0; i < count; i++)
		load_one(&l, uuids[i], &list);
	*ret_list = list;
	return 0;
}
