/* SPDX-License-Identifier: MIT */
/*
 * squashfs_private.h - what the files of the reader share.
 *
 *	squashfs.c        the superblock, the tree
 *	squashfs_file.c   files, links, their attributes
 *	squashfs_meta.c   metadata blocks, inodes, tables
 *	squashfs_unpack.c one compressed block
 */
#pragma once

#include "libformat/squashfs/squashfs.h"

#define SQUASH_META      8192U
#define SQUASH_NONE      0xffffffffU /* no fragment, no attributes */
#define SQUASH_PATH_MAX  4096U
#define SQUASH_NAME_MAX  255U
#define SQUASH_META_KEPT 64U
#define SQUASH_FRAGS     8U

enum squash_type {
	SQUASH_DIR = 1,
	SQUASH_FILE,
	SQUASH_LINK,
	SQUASH_BLOCK,
	SQUASH_CHAR,
	SQUASH_FIFO,
	SQUASH_SOCKET
};

/* A place in metadata: the block's in the file, and the byte in what it unpacks to. */
struct squash_at {
	uint64_t block;
	uint32_t offset;
};

struct squash_meta {
	uint64_t at; /* 0: empty, as the superblock is there */
	uint64_t next;
	size_t len;
	unsigned char data[SQUASH_META];
};

struct squash_frag {
	uint32_t number;
	size_t len;
	unsigned char *data; /* NULL: empty */
};

struct squash_inode {
	enum squash_type type;
	uint32_t mode, uid, gid, mtime, number, links, xattr;
	uint64_t size;  /* of a file, a folder's list, a link's target */
	uint64_t start; /* a file's first block */
	uint32_t frag, frag_at;
	struct squash_at list; /* a folder's */
	struct squash_at rest; /* sizes of a file's blocks, a link's target */
};

/* Where hard links lead. */
struct squash_first {
	uint32_t number;
	char *path;
};

struct squash_pending {
	char *path;
	struct squash_inode inode;
};

struct squash {
	int fd;
	int rootfd;
	const struct extract_limits *limits;
	struct extract_counts counts;
	uint32_t inodes, block_size, frags, ids;
	unsigned int how;
	uint64_t size;
	uint64_t inode_table, list_table, id_table, frag_table, xattr_table, xattr_data;
	uint32_t xattrs;
	size_t memory;       /* of paths */
	unsigned char *seen; /* a bit for each inode */
	struct squash_pending *pending;
	size_t pending_count, pending_cap;
	struct squash_first *first;
	size_t first_count, first_cap;
	unsigned char *packed, *block;
	unsigned int next_frag;
	struct squash_frag kept[SQUASH_FRAGS];
	struct squash_meta meta[SQUASH_META_KEPT];
};

/* A folder that is open, and what it is called in messages. */
struct squash_place {
	int dirfd;
	const char *name;
	const char *path;
};

/* ---- squashfs_unpack.c ---- */

const char *squash_how_name(unsigned int how); /* NULL: unknown */
bool squash_can_unpack(unsigned int how);
/* At most CAP bytes. */
ATTR_MUST_CHECK bool squash_unpack(unsigned int how, const unsigned char *in, size_t in_len,
				   unsigned char *out, size_t cap, size_t *ret_len);

/* ---- squashfs_meta.c ---- */

uint16_t squash_get16(const unsigned char *p);
uint32_t squash_get32(const unsigned char *p);
uint64_t squash_get64(const unsigned char *p);
int squash_bad(struct err *e, const char *what); /* "the squashfs file system WHAT" */

/* LEN bytes from AT on, which moves behind them. */
ATTR_MUST_CHECK int squash_read(struct squash *s, struct squash_at *at, void *data, size_t len,
				struct err *e);
/* Entry NUMBER of a table of metadata blocks, which are listed at TABLE. */
ATTR_MUST_CHECK int squash_entry(struct squash *s, uint64_t table, uint64_t number, size_t size,
				 void *data, struct err *e);
ATTR_MUST_CHECK int squash_inode_read(struct squash *s, struct squash_at at,
				      struct squash_inode *ret, struct err *e);

/* ---- squashfs_file.c ---- */

ATTR_MUST_CHECK int squash_count_bytes(struct squash *s, uint64_t bytes, struct err *e);
ATTR_MUST_CHECK int squash_write_file(struct squash *s, const struct squash_inode *i,
				      const struct squash_place *p, struct err *e);
/* A symbolic link or a fifo. */
ATTR_MUST_CHECK int squash_write_node(struct squash *s, const struct squash_inode *i,
				      const struct squash_place *p, struct err *e);
/* Owner, mode, attributes and time of FD. */
ATTR_MUST_CHECK int squash_dress(struct squash *s, const struct squash_inode *i, int fd,
				 const char *path, struct err *e);
