/* SPDX-License-Identifier: MIT */
/*
 * uses.h - who needs which image: clones in the pool, images made from it, and VMs whose
 * records name it.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>

enum image_use_kind {
	IMAGE_USE_CLONE,  /* the user is a VM with a clone of it */
	IMAGE_USE_ORIGIN, /* an image that has it as its origin */
	IMAGE_USE_RECORD, /* a VM that is to be made from it again */
};

struct image_use {
	char image[UUID_STR];
	char user[UUID_STR];
	enum image_use_kind kind;
};

struct image_uses {
	struct image_use *items;
	size_t count;
};

/*
 * Without RECORDS, what stands in the way of a delete. With them all there is; a record
 * that cannot be read is an error then, because it may name any image. No pool: none.
 */
ATTR_MUST_CHECK int image_uses_load(const struct host *h, bool records, struct image_uses *ret,
				    struct err *e);
void image_uses_done(struct image_uses *u);
#define cleanup_image_uses cleanup_with(image_uses_done)

size_t image_uses_of(const struct image_uses *u, const char *image);
