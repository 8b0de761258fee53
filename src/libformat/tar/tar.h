/* SPDX-License-Identifier: MIT */
/*
 * tar.h - write the entries of a tar below a folder, and nowhere else.
 *
 * Runs in the writer process of extract.h (and in the fuzzer). Even without its
 * chroot no entry gets out: each name is taken apart, ".." is refused, and the
 * kernel resolves the folder of each entry beneath ROOTFD (openat2).
 *
 *	absolute names       are below the root, as in every container tool
 *	"..", empty names    refused
 *	through a link out   refused, a relative link that stays inside is followed
 *	hard links           to what the archive made before; outwards: refused
 *	devices, sockets     left out, counted
 *	owners               0 to 65535, refused beyond
 *	twice the same name  the later one wins
 */
#pragma once

#include "libformat/input.h"

#define TAR_NAME_MAX 4095

/*
 * The writer of format.h; reads IN to its end. On failure what was written stays: the
 * caller destroys all of it.
 */
ATTR_MUST_CHECK int tar_write(struct image_input *in, int rootfd,
			      const struct extract_limits *limits,
			      struct extract_counts *ret_counts, struct err *e);
