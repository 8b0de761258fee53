/* SPDX-License-Identifier: MIT */
/*
 * payload_merge.h - the arrays of a record under an update: add_X, update_X and
 * remove_X, each element found by the member that names it. For payload*.c alone.
 *
 *	X             found by
 *	nics          mac       payload_merge_nics.c
 *	disks         path      payload_merge.c, stopped VMs alone
 *	pci_devices   path      payload_merge.c, stopped VMs alone
 *	filesystems   target    payload_merge.c
 */
#pragma once

#include "libpayload/payload.h"

struct jv;

struct payload_merge {
	const struct payload_vm *vm;
	const struct payload_env *env;
	const struct jv *checked; /* the payload, every value in its type */
	struct jv *record;        /* the new one */
	enum brand brand;
	bool ignore_missing;
	struct problems *ps;
};

/* PAYLOAD is the one that came in: null there takes a member away. */
ATTR_MUST_CHECK int payload_merge_nics(struct payload_merge *m, const struct jv *payload,
				       struct err *e);
ATTR_MUST_CHECK int payload_merge_devices(struct payload_merge *m, const struct jv *payload,
					  struct err *e);
void payload_merge_filesystems(struct payload_merge *m, const struct jv *payload);

/* The array NAME of the record, made when it is not there. Borrowed. */
struct jv *payload_merge_list(struct payload_merge *m, const char *name);

/* The index of the element whose member KEY is VALUE; -1: there is none. */
ssize_t payload_merge_find(const struct jv *list, const char *key, const char *value);

/* Take element INDEX out of the array NAME of the record. */
void payload_merge_remove(struct payload_merge *m, const char *name, size_t index);

/*
 * Item INDEX of OP ("update_nics") over ITEM of the record, all members but KEY;
 * null and "" take a member away.
 */
void payload_merge_item(struct payload_merge *m, const struct jv *payload, const char *op,
			size_t index, const char *key, struct jv *item);

/* "TEXT": refused, or a remark where that was asked for. KEY is the member of the item, or
 * NULL. */
void payload_merge_missing(struct payload_merge *m, const char *op, size_t index,
			   const char *key, const char *text);
