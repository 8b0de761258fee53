/* SPDX-License-Identifier: MIT */
/*
 * inventory.h - what the search path holds, held against a manifest.
 */
#pragma once

#include "builder/manifest.h"
#include "builder/search.h"

/* Print, sorted, what the search path has and the merged M does not list; folders left out. */
ATTR_MUST_CHECK int inventory_unlisted(const struct manifest *m, const struct search *s,
				       FILE *out, struct err *e);

/*
 * Print a line as sha256sum(1) does, "SHA256  ./PATH", for every regular file
 * of the image that M (merged whole) describes, hard links included, in byte
 * order of the path. A file that is missing is an error in R; then nothing is printed.
 */
ATTR_MUST_CHECK int inventory_sums(const struct manifest *m, const struct search *s, FILE *out,
				   struct report *r, struct err *e);
