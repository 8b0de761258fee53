/* SPDX-License-Identifier: MIT */
/*
 * disk_formats.h - writers of disks: raw ones, and those of QEMU.
 *
 * Of qcow2, versions 2 and 3, with clusters as they are or compressed by zlib or zstd.
 * What would name another file (a backing file, an external data file) is refused, as
 * are encrypted disks, and those marked as damaged. Snapshots inside are left out.
 */
#pragma once

#include "libformat/input.h"

ATTR_MUST_CHECK int raw_write(struct image_input *in, int rootfd,
			      const struct extract_limits *limits,
			      struct extract_counts *ret_counts, struct err *e);
ATTR_MUST_CHECK int qcow2_write(struct image_input *in, int rootfd,
				const struct extract_limits *limits,
				struct extract_counts *ret_counts, struct err *e);
