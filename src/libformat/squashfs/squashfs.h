/* SPDX-License-Identifier: MIT */
/*
 * squashfs.h - write what a squashfs 4.0 file system holds below the image's root.
 *
 * The kernel's driver trusts its file systems more than images deserve, and needs rights that
 * the writer has not; so it is read here, from a spooled file:
 *
 *	superblock ─▶ inode table ─▶ directory table ─▶ inode table ...
 *	                  └─▶ blocks of data, fragments (ends of files, shared)
 *
 * Blocks may be compressed by gzip, xz, lz4 or zstd. Folders are written one after the other,
 * each of them once, so that nothing recurses and no folder is inside of itself.
 */
#pragma once

#include "libformat/input.h"

ATTR_MUST_CHECK int squashfs_write(struct image_input *in, int rootfd,
				   const struct extract_limits *limits,
				   struct extract_counts *ret_counts, struct err *e);
