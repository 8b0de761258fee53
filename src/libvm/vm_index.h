/* SPDX-License-Identifier: MIT */
/*
 * vm_index.h - all VM objects in memory, as text, for vminfod.
 *
 * It holds what vm_object_load() gave, so it is never more than a copy: dropped
 * and read again it is the same. Text, because a parsed object takes ten times as
 * much; and for the lists that are asked for again and again the few members that
 * they show, cut out of each object once ("views").
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>

struct jv;
struct vm_index;

/*
 * Called for each change, in order. EVENT as in vm_event.h, borrowed; it is NULL
 * when nobody listens (see vm_index_set_listening()).
 */
typedef void vm_index_cb(void *data, const struct jv *event);

struct vm_index *vm_index_new(const struct host *h, vm_index_cb *cb, void *data);
void vm_index_free(struct vm_index *ix);

/* Are events wanted? Finding out what changed is the larger part of the work. */
void vm_index_set_listening(struct vm_index *ix, bool on);

/* Read everything again; what differs is told. The error is of the folder of records. */
ATTR_MUST_CHECK int vm_index_load(struct vm_index *ix, struct err *e);

/* Read the VM UUID again, which may be new or gone. */
void vm_index_touch(struct vm_index *ix, const char *uuid);

size_t vm_index_count(const struct vm_index *ix);
size_t vm_index_unreadable(const struct vm_index *ix); /* records that cannot be read */

/* The object as text; borrowed, NULL when there is none. */
const char *vm_index_get(const struct vm_index *ix, const char *uuid, size_t *ret_len);

/* Append the lines that "vmadm list" prints by default, in its order, without a header. */
void vm_index_rows(const struct vm_index *ix, struct buf *out);

/*
 * Append an array of all objects, in the order of their UUIDs; MEMBERS, names joined
 * by commas, limits them to these (NULL: all).
 */
void vm_index_dump(struct vm_index *ix, const char *members, struct buf *out);
