/* SPDX-License-Identifier: MIT */
/*
 * update: a payload makes of the record a new one (payload_update()), and the host
 * follows the record.
 *
 *	journal ▶ claims ▶ quota ▶ record ▶ claims dropped ▶ zone told ▶ journal removed
 *	└────────── undone ───────────┘└───────────── completed ───────────────┘
 *
 * Cut short, the record on disk is the old one or the new one; mending makes
 * claims, quota and the running zone follow the one that is there, which is both
 * undoing and completing. A quota that shrinks is set after the record, so that a
 * failure before it never leaves a VM with less space than its record says.
 */
#include "libvm/vm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libstore/store.h"
#include "librecord/fault.h"
#include "libpayload/filesystem.h"
#include "librecord/journal.h"
#include "libpayload/payload.h"
#include "librecord/record.h"
#include "libvm/recover.h"
#include "libvm/vm_claims.h"
#include "libvm/vm_object.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <string.h>
#include <unistd.h>

#define GIB ((uint64_t)1 << 30)

struct update {
	const struct vm_host *vh;
	const char *uuid;
	struct jv *old, *new;
	struct vm_report *rep;
};

static int set_quota(const struct vm_host *vh, const struct jv *record, bool *ret_holds,
		     struct err *e)
{
	uint64_t quota = (uint64_t)jv_get_int(record, "quota", 0) * GIB;
	cleanup_store struct store *store = NULL;
	int r;

	*ret_holds = true;
	r = vm_store_open(vh->host, &store, e);
	if (r < 0)
		return r;
	return store_vm_set_quota(store, jv_get_string(record, "uuid"), quota, ret_holds, e);
}

/* 0 is no bound, so the most. */
static uint64_t quota_of(const struct jv *record)
{
	uint64_t quota = (uint64_t)jv_get_int(record, "quota", 0);

	return quota ? quota : UINT64_MAX;
}

/* Before the record when it GROWS, after it when it shrinks. */
static int change_quota(struct update *u, bool grows, struct err *e)
{
	uint64_t old = quota_of(u->old), new = quota_of(u->new);
	bool holds;
	int r;

	if (old == new || (new > old) != grows)
		return 0;
	r = set_quota(u->vh, u->new, &holds, e);
	if (r < 0)
		return r;
	if (!holds)
		vm_report_warn(u->rep, "quota: the pool does not bound what a VM stores; see "
				       "mkpool(8)");
	return fault_point("quota set", e);
}

static int prepare(struct update *u, struct err *e)
{
	int r = 0;

	if (vm_claims_differ(u->old, u->new))
		r = vm_claims_take(u->vh, u->new, u->rep, e);
	if (r == 0)
		r = fault_point("new claims taken", e);
	if (r == 0)
		r = change_quota(u, true, e);
	if (r == 0)
		r = record_store(u->vh->host, u->uuid, u->new, e);
	return r;
}

static bool has_changed(const struct update *u, const char *name)
{
	const struct jv *was = jv_get(u->old, name), *is = jv_get(u->new, name);

	return !was || !is ? was != is : !jv_equal(was, is);
}

/* What takes effect later is said, of a VM that runs. */
static void warn_of_reboot(struct update *u)
{
	for (void *it = jv_iter(u->new); it; it = jv_iter_next(u->new, it)) {
		const struct prop *p = prop_find(jv_iter_key(it));

		if (p && p->effect == PROP_REBOOT && has_changed(u, p->name))
			vm_report_warn(u->rep, "%s: takes effect with the next start", p->name);
	}
}

/* "NAME: why" of a property that this change left alone was told when it came in. */
static bool is_news(const struct update *u, const char *warning)
{
	cleanup_free char *name = xstrndup(warning, strcspn(warning, ":"));

	return !prop_find(name) || has_changed(u, name);
}

/* The record is the new one: a failure from here on leaves it so, and is a warning. */
static int tell_zone(struct update *u, struct err *e)
{
	cleanup_jv struct jv *warnings = NULL;
	struct err why = { 0 };
	int r;

	if (zoneadmd_vm_pid(u->vh->host, u->uuid) == 0)
		return 0;
	r = zoneadmd_reload(u->vh->host, u->vh->zoneadmd, u->uuid, &warnings, &why);
	if (r < 0)
		vm_report_warn(u->rep,
			       "the record is changed, the running VM is not in all: %s; it is "
			       "with the next start",
			       why.msg);
	for (size_t i = 0; i < jv_len(warnings); i++) {
		const char *text = jv_as_string(jv_at(warnings, i));

		if (text && is_news(u, text))
			vm_report_warn(u->rep, "%s", text);
	}
	warn_of_reboot(u);
	return fault_point("zone told", e);
}

static int follow(struct update *u, struct err *e)
{
	int r = fault_point("record replaced", e);

	if (r == 0)
		r = change_quota(u, false, e);
	if (r == 0 && vm_claims_differ(u->old, u->new))
		r = vm_claims_follow(u->vh->host, u->new, e);
	if (r == 0)
		r = fault_point("old claims dropped", e);
	if (r == 0)
		r = tell_zone(u, e);
	return r == 0 ? journal_end(u->vh->host, u->uuid, e) : r;
}

/* Is the new record there all the same, as when only its folder could not be synced? */
static bool was_replaced(const struct update *u)
{
	cleanup_jv struct jv *there = NULL;

	return record_load(u->vh->host, u->uuid, &there, NULL) < 0 || !jv_equal(there, u->old);
}

/* The old record, and what follows from it. When this fails too the journal stays. */
static void undo(struct update *u)
{
	bool holds;

	if (was_replaced(u) && record_store(u->vh->host, u->uuid, u->old, NULL) < 0)
		return;
	if (quota_of(u->old) != quota_of(u->new) && set_quota(u->vh, u->old, &holds, NULL) < 0)
		return;
	if (vm_claims_follow(u->vh->host, u->old, NULL) < 0 ||
	    journal_cancel(u->vh->host, u->uuid, NULL) < 0)
		vm_report_warn(u->rep,
			       "VM %s is as before; the next command that changes it "
			       "clears what is left of this one",
			       u->uuid);
}

static int apply(struct update *u, struct err *e)
{
	int r;

	r = journal_begin(u->vh->host, u->uuid, JOURNAL_UPDATE, NULL, e);
	if (r == 0)
		r = fault_point("journal written", e);
	if (r == 0)
		r = prepare(u, e);
	if (r < 0)
		goto undo_prepare;
	r = follow(u, e);
	if (r < 0)
		return err_wrap(e, r,
				"VM %s has its new record, and what follows from it is not "
				"done; the next command that changes it goes on",
				u->uuid);
	return 0;

undo_prepare:
	undo(u);
	return r;
}

static int merge(struct update *u, const struct jv *payload, const struct vm_update_how *how,
		 struct err *e)
{
	cleanup_jv struct jv *vm = NULL;
	cleanup_free char *unknown = NULL;
	struct payload_vm state = { .record = u->old };
	int r;

	r = vm_object_load(u->vh->host, u->uuid, &vm, e);
	if (r < 0)
		return r;
	state.state = vm_object_state(vm);
	state.zone_state = jv_get_string(vm, "zone_state");
	if (!state.zone_state)
		state.zone_state = "installed";
	r = payload_update(&state, payload, how->env, how->ignore_missing, &u->new,
			   &u->rep->problems, e);
	unknown = problems_names(&u->rep->problems, PROBLEM_UNKNOWN);
	if (r == 0 && how->strict && *unknown)
		return err_set(e, -EINVAL, "Properties not allowed: %s", unknown);
	if (r == 0 &&
	    (jv_get(payload, "add_filesystems") || jv_get(payload, "update_filesystems")))
		r = filesystem_check_sources(u->vh->host, u->new, e);
	return r;
}

int vm_update(const struct vm_host *vh, const char *uuid, const struct jv *payload,
	      const struct vm_update_how *how, struct vm_report *rep, struct err *e)
{
	cleanup_jv struct jv *old = NULL, *new = NULL;
	struct update u = { .vh = vh, .uuid = uuid, .rep = rep };
	cleanup_close int lock = -1;
	int r;

	lock = vm_open(vh, uuid, &old, e);
	if (lock < 0)
		return lock;
	u.old = old;
	r = merge(&u, payload, how, e);
	new = u.new;
	if (r < 0)
		return r;
	rep->changes = payload_changes(old, new);
	rep->already = jv_len(rep->changes) == 0;
	return rep->already ? 0 : apply(&u, e);
}

int vm_update_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_jv struct jv *record = NULL;
	const struct host *h = rc->vh->host;
	bool holds;
	int r;

	/* Taken away by hand: what the VM stores is not ours to destroy for that. */
	*ret_done = "gave up its update, as it has no record";
	if (!rc->has_record)
		return journal_end(h, rc->uuid, e);
	*ret_done = "made the host follow its record";
	r = record_load(h, rc->uuid, &record, e);
	if (r == 0)
		r = set_quota(rc->vh, record, &holds, e);
	if (r == 0)
		r = vm_claims_take(rc->vh, record, &rep, e);
	if (r == 0)
		r = vm_claims_follow(h, record, e);
	if (r == 0 && zoneadmd_vm_pid(h, rc->uuid) > 0 &&
	    zoneadmd_reload(h, rc->vh->zoneadmd, rc->uuid, NULL, NULL) < 0)
		*ret_done =
			"made the host follow its record, the running VM does with its next start";
	return r == 0 ? journal_end(h, rc->uuid, e) : r;
}
