/* SPDX-License-Identifier: MIT */
/*
 * payload.h - from the JSON that a person writes to the record of a VM.
 *
 *	text ──payload_parse──▶ object ──payload_to_record──▶ record
 *	                                      │
 *	                                      └─▶ problems: what is wrong, where, by which rule
 *
 * Pure but for random UUIDs and MACs and the time: what the rules have to know
 * of the host (images, NIC tags) is asked through payload_env, so that tests
 * and recorded cases bring a host of their own. validate and create both come
 * here, so they cannot disagree.
 */
#pragma once

#include "base/err.h"
#include "libpayload/prop.h"
#include "libpayload/problems.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

#define PAYLOAD_MAX      ((size_t)1 << 20)
#define PAYLOAD_NICS_MAX 32
#define CHANGE_TEXT_MAX  120  /* bytes of both values of a change */
#define PAYLOAD_LIST_MAX 1024 /* members of a list */

struct payload_image {
	char type[32];    /* "zone-dataset", "lx-dataset", ... */
	char os[32];      /* "linux", "smartos", ... */
	char bootrom[16]; /* "bios" or "uefi" when it boots with that alone, or "" */
	int64_t size_mib; /* of the disk in it; 0: not known */
};

struct payload_tag {
	unsigned int mtu;
	bool physical; /* has a physical link, so packets below 1500 are refused */
};

struct payload_env {
	void *data;
	/* -ENOENT: there is none. */
	int (*image)(void *data, const char *uuid, struct payload_image *ret_image,
		     struct err *e);
	int (*nic_tag)(void *data, const char *name, struct payload_tag *ret_tag,
		       struct err *e);
};

/*
 * LEN bytes of TEXT, which SOURCE names in errors, as an object. The error
 * begins with "Invalid JSON payload: ". New.
 */
ATTR_MUST_CHECK int payload_parse(const char *text, size_t len, const char *source,
				  struct jv **ret_payload, struct err *e);

/*
 * Check a payload for create and make the record that it describes, complete but
 * for "idmap_base". New. -EINVAL when problems_fatal(PS); PS may hold remarks
 * otherwise. -EIO and others, with E, when the host could not be asked.
 */
ATTR_MUST_CHECK int payload_to_record(const struct jv *payload, const struct payload_env *env,
				      struct jv **ret_record, struct problems *ps,
				      struct err *e);

/*
 * The rules of single properties alone, as the table has them, for a payload of
 * ACTION for BRAND: a copy with every value in its right type and without what
 * is not allowed. New.
 */
struct jv *payload_check(const struct jv *payload, enum brand brand, enum prop_action action,
			 struct problems *ps);

/* A VM that is to be changed. */
struct payload_vm {
	const struct jv *record;
	const char *state, *zone_state; /* "running", "stopped", "installed", ... */
};

/*
 * The record of VM after an update by PAYLOAD. New. IGNORE_MISSING: what is to be
 * changed or removed and is not there is a remark, no refusal. Results as of
 * payload_to_record().
 */
ATTR_MUST_CHECK int payload_update(const struct payload_vm *vm, const struct jv *payload,
				   const struct payload_env *env, bool ignore_missing,
				   struct jv **ret_record, struct problems *ps, struct err *e);

/* What validate asks: PAYLOAD as one of BRAND, whatever it says itself. Results as above. */
ATTR_MUST_CHECK int payload_check_create(const struct jv *payload, enum brand brand,
					 const struct payload_env *env, struct problems *ps,
					 struct err *e);
/* The same for update, as far as it can be told without the VM. */
ATTR_MUST_CHECK int payload_check_update(const struct jv *payload, enum brand brand,
					 const struct payload_env *env, struct problems *ps,
					 struct err *e);

/*
 * What differs between two records: an array of "NAME: OLD -> NEW", or "NAME" of
 * what is long or may be secret. New.
 */
struct jv *payload_changes(const struct jv *old, const struct jv *new);
