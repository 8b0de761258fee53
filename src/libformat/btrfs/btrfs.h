/* SPDX-License-Identifier: MIT */
/*
 * btrfs.h - write what a btrfs send stream (version 1) makes below the image's root.
 *
 * Commands are those of libstore/btrfs/stream.h, with the image's limits. A full stream is an
 * image; an incremental one goes on top of the origin, when that came as the stream of the
 * snapshot that it names. Devices and sockets are left out: while the stream is read plain
 * files stand in for them, so that it may rename and own them.
 */
#pragma once

#include "libformat/input.h"

ATTR_MUST_CHECK int btrfs_write(struct image_input *in, int rootfd,
				const struct extract_limits *limits,
				struct extract_counts *ret_counts, struct err *e);
