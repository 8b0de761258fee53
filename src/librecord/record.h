/* SPDX-License-Identifier: MIT */
/*
 * record.h - the record of a VM, ROOT/etc/zones/UUID.json: the truth about it.
 *
 * docs/records.md says what is in it. Reading takes no lock: a record is
 * replaced whole, so a reader has the old one or the new one. Who stores or
 * removes one holds the VM's lock.
 */
#pragma once

#include "base/err.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>

#define RECORD_MAX      ((size_t)4 << 20) /* bytes of one record */
#define RECORD_VERSION  1
#define RECORD_ID_COUNT 65536 /* uids and gids that "idmap_base" begins */

/*
 * The record of UUID, new. -ENOENT when there is none: the error is then the
 * text that every command prints, "zoneadm: UUID: No such zone configured".
 * A record that is not an object, names another UUID or has a greater version
 * is -EBADMSG and the error names the file.
 */
ATTR_MUST_CHECK int record_load(const struct host *h, const char *uuid, struct jv **ret_record,
				struct err *e);

/* The same with the folder of records at hand, for those that read many. */
ATTR_MUST_CHECK int record_load_at(int recordsfd, const char *uuid, struct jv **ret_record,
				   struct err *e);

/* Names of members, for those that need few of many. */
struct record_members {
	const char *const *names;
	size_t count;
};

/* The same with no other members than these, "uuid" and "v"; much faster. NULL: all. */
ATTR_MUST_CHECK int record_load_members(int recordsfd, const char *uuid,
					const struct record_members *members,
					struct jv **ret_record, struct err *e);

/* Replace it, durably. -EFBIG when it would be larger than RECORD_MAX. */
ATTR_MUST_CHECK int record_store(const struct host *h, const char *uuid,
				 const struct jv *record, struct err *e);

/* Remove it, durably. Absent is success. */
ATTR_MUST_CHECK int record_remove(const struct host *h, const char *uuid, struct err *e);

/* 1 it is there, 0 it is not, or why that cannot be told. */
ATTR_MUST_CHECK int record_exists(const struct host *h, const char *uuid, struct err *e);

/* All records' UUIDs, in no order. No folder yet is an empty list. Free the array. */
typedef char record_uuid[UUID_STR];
ATTR_MUST_CHECK int record_list(const struct host *h, record_uuid **ret_uuids,
				size_t *ret_count, struct err *e);
