/* SPDX-License-Identifier: MIT */
/*
 * tar_private.h - what tar.c (names, folders, the loop) and tar_entry.c (one
 * file, folder or link) share.
 */
#pragma once

#include "libformat/tar/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <time.h>

#define TAR_ID_MAX 65535

struct layer;
struct tar_dir; /* a folder whose times are set last, because filling it changes them */

struct tar {
	struct archive *in;
	int rootfd;
	const struct extract_limits *limits;
	struct extract_counts counts;
	struct tar_dir *dirs;
	size_t dir_count;
	size_t dir_cap;
	char parent[TAR_NAME_MAX +
		    1]; /* the folder that parentfd is; valid when parentfd >= 0 */
	int parentfd;
	struct layer *layer;  /* NULL: a plain archive */
	unsigned int resolve; /* how far links on the way to a name may lead */
};

/* One entry's place: NAME in the folder FD. FD is borrowed from struct tar until the next call.
 */
struct tar_place {
	int fd;
	const char *name; /* "." for the root itself */
};

/* CLEAN gets PATH without leading slashes, "." and doubled slashes. Refuses "..". */
ATTR_MUST_CHECK int tar_clean_name(const char *path, char clean[static TAR_NAME_MAX + 1],
				   struct err *e);
/* Make the folders of CLEAN (a clean name) and open the last. */
ATTR_MUST_CHECK int tar_open_parent(struct tar *t, const char *clean, struct tar_place *ret,
				    struct err *e);
/* The folder of CLEAN if it is there: PLACE, or a negative fd. */
void tar_find_parent(struct tar *t, const char *clean, struct tar_place *ret);
/* Forget the open folder: something that may be part of its path was replaced. */
void tar_forget_parent(struct tar *t);

/* Write the entry that the archive stands at. */
ATTR_MUST_CHECK int tar_write_entry(struct tar *t, struct archive_entry *entry,
				    const char *clean, struct err *e);

/* Remember the folder CLEAN's time for the end. */
void tar_remember_dir(struct tar *t, const char *clean, const struct timespec *mtime);
