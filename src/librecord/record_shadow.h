/* SPDX-License-Identifier: MIT */
/*
 * record_shadow.h - ROOT/etc/zones/UUID.xml, beside each record, for programs of other
 * systems that look there whether a VM is to be kept out of inventories.
 *
 * It says who the VM is and nothing else, is made from the record, and nothing here
 * ever reads it. So it is replaced whole but not synced, and a failure to write it is
 * no failure of the change: 'vmadm check --repair', which a host runs when it boots,
 * makes it again. A shadow without a record does not stay: it goes first, or the record stays.
 */
#pragma once

#include "base/err.h"

struct jv;

/* Beside the record in RECORDSFD. The caller holds the VM's lock. */
void record_shadow_store(int recordsfd, const char *uuid, const struct jv *record);
ATTR_MUST_CHECK int record_shadow_remove(int recordsfd, const char *uuid, struct err *e);
