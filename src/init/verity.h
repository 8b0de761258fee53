/* SPDX-License-Identifier: MIT */
/*
 * verity.h - the root image as a device that holds each block against a tree of
 * hashes when it is read: dm-verity, without a superblock and without salt.
 */
#pragma once

#include "base/err.h"
#include "init/verify.h"

#include <stdint.h>

#define VERITY_BLOCK     4096
#define VERITY_NAME_LEN  32
#define VERITY_TABLE_LEN 256

/*
 * What the kernel is told of an image of SIZE bytes on the device DATA, with the
 * tree on the device TREE and ROOT as its topmost hash. -EINVAL when the image is
 * empty or not whole blocks.
 */
ATTR_MUST_CHECK int verity_table(const char *data, const char *tree, uint64_t size,
				 const unsigned char root[static VERIFY_HASH_LEN],
				 char ret_table[static VERITY_TABLE_LEN], struct err *e);

/*
 * Have the device. Nothing is read of it yet: a block that differs fails with EIO
 * when it is, and the kernel's log says which.
 */
ATTR_MUST_CHECK int verity_open(const char *image, const char *tree,
				const unsigned char root[static VERIFY_HASH_LEN],
				char ret_device[static VERITY_NAME_LEN], struct err *e);
