/* SPDX-License-Identifier: MIT */
/*
 * refresh.h - bring the manifest of an installed image up to date.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

/*
 * What would change when MANIFEST took the place of UUID's: CHANGED gets "a, b.c",
 * *RET_COUNT how many; *RET_MISSING is true where there was no manifest that could be read.
 * What says which bytes the image has (files, origin, type, v, uuid) stays what it is:
 * those bytes are here. Unless DRY it is written, under the image's lock.
 */
ATTR_MUST_CHECK int image_refresh(const struct host *h, const char *uuid,
				  const struct jv *manifest, bool dry, struct buf *changed,
				  size_t *ret_count, bool *ret_missing, struct err *e);
