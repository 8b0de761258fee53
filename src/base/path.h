/* SPDX-License-Identifier: MIT */
/*
 * path.h - paths under a root that is not ours to trust, and folders.
 */
#pragma once

#include "base/err.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Open PATH (absolute or relative) below ROOTFD as if ROOTFD were "/", never
 * leaving it and following no symbolic link anywhere (openat2 with
 * RESOLVE_IN_ROOT and RESOLVE_NO_SYMLINKS). FLAGS as for open(2). Returns the
 * descriptor.
 */
ATTR_MUST_CHECK int path_open_in_root(int rootfd, const char *path, int flags, mode_t mode,
				      struct err *e);

/*
 * openat2(2) with RESOLVE (RESOLVE_BENEATH, ...), which never follows the links of /proc.
 * MODE is for what FLAGS make. -1 with errno.
 */
int path_openat2(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);

/* Below ROOTFD; links that lead out of it fail with EXDEV. -1 with errno. */
int path_open_beneath(int rootfd, const char *path, int flags);

/* mkdir -p below DIRFD: missing parents get MODE as well. An existing folder is fine. */
ATTR_MUST_CHECK int path_mkdir_all(int dirfd, const char *path, mode_t mode, struct err *e);

/* rm -r of NAME in DIRFD; stays on the file system, follows nothing. Absent is success. */
ATTR_MUST_CHECK int path_remove_tree(int dirfd, const char *name, struct err *e);

/*
 * The next entry of DIR: 1 with *RET, or 0 at the end. readdir(3) tells a folder that
 * cannot be read to its end from one that has ended by errno alone.
 */
ATTR_MUST_CHECK int path_next_entry(DIR *dir, struct dirent **ret, struct err *e);

/* Write DATA to an O_EXCL file at most once: -EEXIST when NAME is there. Not durable. */
ATTR_MUST_CHECK int path_write_new(int dirfd, const char *name, const char *data, mode_t mode,
				   struct err *e);
