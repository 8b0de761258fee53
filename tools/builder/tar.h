/* SPDX-License-Identifier: MIT */
/*
 * tar.h - a stream of tar headers and contents, the same bytes for the same input.
 *
 * POSIX ustar headers with numeric owners; what does not fit there (long names,
 * large numbers) is told in a pax header before. No name, clock or number of
 * this machine gets in.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct tar;

enum tar_type { TAR_FILE = '0', TAR_HARDLINK = '1', TAR_SYMLINK = '2', TAR_FOLDER = '5' };

struct tar_item {
	enum tar_type type;
	const char *path; /* PATH_LEN bytes, no slash at either end; folders get theirs here */
	size_t path_len;
	const char *target; /* of links: TARGET_LEN bytes */
	size_t target_len;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size; /* of files */
};

/* Writes to FD, which stays the caller's. MTIME is every item's, in seconds. */
struct tar *tar_new(int fd, uint64_t mtime);
void tar_free(struct tar *t);
void tar_free_p(struct tar **t);
#define cleanup_tar cleanup_with(tar_free_p)

/*
 * Add ITEM; the SIZE bytes of a file are read from FD (-1 for the rest).
 * -EIO with another message than the system's: the file got shorter meanwhile.
 */
ATTR_MUST_CHECK int tar_add(struct tar *t, const struct tar_item *item, int fd, struct err *e);

/* Write the end of the archive, and what is still in memory. */
ATTR_MUST_CHECK int tar_finish(struct tar *t, struct err *e);
