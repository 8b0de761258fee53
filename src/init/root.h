/* SPDX-License-Identifier: MIT */
/*
 * root.h - the root file system: a read-only image under a tmpfs.
 *
 *	/root.img ──erofs or squashfs──▶ BASE/lower ─┐
 *	tmpfs ─────────────────────────▶ BASE/rw ────┴─overlay──▶ BASE/root
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum root_type { ROOT_EROFS, ROOT_SQUASHFS, ROOT_TYPE_MAX_ };

#define ROOT_MAGIC_LEN 1028 /* bytes of the image that root_detect() looks at */

const char *root_type_to_string(enum root_type type); /* the kernel's name for it */

/* By its magic number. -ENOTSUP when it is neither. */
ATTR_MUST_CHECK int root_detect(const unsigned char *start, size_t len,
				enum root_type *ret_type, struct err *e);

/* Mount IMAGE as drawn above, below the folder BASE, which is made. */
ATTR_MUST_CHECK int root_mount(const char *image, const char *base, struct err *e);

/*
 * Make ROOT (a mount) the root of this process and take /proc, /sys, /dev and
 * /run along. There is no way back.
 */
ATTR_MUST_CHECK int root_switch(const char *root, struct err *e);
