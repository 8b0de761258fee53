/* SPDX-License-Identifier: MIT */
/*
 * zfs.h - write what a ZFS send stream holds, without ZFS.
 *
 * A volume becomes the disk of disk.h. A file system becomes a tree; of one that has
 * the folder "root" at its top, as zones have, only that. An incremental stream goes on
 * top of the origin's, which left in its state file what is not in its tree.
 */
#pragma once

#include "libformat/input.h"

ATTR_MUST_CHECK int zfs_write(struct image_input *in, int rootfd,
			      const struct extract_limits *limits,
			      struct extract_counts *ret_counts, struct err *e);
