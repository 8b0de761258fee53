/* SPDX-License-Identifier: MIT */
/*
 * btrfs_private.h - what btrfs.c (commands, limits), btrfs_left.c (what is left out, the state
 * for images on top) and btrfs_encoded.c (compressed writes) share.
 */
#pragma once

#include "libformat/btrfs/btrfs.h"
#include "libstore/btrfs/stream.h"

#define BTRFS_LEFT_MAX 1024 /* each rename looks at all of them */

/* What is a device or a socket in the stream, and an empty file in the tree until the end. */
struct btrfs_left {
	char **paths;
	size_t count;
};

ATTR_MUST_CHECK int btrfs_left_add(struct btrfs_left *l, const char *path, struct err *e);
/* Follow what a command does to names. */
ATTR_MUST_CHECK int btrfs_left_follow(struct btrfs_left *l, const struct stream_cmd *c,
				      struct err *e);
/* The files that stand in for them, which the times of their folders do not show. */
ATTR_MUST_CHECK int btrfs_left_make(const struct btrfs_left *l, int rootfd, struct err *e);
ATTR_MUST_CHECK int btrfs_left_remove(const struct btrfs_left *l, int rootfd, struct err *e);
void btrfs_left_free(struct btrfs_left *l);

/* Which snapshot a tree is, for the streams that go on from it. */
struct btrfs_id {
	uint8_t uuid[16];
	uint64_t transid;
};

/* -EINVAL: the origin did not come as a btrfs stream. */
ATTR_MUST_CHECK int btrfs_state_load(int fd, struct btrfs_id *ret, struct btrfs_left *left,
				     struct err *e);
/* FD is -1: to nobody. */
ATTR_MUST_CHECK int btrfs_state_save(int fd, const struct btrfs_id *id,
				     const struct btrfs_left *left, struct err *e);

#define BTRFS_ENCODED_MAX ((size_t)128 << 10) /* the largest extent that btrfs compresses */

/*
 * C writes compressed data: make it a write of what that is, unpacked to BUF, which has
 * BTRFS_ENCODED_MAX bytes.
 */
ATTR_MUST_CHECK int btrfs_decode(struct stream_cmd *c, uint8_t *buf, struct err *e);
