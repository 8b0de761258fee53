/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - what an image says of itself: check it, bring an old one up to date.
 *
 * Pure: no I/O but manifest_load(). docs/images.md lists the fields and rules.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

#define IMAGE_MANIFEST_MAX ((size_t)1 << 20) /* bytes of a manifest file */
#define IMAGE_ORIGINS_MAX  100               /* images that one is made from, in one another */

/* Who asks: a host needs little, servers that publish need more. */
enum manifest_mode {
	MANIFEST_MINIMAL,
	MANIFEST_DC,
	MANIFEST_PUBLIC,
	MANIFEST_PRIVATE,
};

struct manifest_problem {
	char field[96];   /* "name", "requirements.max_ram", ... */
	const char *code; /* "MissingParameter" or "Invalid"; static */
	char msg[160];    /* may be empty */
};

#define MANIFEST_PROBLEMS_MAX 64 /* what is beyond says nothing new */

struct manifest_problems {
	struct manifest_problem items[MANIFEST_PROBLEMS_MAX];
	size_t count;
};

/*
 * Check M, an object: required fields, then the others in the order of the
 * table, then unknown ones. True when there is nothing to say.
 */
bool manifest_check(const struct jv *m, enum manifest_mode mode,
		    struct manifest_problems *ret_problems);

/* Is it the disk of a virtual machine, rootfs/disk0.raw, and no tree? */
bool manifest_is_disk(const struct jv *m);

/* "invalid manifest: FIELD (MESSAGE or CODE), ..."; returns -EINVAL. */
int manifest_problems_set(const struct manifest_problems *p, struct err *e);

/*
 * Version 1 to 2, in place; a newer one is left as it is. -EINVAL when M is
 * neither ("manifest does not have a "v" field").
 */
ATTR_MUST_CHECK int manifest_upgrade(struct jv *m, struct err *e);

/*
 * Read PATH (relative to DIRFD), upgrade and check it in minimal mode. New.
 * What fails is -EBADMSG (not JSON, not an object, no version), -EINVAL (the
 * rules), or the system's.
 */
ATTR_MUST_CHECK int manifest_load(int dirfd, const char *path, struct jv **ret_manifest,
				  struct err *e);

/* The same of LEN bytes of TEXT; SOURCE names it. */
ATTR_MUST_CHECK int manifest_parse(const char *text, size_t len, const char *source,
				   struct jv **ret_manifest, struct err *e);
