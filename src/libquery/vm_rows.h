/* SPDX-License-Identifier: MIT */
/*
 * vm_rows.h - the table that "vmadm list" prints. Pure.
 *
 * A value that is longer than its column is not cut, the row shifts; blanks at the
 * end are. Characters are counted, not bytes. What may not stand on a terminal is
 * shown as '?'. PARSABLE: ':' between, no padding.
 */
#pragma once

#include "base/buf.h"
#include "libquery/vm_query.h"

/* What is printed when nothing else is asked for. */
#define VM_LIST_COLUMNS "uuid,type,ram,state,alias"
#define VM_LIST_SORT    "ram,uuid"

/* Each appends one line with its newline. */
void vm_rows_header(struct buf *out, const struct vm_fields *fields, bool parsable);
void vm_rows_add(struct buf *out, const struct jv *vm, const struct vm_fields *fields,
		 bool parsable);
