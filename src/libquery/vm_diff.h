/* SPDX-License-Identifier: MIT */
/*
 * vm_diff.h - what changed between two VM objects. Pure.
 *
 * One entry a change:
 *
 *	{ "prettyPath": "nics.*.ip", "path": ["nics", null, "ip"], "ident": "MAC",
 *	  "action": "added" | "removed" | "changed", "oldValue": ..., "newValue": ... }
 *
 * Objects are compared member by member, in any depth. In arrays whose elements
 * have a name for life (a NIC its MAC, a disk its path) the elements of the same
 * name are compared, and "ident" is that name. Of any other array the elements
 * that are in one only are added or removed; one whose elements are the same in
 * another order has changed as a whole. In "path" an element of an array is null,
 * in "prettyPath" it is '*'. What is absent on one side is null.
 */
#pragma once

struct jv;

/* BEFORE and AFTER are objects; either may be NULL, for nothing. New, an array. */
struct jv *vm_diff(const struct jv *before, const struct jv *after);
