/* SPDX-License-Identifier: MIT */
/*
 * prop_schema.h - the property table for other programs and for people.
 */
#pragma once

#include "base/buf.h"
#include "libpayload/prop.h"

struct jv;

/*
 * A JSON Schema (draft 2020-12) of the payload of ACTION for BRAND, new. It holds what
 * a property is by itself: which there are, of which type, in which bounds. Rules
 * between properties, and what the host has, are validate's.
 */
struct jv *prop_schema(enum prop_action action, enum brand brand);

/* "all", or the names of brands. The caller frees. */
char *prop_brands_text(unsigned int brands);
/* "0 to 65535", "256 or more", or "". The caller frees. */
char *prop_bounds_text(const struct prop *p);

/* The list of properties for the manual page, as mdoc(7). */
void prop_manual(struct buf *b);
