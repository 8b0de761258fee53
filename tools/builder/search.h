/* SPDX-License-Identifier: MIT */
/*
 * search.h - the folders that an image's files come from, overlays first.
 *
 * A file is looked for in each folder in turn; the first that has it wins. A
 * symbolic link on the way, or at the end, is followed as if the folder were
 * "/": an absolute target starts there again, and nothing leads out of it.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/stat.h>

struct search_dir {
	const char *name; /* as given; borrowed */
	int fd;
};

struct search {
	struct search_dir *dirs;
	size_t count;
};

ATTR_MUST_CHECK int search_add(struct search *s, const char *dir, struct err *e);
void search_done(struct search *s);
#define cleanup_search cleanup_with(search_done)

/*
 * Open PATH for reading. Returns the descriptor, -ENOENT when no folder has it,
 * or another error when the first that has it has no regular file there. ST and
 * DIR tell what was found and where; DIR may be NULL.
 */
ATTR_MUST_CHECK int search_open(const struct search *s, const char *path, struct stat *st,
				const char **ret_dir, struct err *e);
