/* SPDX-License-Identifier: MIT */
#include "libvm/vm_claims.h"

#include "base/jv.h"
#include "base/lock.h"
#include "base/uuid.h"
#include "librecord/claim.h"
#include "librecord/fault.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/zoneadmd.h"

#include <string.h>
#include <unistd.h>

struct taking {
	const struct vm_host *vh;
	const char *uuid;
	struct vm_report *rep;
};

/*
 * A VM that failed keeps its addresses as long as nobody else wants them; it asks for
 * them again when it starts. Not its ids: its files are theirs.
 */
static bool gives_way(const struct host *h, const char *name, const char *holder)
{
	cleanup_jv struct jv *record = NULL;

	return strncmp(name, "id.", 3) != 0 && zoneadmd_vm_pid(h, holder) == 0 &&
	       record_load(h, holder, &record, NULL) == 0 && jv_get(record, "failed");
}

/*
 * The holder of a claim that we want may have been killed. If nobody works on
 * it, mend it, and drop the claim should it be a leftover even then.
 */
static bool holder_gave_up(struct taking *c, int claimsfd, const char *name, const char *holder)
{
	const struct host *h = c->vh->host;
	cleanup_close int locksfd = -1, lock = -1;
	int mended;

	locksfd = host_dir(h, HOST_LOCKS, 0700, NULL);
	lock = locksfd < 0 ? -1 : lock_take(locksfd, holder, LOCK_EXCLUSIVE, 0, NULL);
	if (lock < 0)
		return false;
	mended = vm_recover(c->vh, holder, NULL, NULL);
	if (mended < 0)
		return false;
	if (gives_way(h, name, holder))
		return claim_drop(claimsfd, name, holder, NULL) == 0;
	if (journal_is_there(h, holder) || record_exists(h, holder, NULL) != 0)
		return mended == 1;
	return claim_drop(claimsfd, name, holder, NULL) == 0;
}

static void tell_conflict(struct taking *c, const struct jv *claim, const char *holder)
{
	struct problems *ps = &c->rep->problems;

	if (!problems_has(ps, PROBLEM_RULE, "conflict"))
		problems_add(ps, PROBLEM_RULE, "conflict", "",
			     "Conflict detected with another vm, please check the MAC, IP, and "
			     "VRID");
	problems_add(ps, PROBLEM_RULE, "holder", jv_get_string(claim, "pointer"),
		     "%s belongs to VM %s", jv_get_string(claim, "what"), holder);
}

static int take_claim(struct taking *c, int claimsfd, const struct jv *claim, struct err *e)
{
	const char *name = jv_get_string(claim, "name");
	char holder[UUID_STR];
	int r;

	r = claim_take(claimsfd, name, c->uuid, holder, e);
	if (r == -EEXIST && holder_gave_up(c, claimsfd, name, holder))
		r = claim_take(claimsfd, name, c->uuid, holder, e);
	if (r == -EEXIST)
		tell_conflict(c, claim, holder);
	if (r == -EEXIST)
		return 0;
	return r == 0 ? fault_point("claim taken", e) : r;
}

int vm_claims_take(const struct vm_host *vh, const struct jv *record, struct vm_report *rep,
		   struct err *e)
{
	struct taking c = { vh, jv_get_string(record, "uuid"), rep };
	cleanup_jv struct jv *claims = claims_of_record(record);
	cleanup_close int claimsfd = -1;
	int r = 0;

	claimsfd = host_dir(vh->host, HOST_CLAIMS, 0700, e);
	if (claimsfd < 0)
		return claimsfd;
	for (size_t i = 0; r == 0 && i < jv_len(claims); i++)
		r = take_claim(&c, claimsfd, jv_at(claims, i), e);
	if (r == 0 && problems_has(&rep->problems, PROBLEM_RULE, "conflict"))
		r = err_set(e, -EADDRINUSE, "address in use");
	return r;
}

struct following {
	int claimsfd;
	const char *uuid;
	const struct jv *claims;
};

static int drop_unless_wanted(void *data, const char *name, const char *holder, struct err *e)
{
	const struct following *f = data;

	if (strcmp(holder, f->uuid) != 0)
		return 0;
	for (size_t i = 0; i < jv_len(f->claims); i++)
		if (strcmp(jv_get_string(jv_at(f->claims, i), "name"), name) == 0)
			return 0;
	return claim_drop(f->claimsfd, name, f->uuid, e);
}

int vm_claims_follow(const struct host *h, const struct jv *record, struct err *e)
{
	cleanup_jv struct jv *claims = claims_of_record(record);
	cleanup_close int claimsfd = -1;
	struct following f;

	claimsfd = host_dir(h, HOST_CLAIMS, 0700, e);
	if (claimsfd < 0)
		return claimsfd;
	f = (struct following){ claimsfd, jv_get_string(record, "uuid"), claims };
	return claim_each(claimsfd, drop_unless_wanted, &f, e);
}

bool vm_claims_differ(const struct jv *old, const struct jv *new)
{
	cleanup_jv struct jv *a = claims_of_record(old), *b = claims_of_record(new);

	if (jv_len(a) != jv_len(b))
		return true;
	for (size_t i = 0; i < jv_len(a); i++)
		if (strcmp(jv_get_string(jv_at(a, i), "name"),
			   jv_get_string(jv_at(b, i), "name")) != 0)
			return true;
	return false;
}
