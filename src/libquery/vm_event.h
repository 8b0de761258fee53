/* SPDX-License-Identifier: MIT */
/*
 * vm_event.h - what vminfod tells those that listen, and how people read it. Pure
 * but for the clock.
 *
 *	{ "type": "ready", "date", "uuid": LISTENER, "vms": "the array, as text" }
 *	{ "type": "create", "date", "zonename", "uuid", "vm": {...} }
 *	{ "type": "modify", "date", "zonename", "uuid", "vm": {...}, "changes": [...] }
 *	{ "type": "delete", "date", "zonename", "uuid" }
 *
 * vm_diff.h has the changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct buf;
struct jv;

#define VM_DATE_STR sizeof("2026-01-02T03:04:05.678Z")
void vm_date(const struct timespec *t, char ret[static VM_DATE_STR]);
void vm_date_now(char ret[static VM_DATE_STR]);

/*
 * The event of VM UUID that turned from BEFORE into AFTER, of which one may be
 * NULL. New; NULL when nothing changed.
 */
struct jv *vm_event_new(const char *uuid, const struct jv *before, struct jv *after);

/*
 * Append the lines for people: one, or one a change, each with its newline.
 * FULL: whole dates and UUIDs. What may not stand on a terminal is shown as '?'.
 */
void vm_event_text(const struct jv *event, bool full, struct buf *out);
