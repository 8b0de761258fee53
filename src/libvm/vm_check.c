/* SPDX-License-Identifier: MIT */
#include "libvm/vm_check.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/uuid.h"
#include "libnet/filter.h"
#include "libnet/link.h"
#include "librecord/claim.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "librecord/record_shadow.h"
#include "libvm/check.h"
#include "libvm/zoneadmd.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void check_tell(struct check *c, const char *uuid, const char *what, const char *action,
		bool mended)
{
	struct vm_finding f = { uuid, what, action, mended };

	if (!mended)
		c->left++;
	c->found(c->data, &f);
}

int check_lock(const struct check *c, const char *uuid)
{
	cleanup_close int dirfd = host_dir(c->vh->host, HOST_LOCKS, 0700, NULL);

	return dirfd < 0 ? -1 : lock_take(dirfd, uuid, LOCK_EXCLUSIVE, 0, NULL);
}

int check_lock_supervisor(const struct check *c, const char *uuid)
{
	cleanup_close int dirfd = host_dir(c->vh->host, HOST_LOCKS, 0700, NULL);
	char name[UUID_STR + sizeof(ZONEADMD_LOCK_SUFFIX)];

	(void)snprintf(name, sizeof(name), "%s" ZONEADMD_LOCK_SUFFIX, uuid);
	return dirfd < 0 ? -1 : lock_take(dirfd, name, LOCK_EXCLUSIVE, 0, NULL);
}

/*
 * What was seen before the lock was taken may be gone by now: its owner went on until then,
 * and had it only for a moment.
 */
static bool is_there_still(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int check_journal(void *data, const char *uuid, struct err *e)
{
	struct check *c = data;
	cleanup_close int lock = check_lock(c, uuid);
	cleanup_free char *what = NULL;
	enum journal_op op = JOURNAL_NONE;
	struct err why = { 0 };
	const char *done = NULL;
	int r;

	(void)e;
	if (lock < 0)
		return 0;
	r = journal_read(c->vh->host, uuid, &op, NULL, &why);
	if (r == 0 && op == JOURNAL_NONE)
		return 0;
	what = xasprintf("%s was cut short", journal_op_name(op));
	if (r == 0 && !c->repair) {
		check_tell(c, uuid, what, "'vmadm check --repair' completes or undoes it",
			   false);
		return 0;
	}
	if (r == 0)
		r = vm_recover(c->vh, uuid, &done, &why);
	check_tell(c, uuid, r < 0 ? "its journal" : what, r < 0 ? why.msg : done, r >= 0);
	return 0;
}

/* Neither recorded nor on the way: see claim.h for the order of the two looks. */
static bool vm_is_gone(const struct check *c, const char *uuid)
{
	return !journal_is_there(c->vh->host, uuid) &&
	       record_exists(c->vh->host, uuid, NULL) == 0;
}

static int check_claim(void *data, const char *name, const char *holder, struct err *e)
{
	struct check *c = data;
	cleanup_close int lock = -1;
	cleanup_free char *what = NULL;
	bool mended;

	(void)e;
	if (!vm_is_gone(c, holder))
		return 0;
	lock = check_lock(c, holder);
	if (lock < 0 || !vm_is_gone(c, holder))
		return 0;
	what = xasprintf("claim '%s' of a VM that is not there", name);
	mended = c->repair && claim_drop(c->claimsfd, name, holder, NULL) == 0;
	check_tell(c, holder, what,
		   mended ? "given back" : "'vmadm check --repair' gives it back", mended);
	return 0;
}

static void check_claims_of(struct check *c, const char *uuid, const struct jv *record)
{
	cleanup_jv struct jv *claims = claims_of_record(record);

	for (size_t i = 0; i < jv_len(claims); i++) {
		const char *name = jv_get_string(jv_at(claims, i), "name");
		cleanup_free char *what = NULL;
		char holder[UUID_STR];
		int r;

		r = claim_holder(c->claimsfd, name, holder, NULL);
		if (r == 0 && strcmp(holder, uuid) == 0)
			continue;
		if (r == -ENOENT) {
			bool mended = c->repair &&
				      claim_take(c->claimsfd, name, uuid, holder, NULL) == 0;

			what = xasprintf("has no claim '%s'", name);
			check_tell(c, uuid, what,
				   mended ? "claimed" : "'vmadm check --repair' claims it",
				   mended);
			continue;
		}
		/* Another may have taken what it had: it is asked when it starts. */
		if (r == 0 && jv_get(record, "failed") && strncmp(name, "id.", 3) != 0)
			continue;
		what = xasprintf("%s belongs to VM %s", jv_get_string(jv_at(claims, i), "what"),
				 r == 0 ? holder : "?");
		check_tell(c, uuid, what, "change or delete one of the two", false);
	}
}

static bool has_root(const struct check *c, const char *uuid)
{
	cleanup_free char *path = xasprintf(HOST_POOL "/%s/root", uuid);
	struct stat st;

	return fstatat(c->vh->host->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Not synced when it was written: after a power cut it may be anything. */
static void mend_shadow(struct check *c, const char *uuid, const struct jv *record)
{
	cleanup_close int recordsfd = host_dir_existing(c->vh->host, HOST_RECORDS, NULL);

	if (recordsfd >= 0)
		record_shadow_store(recordsfd, uuid, record);
}

/* Rules of a port that runs are gone when somebody has flushed the host's tables. */
static void check_filters(struct check *c, const char *uuid, const struct jv *record)
{
	bool guarded = jv_get_bool(record, "firewall_enabled", false);
	const struct jv *nics = jv_get(record, "nics");
	const struct vm_host *vh = c->vh;
	pid_t init = zoneadmd_vm_pid(vh->host, uuid);

	if (init <= 0)
		return;
	for (size_t i = 0; i < jv_len(nics); i++) {
		cleanup_free char *what = xasprintf("nics[%zu] has no filter", i);
		char link[ZONEADMD_LINK_NAME];
		bool mended;

		/* What cannot be found out, as by another than root, is not told. */
		if (zoneadmd_nic_link(uuid, jv_at(nics, i), link, NULL) < 0 ||
		    !link_exists(link) || filter_is_there(link, guarded, NULL) != 0)
			continue;
		/* Its guest may have ended: then its supervisor removes them. */
		if (zoneadmd_vm_pid(vh->host, uuid) != init)
			return;
		mended = c->repair &&
			 zoneadmd_reload(vh->host, vh->zoneadmd, uuid, NULL, NULL) == 0;
		check_tell(c, uuid, what,
			   mended ? "set again" : "'vmadm check --repair' sets it again",
			   mended);
	}
}

/* The supervisor was killed, or could not write, when the VM ended. */
static void check_end(struct check *c, const char *uuid)
{
	const struct vm_host *vh = c->vh;
	bool mended;

	if (!zoneadmd_has_left(vh->host, uuid))
		return;
	mended =
		c->repair && zoneadmd_stop_vm(vh->host, vh->zoneadmd, uuid, true, 0, NULL) == 0;
	check_tell(c, uuid, "has ended, and nobody has tidied up behind it",
		   mended ? "tidied up" : "'vmadm check --repair' does", mended);
}

/*
 * What is in the run folder of a VM that does not run, by name. The state stays; why it ended
 * is noted by the driver's own process, which may be late, and read by nobody any more.
 */
static struct jv *list_run_files(int folderfd)
{
	int fd = openat(folderfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct jv *names = jv_array();
	struct dirent *d;

	if (!dir)
		close_p(&fd);
	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
		    strcmp(d->d_name, "state.json") != 0 && strcmp(d->d_name, "ended") != 0)
			jv_push(names, jv_string(d->d_name));
	if (dir)
		(void)closedir(dir);
	return names;
}

static void check_run_file(struct check *c, const char *uuid, int dirfd, const char *name)
{
	cleanup_close int lock = check_lock_supervisor(c, uuid);
	cleanup_close int alive = zoneadmd_vm_pidfd(c->vh->host, uuid);
	cleanup_free char *what = NULL;
	bool mended;

	if (lock < 0 || alive >= 0 || !is_there_still(dirfd, name))
		return;
	mended = c->repair && path_remove_tree(dirfd, name, NULL) == 0;
	what = xasprintf("'%s' of its supervisor is left", name);
	check_tell(c, uuid, what, mended ? "removed" : "'vmadm check --repair' removes it",
		   mended);
}

/*
 * Of a supervisor that was killed while it wrote or left, or before it said that it begins;
 * and what one could not remove, which does not keep a VM from having stopped.
 */
static void check_run_files(struct check *c, const char *uuid)
{
	cleanup_free char *path = xasprintf(HOST_RUN "/%s", uuid);
	cleanup_close int dirfd = host_dir_existing(c->vh->host, path, NULL);
	cleanup_close int alive = zoneadmd_vm_pidfd(c->vh->host, uuid);
	cleanup_jv struct jv *names = NULL;

	/* The last is told of as a whole. */
	if (dirfd < 0 || alive >= 0 || zoneadmd_has_left(c->vh->host, uuid))
		return;
	names = list_run_files(dirfd);
	for (size_t i = 0; i < jv_len(names); i++)
		check_run_file(c, uuid, dirfd, jv_as_string(jv_at(names, i)));
}

/* The supervisor was killed, and the VM runs on. */
static void check_alone(struct check *c, const char *uuid)
{
	const struct vm_host *vh = c->vh;
	bool mended, running;

	if (!zoneadmd_is_alone(vh->host, uuid))
		return;
	mended = c->repair &&
		 zoneadmd_attach_vm(vh->host, vh->zoneadmd, uuid, &running, NULL) == 0;
	check_tell(c, uuid, "runs without a supervisor",
		   mended ? "it has one" : "'vmadm check --repair' starts one", mended);
}

static void check_record(struct check *c, const char *uuid)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = check_lock(c, uuid);
	struct err why = { 0 };
	int r;

	if (lock < 0 || journal_is_there(c->vh->host, uuid))
		return;
	r = record_load(c->vh->host, uuid, &record, &why);
	if (r == -ENOENT)
		return;
	if (r < 0) {
		check_tell(c, uuid, why.msg, "put a good copy there, or 'vmadm delete' it",
			   false);
		return;
	}
	if (!jv_get(record, "receiving") && !has_root(c, uuid))
		check_tell(c, uuid, "its root is not in the pool",
			   "mount the pool that has it, or 'vmadm delete' the VM", false);
	if (c->claimsfd >= 0)
		check_claims_of(c, uuid, record);
	check_alone(c, uuid);
	check_end(c, uuid);
	check_run_files(c, uuid);
	check_groups(c, uuid);
	check_filters(c, uuid, record);
	if (c->repair)
		mend_shadow(c, uuid, record);
}

static int check_records(struct check *c, struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count;
	int r;

	r = record_list(c->vh->host, &uuids, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		check_record(c, uuids[i]);
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* FN for each name in the host's folder DIR; a folder that is not there has none. */
static int each_name(struct check *c, const char *dir,
		     void (*fn)(struct check *c, int dirfd, const char *name), struct err *e)
{
	cleanup_with(close_dir) DIR *d = NULL;
	struct dirent *entry;
	int fd, r;

	fd = host_dir_existing(c->vh->host, dir, e);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	d = fdopendir(fd);
	if (!d) {
		r = err_sys(e, "cannot read '%s'", dir);
		close_p(&fd);
		return r;
	}
	while ((r = path_next_entry(d, &entry, e)) > 0)
		fn(c, fd, entry->d_name);
	return r;
}

/* ".UUID.json.new": its writer was killed before it could put the file in place. */
static void check_half_written(struct check *c, int dirfd, const char *name)
{
	cleanup_free char *uuid = NULL;
	cleanup_close int lock = -1;
	bool mended;

	if (*name != '.' || strlen(name) < 1 + UUID_LEN ||
	    (strcmp(name + 1 + UUID_LEN, ".json.new") != 0 &&
	     strcmp(name + 1 + UUID_LEN, ".xml.new") != 0))
		return;
	uuid = xstrndup(name + 1, UUID_LEN);
	lock = uuid_is_valid(uuid) ? check_lock(c, uuid) : -1;
	if (lock < 0 || !is_there_still(dirfd, name))
		return;
	mended = c->repair && unlinkat(dirfd, name, 0) == 0;
	check_tell(c, uuid, "a file was written by half",
		   mended ? "removed" : "'vmadm check --repair' removes it", mended);
}

static void check_pool_folder(struct check *c, int dirfd, const char *name)
{
	if (uuid_is_valid(name) && vm_is_gone(c, name) && is_there_still(dirfd, name))
		check_tell(c, name, "is in the pool, and no record knows it",
			   "put its record back, or remove zones/UUID by hand", false);
}

static void check_run_folder(struct check *c, int dirfd, const char *name)
{
	cleanup_close int lock = -1;
	bool mended;

	if (!uuid_is_valid(name) || !vm_is_gone(c, name) || zoneadmd_vm_pid(c->vh->host, name))
		return;
	lock = check_lock(c, name);
	if (lock < 0 || !vm_is_gone(c, name) || !is_there_still(dirfd, name))
		return;
	mended = c->repair && path_remove_tree(dirfd, name, NULL) == 0;
	check_tell(c, name, "is not there, but has a folder of a running VM",
		   mended ? "removed" : "'vmadm check --repair' removes it", mended);
}

int vm_check(const struct vm_host *vh, bool repair,
	     void (*found)(void *data, const struct vm_finding *f), void *data, struct err *e)
{
	cleanup_close int claimsfd = -1;
	struct check c = { vh, repair, found, data, -1, 0 };
	int r;

	r = journal_each(vh->host, check_journal, &c, e);
	if (r == 0)
		r = each_name(&c, HOST_RECORDS, check_half_written, e);
	if (r == 0)
		r = each_name(&c, HOST_JOURNAL, check_half_written, e);
	claimsfd = repair ? host_dir(vh->host, HOST_CLAIMS, 0700, NULL)
			  : host_dir_existing(vh->host, HOST_CLAIMS, NULL);
	c.claimsfd = claimsfd;
	if (r == 0 && claimsfd >= 0)
		r = claim_each(claimsfd, check_claim, &c, e);
	if (r == 0)
		r = check_records(&c, e);
	if (r == 0)
		r = each_name(&c, HOST_POOL, check_pool_folder, e);
	if (r == 0)
		r = each_name(&c, HOST_RUN, check_run_folder, e);
	if (r == 0)
		r = check_host(&c, e);
	return r < 0 ? r : c.left;
}
