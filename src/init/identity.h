/* SPDX-License-Identifier: MIT */
/*
 * identity.h - a machine id that is the same at each boot although nothing of
 * the host lasts: made from the firmware's UUID.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define IDENTITY_LEN 32 /* hex digits, as in /etc/machine-id */

/*
 * From UUID, the text of /sys/class/dmi/id/product_uuid. The firmware's own is
 * not told to whoever reads the id: the two are tied by a digest. False when the
 * text is no UUID, or one of those that vendors leave on every machine.
 */
bool identity_from_uuid(const char *uuid, size_t len, char ret[static IDENTITY_LEN + 1]);

/* Write the machine id below the folder ROOT. No firmware UUID is success: systemd makes one.
 */
ATTR_MUST_CHECK int identity_set(const char *root, struct err *e);
