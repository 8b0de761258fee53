/* SPDX-License-Identifier: MIT */
/*
 * layer.h - what a layer of an OCI image is beyond a tar: some of its names take away
 * what the layers below have.
 *
 *	.wh.NAME        NAME is gone
 *	.wh..wh..opq    all that is in this folder is gone
 *	.wh..wh.*       leftovers of a file system; nothing
 *
 * What the layer itself brings stays, before the marker or after it. So that one pass is
 * enough, all names that it brought are remembered, by the folder they are in: a folder that
 * is reached through a link is the same folder.
 */
#pragma once

#include "base/err.h"

struct layer;

struct layer *layer_new(void);
void layer_free(struct layer *l); /* NULL is fine */

enum layer_name {
	LAYER_PLAIN,    /* a file, a folder, a link */
	LAYER_WHITEOUT, /* of *RET_TARGET, in the same folder */
	LAYER_OPAQUE,   /* of its folder */
	LAYER_IGNORED,
};

/* What is CLEAN, a clean name? -EINVAL where it would take away what is no name. */
ATTR_MUST_CHECK int layer_classify(const char *clean, enum layer_name *ret,
				   const char **ret_target, struct err *e);

/* The layer brought NAME in the folder DIRFD. */
ATTR_MUST_CHECK int layer_add(struct layer *l, int dirfd, const char *name, struct err *e);

/* Take away NAME in DIRFD, and what is below, but what the layer brought. */
ATTR_MUST_CHECK int layer_take_away(const struct layer *l, int dirfd, const char *name,
				    struct err *e);
/* The same with all that is in DIRFD. */
ATTR_MUST_CHECK int layer_empty(const struct layer *l, int dirfd, struct err *e);

/* NAME in DIRFD with all that is below, whoever brought it. */
ATTR_MUST_CHECK int layer_remove_tree(int dirfd, const char *name, struct err *e);
