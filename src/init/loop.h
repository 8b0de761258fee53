/* SPDX-License-Identifier: MIT */
/*
 * loop.h - a file as a block device.
 */
#pragma once

#include "base/err.h"

#define LOOP_NAME_LEN 32

/*
 * Attach IMAGE, read-only. Returns the device, open: it goes away with its last
 * user, so the caller closes it once it is mounted or otherwise held.
 */
ATTR_MUST_CHECK int loop_attach(const char *image, char ret_device[static LOOP_NAME_LEN],
				struct err *e);
