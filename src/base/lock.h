/* SPDX-License-Identifier: MIT */
/*
 * lock.h - one lock per thing: an open file description lock on a file that is
 * never unlinked, so that a name and its lock cannot part.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/*
 * Lock NAME in DIRFD (made with mode 0600 when absent). Waits at most WAIT_MS,
 * -1 for ever, 0 not at all: -EBUSY then. The result is a descriptor that
 * holds the lock until it is closed; it is O_CLOEXEC.
 */
ATTR_MUST_CHECK int lock_take(int dirfd, const char *name, enum lock_mode mode, int wait_ms,
			      struct err *e);
