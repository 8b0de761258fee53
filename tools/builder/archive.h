/* SPDX-License-Identifier: MIT */
/*
 * archive.h - from a whole manifest and a search path to an archive.
 *
 * Folders, files and symbolic links come in byte order of their paths, so that
 * a parent is there before what it holds; then the hard links, whose targets
 * may be any of these.
 */
#pragma once

#include "builder/manifest.h"
#include "builder/search.h"

#include <stdint.h>

/*
 * Write the archive of M (merged whole, owners resolved) to PATH. Every file
 * that is missing or is no file is an error in R. When R has errors, old ones
 * or new ones, nothing is left at PATH that was not there. Returns a negative
 * errno only when writing itself failed.
 */
ATTR_MUST_CHECK int archive_write(const struct manifest *m, const struct search *s,
				  uint64_t mtime, const char *path, struct report *r,
				  struct err *e);
