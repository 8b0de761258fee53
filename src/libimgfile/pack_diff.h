/* SPDX-License-Identifier: MIT */
/*
 * pack_diff.h - what pack_tree.c asks of two trees. Runs in the archiver's process.
 *
 * A tree that was cloned from the other shares its files' numbers, and what is changed gets
 * another time of status, which nobody in a zone can set: what agrees in both was never
 * touched. Of all else the content is read.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/stat.h>

/* PATH below ROOTFD, through no link; -1 with errno. */
int pack_open(int rootfd, const char *path, int flags);

/* What there is at PATH: 1, 0 nothing, or why that cannot be told. */
ATTR_MUST_CHECK int pack_stat(int rootfd, const char *path, struct stat *ret, struct err *e);

/* Names in the folder PATH, in order of their bytes. */
struct pack_names {
	char **items;
	size_t count;
};
ATTR_MUST_CHECK int pack_list(int rootfd, const char *path, struct pack_names *ret,
			      struct err *e);
void pack_names_done(struct pack_names *n);
#define cleanup_pack_names cleanup_with(pack_names_done)
bool pack_names_have(const struct pack_names *n, const char *name);

/* Attributes that images keep, of a file or folder: "NAME\0" and the value, to EACH. */
ATTR_MUST_CHECK int pack_xattrs(int fd, const char *path,
				void (*each)(void *data, const char *name, const void *value,
					     size_t size),
				void *data, struct err *e);

/* A and B are what both trees have at PATH: is it the same, but for what is below a folder? */
ATTR_MUST_CHECK int pack_same(int rootfd, const struct stat *a, int basefd,
			      const struct stat *b, const char *path, bool *ret, struct err *e);
