/* SPDX-License-Identifier: MIT */
/*
 * pool.h - what everything that changes images begins with.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>

struct store;

/* The pool's store; where there is no pool, the error says what makes one. */
ATTR_MUST_CHECK int image_pool_open(const struct host *h, struct store **ret, struct err *e);

/* Take away images begun and not ended whose makers died: they hold no lock. */
void image_clean_partials(const struct host *h, struct store *s);

bool image_is_installed(const struct host *h, const char *uuid);

/* The image's lock, exclusively; after a second of waiting NOTE tells. */
ATTR_MUST_CHECK int image_lock_patiently(const struct host *h, const char *uuid,
					 void (*note)(void *data, const char *line), void *data,
					 struct err *e);
