/* SPDX-License-Identifier: MIT */
/*
 * vm_archive.h - what is kept of a VM with "archive_on_delete" when it is deleted.
 */
#pragma once

#include "base/err.h"

struct host;

/*
 * Before anything of VM UUID is destroyed: its record and its logs are copied to
 * ROOT/zones/archive/UUID/{record.json,logs/}, durably, if the record says so and
 * there is a folder ROOT/zones/archive; without one nothing is kept, which is how a
 * host says that it keeps nothing. Asking twice is fine. The caller holds the VM's lock.
 */
ATTR_MUST_CHECK int vm_archive(const struct host *h, const char *uuid, struct err *e);
