/* SPDX-License-Identifier: MIT */
/*
 * notify.h - what inotify(7) has to tell.
 */
#pragma once

#include "base/err.h"

#include <sys/inotify.h>

/* FD does not block: ON_CHANGE hears all that there is now, in order. Not from within
 * ON_CHANGE. */
ATTR_MUST_CHECK int notify_read(int fd,
				void (*on_change)(void *data, const struct inotify_event *ev),
				void *data, struct err *e);
