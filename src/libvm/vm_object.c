/* SPDX-License-Identifier: MIT */
#include "libvm/vm_object.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "libsys/procfs.h"
#include "librecord/journal.h"
#include "libpayload/prop.h"
#include "librecord/record.h"
#include "libquery/vm_event.h"
#include "libquery/vm_query.h"
#include "libquery/vm_state.h"
#include "libvm/vm_store.h"
#include "libquery/vminfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STATE_MAX ((size_t)64 << 10)

/* Members of the record that are the host's own business. */
static const char *const internal[] = { "idmap_base", "receiving" };

static void set_text(struct jv *vm, const char *name, char *text)
{
	jv_set(vm, name, jv_string(text));
	free(text);
}

/* What is looked at once, for however many VMs are loaded. */
struct loading {
	const struct host *host;
	const struct vm_needs *needs;         /* NULL: all */
	const struct record_members *members; /* NULL: all */
	int recordsfd;
	int poolfd;    /* -1: there is no pool */
	bool journals; /* there are journals */
	bool looked;   /* for the store */
	struct store *store;
	char *server_uuid;
	char *buildstamp;
};

static bool needs(const struct loading *l, const char *name)
{
	return !l->needs || vm_needs_has(l->needs, name);
}

static bool lives(const struct jv *state, const char *pid_name, const char *start_name)
{
	int64_t pid = jv_get_int(state, pid_name, 0);

	return pid > 0 && pid <= INT32_MAX &&
	       procfs_is_alive((pid_t)pid, (uint64_t)jv_get_int(state, start_name, 0));
}

/* SUPERVISED is state.json, or NULL. */
static struct vm_facts find_facts(const struct loading *l, const struct jv *vm,
				  const char *uuid, const struct jv *supervised)
{
	struct vm_facts f = {
		.failed = jv_get(vm, "failed"),
		.receiving = jv_get(vm, "receiving"),
		.has_storage = l->poolfd < 0 || faccessat(l->poolfd, uuid, F_OK, 0) == 0,
		.supervised = vm_supervised_from_name(jv_get_string(supervised, "state")),
		.init_lives = lives(supervised, "pid", "pid_start"),
		.supervisor_lives = lives(supervised, "supervisor", "supervisor_start"),
	};

	if (l->journals && journal_is_there(l->host, uuid) &&
	    journal_read(l->host, uuid, &f.journal, NULL, NULL) < 0)
		f.journal = JOURNAL_NONE;
	return f;
}

#define PROVISIONING_MS 300000
#define RECEIVING_MS    86400000

/* Where it is going, and until when. Whoever comes later mends what never got there. */
static void add_transition(const struct loading *l, struct jv *vm, const char *uuid,
			   const struct vm_facts *f)
{
	const char *to = vm_transition_to(f, jv_get_bool(vm, "autoboot", false));
	cleanup_free char *name = xasprintf(HOST_JOURNAL "/%s.json", uuid);
	struct stat st;

	if (!to || fstatat(l->host->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	jv_set(vm, "transition_to", jv_string(to));
	jv_set(vm, "transition_expire",
	       jv_int((int64_t)st.st_mtim.tv_sec * 1000 +
		      (f->journal == JOURNAL_RECEIVE ? RECEIVING_MS : PROVISIONING_MS)));
}

/* What the supervisor wrote down, where it did. */
static void add_supervised(struct jv *vm, const struct jv *state)
{
	static const char *const members[] = { "boot_timestamp", "init_restarts", "zoneid",
					       "exit_status", "exit_timestamp" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (jv_get(state, members[i]) && !jv_get(vm, members[i]))
			jv_set(vm, members[i], jv_ref(jv_get(state, members[i])));
	/* When it was booted is told of VMs that run, how it ended of those that do not. */
	if (!jv_get(vm, "pid")) {
		(void)jv_del(vm, "boot_timestamp");
		(void)jv_del(vm, "zoneid");
	}
}

static void add_state(const struct loading *l, struct jv *vm, const char *uuid)
{
	cleanup_free char *name = xasprintf(HOST_RUN "/%s/state.json", uuid);
	cleanup_jv struct jv *supervised = NULL;
	struct vm_facts f;

	if (jv_load(l->host->fd, name, STATE_MAX, &supervised, NULL) < 0)
		supervised = NULL;
	f = find_facts(l, vm, uuid, supervised);
	if (f.init_lives)
		jv_set(vm, "pid", jv_int(jv_get_int(supervised, "pid", 0)));
	jv_set(vm, "state", jv_string(vm_state_name(vm_state_of(&f))));
	jv_set(vm, "zone_state", jv_string(vm_zone_state_name(vm_zone_state_of(&f))));
	add_transition(l, vm, uuid, &f);
	add_supervised(vm, supervised);
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

static void add_modified(const struct host *h, struct jv *vm, const char *uuid)
{
	cleanup_free char *name = xasprintf(HOST_RECORDS "/%s.json", uuid);
	char date[VM_DATE_STR];
	struct stat st;

	if (fstatat(h->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	vm_date(&st.st_mtim, date);
	jv_set(vm, "last_modified", jv_string(date));
}

/* The first line of a file of the host that holds one word, or what stands in for it. */
static char *host_word(const struct host *h, const char *path, const char *otherwise)
{
	cleanup_free char *text = NULL;
	size_t len;

	if (file_read_all(h->fd, path, 256, &text, &len, NULL) < 0)
		return xstrdup(otherwise);
	text[strcspn(text, "\r\n")] = '\0';
	for (char *c = text; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return *text ? take_ptr(text) : xstrdup(otherwise);
}

static void add_host(struct loading *l, struct jv *vm)
{
	const char *brand = jv_get_string(vm, "brand");
	struct utsname host;

	if (!l->server_uuid)
		l->server_uuid = host_word(l->host, "sys/class/dmi/id/product_uuid",
					   "00000000-0000-0000-0000-000000000000");
	if (!l->buildstamp)
		l->buildstamp = host_word(l->host, "etc/version/platform", "none");
	jv_set(vm, "server_uuid", jv_string(l->server_uuid));
	jv_set(vm, "platform_buildstamp", jv_string(l->buildstamp));
	if (brand && strcmp(brand, "lx") == 0 && !jv_get(vm, "kernel_version") &&
	    uname(&host) == 0)
		jv_set(vm, "kernel_version", jv_string(host.release));
}

static bool is_hardware(const struct jv *vm)
{
	return brand_from_name(jv_get_string(vm, "brand")) & BRANDS_HARDWARE;
}

/* Opened once for however many VMs; NULL: there is none. */
static struct store *the_store(struct loading *l)
{
	if (!l->looked && l->poolfd >= 0 && store_open(l->poolfd, &l->store, NULL) < 0)
		l->store = NULL;
	l->looked = true;
	return l->store;
}

/*
 * Derives what is needed. All of it is there for who needs all: a list of whole
 * objects holds what "get" prints.
 */
static void derive(struct loading *l, struct jv *vm, const char *uuid)
{
	static const char *const of_state[] = {
		"state",         "zone_state",
		"pid",           "boot_timestamp",
		"init_restarts", "zoneid",
		"exit_status",   "exit_timestamp",
		"transition_to", "transition_expire",
	};
	static const char *const of_host[] = { "server_uuid", "platform_buildstamp",
					       "kernel_version" };
	bool state = false, host = false;

	for (size_t i = 0; i < ARRAY_SIZE(of_state); i++)
		state |= needs(l, of_state[i]);
	for (size_t i = 0; i < ARRAY_SIZE(of_host); i++)
		host |= needs(l, of_host[i]);
	if (needs(l, "hvm"))
		jv_set(vm, "hvm", jv_bool(is_hardware(vm)));
	if (state)
		add_state(l, vm, uuid);
	if (needs(l, "zonepath") || needs(l, "zfs_filesystem"))
		add_place(l->host, vm, uuid);
	if (needs(l, "last_modified"))
		add_modified(l->host, vm, uuid);
	if (host)
		add_host(l, vm);
	/* The number that the original gives a zone for ever is our id range's. */
	if (needs(l, "zonedid"))
		jv_set(vm, "zonedid", jv_int(jv_get_int(vm, "idmap_base", 0) >> 16));
	/* Of those that are asked for alone: others may have thousands. */
	if (needs(l, "snapshots"))
		jv_set(vm, "snapshots", vm_snapshots(the_store(l), uuid));
	for (size_t i = 0; i < ARRAY_SIZE(internal); i++)
		(void)jv_del(vm, internal[i]);
}

static int note_journal(void *data, const char *uuid ATTR_UNUSED, struct err *e ATTR_UNUSED)
{
	*(bool *)data = true;
	return 0;
}

static void loading_begin(struct loading *l, const struct host *h, const struct vm_needs *n)
{
	*l = (struct loading){ .host = h, .needs = n && n->all ? NULL : n, .recordsfd = -1 };
	l->poolfd = host_dir_existing(h, HOST_POOL, NULL);
	/* Most hosts have no journal at all: then no VM has to be looked up in it. */
	if (journal_each(h, note_journal, &l->journals, NULL) < 0)
		l->journals = true;
}

static void loading_done(struct loading *l)
{
	close_p(&l->recordsfd);
	close_p(&l->poolfd);
	store_close(l->store);
	free(l->server_uuid);
	free(l->buildstamp);
}
#define cleanup_loading cleanup_with(loading_done)

int vm_object_load(const struct host *h, const char *uuid, struct jv **ret_vm, struct err *e)
{
	cleanup_loading struct loading l = { .recordsfd = -1, .poolfd = -1 };
	struct jv *vm;
	int r;

	r = record_load(h, uuid, &vm, e);
	if (r < 0)
		return r;
	loading_begin(&l, h, NULL);
	derive(&l, vm, uuid);
	*ret_vm = vm;
	return 0;
}

enum vm_state vm_state_now(const struct host *h, const struct jv *record)
{
	cleanup_loading struct loading l = { .recordsfd = -1, .poolfd = -1 };
	const char *uuid = jv_get_string(record, "uuid");
	cleanup_free char *name = xasprintf(HOST_RUN "/%s/state.json", uuid);
	cleanup_jv struct jv *supervised = NULL;
	struct vm_facts f;

	loading_begin(&l, h, NULL);
	if (jv_load(h->fd, name, STATE_MAX, &supervised, NULL) < 0)
		supervised = NULL;
	f = find_facts(&l, record, uuid, supervised);
	return vm_state_of(&f);
}

int vm_object_get(const struct host *h, const char *uuid, struct jv **ret_vm, struct err *e)
{
	if (vminfo_vm(h, uuid, ret_vm, NULL) == 0)
		return 0;
	return vm_object_load(h, uuid, ret_vm, e);
}

const char *vm_object_state(const struct jv *vm)
{
	return jv_get_string(vm, "state");
}

void vm_object_add_computed(struct jv *vm)
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

static void load_one(struct loading *l, const char *uuid, struct vm_list *list)
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
	derive(l, vm, uuid);
	vm_object_add_computed(vm);
	list->vms[list->count++] = vm;
}

static int vm_list_load_records(const struct host *h, const struct vm_needs *needed,
				struct vm_list *ret_list, struct err *e)
{
	cleanup_loading struct loading l = { .recordsfd = -1, .poolfd = -1 };
	cleanup_free record_uuid *uuids = NULL;
	struct record_members members = { 0 };
	struct vm_list list = { 0 };
	size_t count;
	int r;

	r = record_list(h, &uuids, &count, e);
	if (r < 0)
		return r;
	loading_begin(&l, h, needed);
	if (count > 0) {
		l.recordsfd = host_dir_existing(h, HOST_RECORDS, e);
		if (l.recordsfd < 0)
			return l.recordsfd;
		qsort(uuids, count, sizeof(*uuids), by_uuid);
		list.vms = xcalloc(count, sizeof(struct jv *));
	}
	if (l.needs) {
		members.names = (const char *const *)l.needs->names;
		members.count = l.needs->count;
		l.members = &members;
	}
	for (size_t i = 0; i < count; i++)
		load_one(&l, uuids[i], &list);
	*ret_list = list;
	return 0;
}

int vm_list_load(const struct host *h, const struct vm_needs *needed, struct vm_list *ret_list,
		 struct err *e)
{
	cleanup_jv struct jv *vms = NULL;

	if (vminfo_vms(h, needed, &vms, NULL) < 0)
		return vm_list_load_records(h, needed, ret_list, e);
	ret_list->vms = xcalloc(jv_len(vms) + 1, sizeof(struct jv *));
	for (size_t i = 0; i < jv_len(vms); i++) {
		ret_list->vms[i] = jv_ref(jv_at(vms, i));
		vm_object_add_computed(ret_list->vms[i]);
	}
	ret_list->count = jv_len(vms);
	return 0;
}
