/* SPDX-License-Identifier: MIT */
/*
 * zfs_private.h - a file system of a stream, between its records and its tree.
 *
 *	zfs.c          which of the writers, and the order of the steps
 *	zfs_volume.c   a volume
 *	zfs_objects.c  the table of objects; their data, one file each in the folder "stage"
 *	zfs_attrs.c    what the objects' attributes say (system attributes, old znodes)
 *	zfs_tree.c     from stage to tree, and from the origin's tree back to stage
 *	zfs_state.c    what is not in the tree, for incremental streams to come
 */
#pragma once

#include "libformat/disk/disk.h"
#include "libformat/zfs/zfs.h"
#include "libformat/zfs/zstream.h"

#include <time.h>

#define ZFS_STAGE       ".dais-unpacking"
#define ZFS_PLAIN_FILE  19
#define ZFS_BONUS_ZNODE 17
#define ZFS_BONUS_SA    44
#define ZFS_MASTER      1 /* the object from which all others are found */

/* One object. What it has beside data is in the file of metadata, at these places. */
struct zfs_object {
	uint64_t number; /* 0: a free slot */
	uint64_t bonus_at;
	uint64_t spill_at;
	uint32_t spill_len;
	uint32_t type;
	uint32_t block_size;
	uint16_t bonus_len;
	uint8_t bonus_type;
	bool live : 1;      /* it is there; else it was freed */
	bool has_data : 1;  /* a file in the stage */
	bool done : 1;      /* its attributes are set, or its folder is being read */
	bool attribute : 1; /* a file that is the value of an extended attribute */
};

enum zfs_attr {
	ZFS_MODE,
	ZFS_SIZE,
	ZFS_UID,
	ZFS_GID,
	ZFS_MTIME,
	ZFS_XATTR,
	ZFS_SYMLINK,
	ZFS_DXATTR,
	ZFS_ATTR_MAX_,
};

#define ZFS_ATTRS_MAX  256 /* attributes and layouts that a file system may register */
#define ZFS_LAYOUT_MAX 64
#define ZFS_META_MAX   ((uint32_t)1 << 20)

/* Which attributes there are, and in which order they stand. */
struct zfs_registry {
	struct {
		uint16_t len; /* 0: as long as it says */
		int8_t attr;  /* enum zfs_attr, -1: of no use here */
		bool known;
	} attrs[ZFS_ATTRS_MAX];
	struct {
		uint16_t count;
		uint8_t attrs[ZFS_LAYOUT_MAX];
	} layouts[ZFS_ATTRS_MAX];
};

struct zfs_node {
	uint32_t mode;
	uint32_t uid, gid;
	uint64_t size;
	uint64_t xattr_dir; /* 0: none */
	struct timespec mtime;
	const unsigned char *symlink; /* NULL: it is the object's data */
	size_t symlink_len;
	const unsigned char *xattrs; /* NULL: none */
	size_t xattrs_len;
	unsigned char *bonus, *spill; /* own the above */
};

struct zfs {
	struct image_input *in;
	const struct extract_limits *limits;
	struct extract_counts counts;
	struct zstream_head head;
	struct zstream_sink sink;
	bool loading; /* the origin's state, and not the stream */
	int rootfd, stagefd, metafd;
	uint64_t meta_len;
	struct zfs_object *table; /* open addressing */
	size_t table_cap, table_used;
	uint64_t highest;
	int datafd; /* of the object DATA_OF, or -1 */
	uint64_t data_of;
	uint64_t data_size;
	struct zfs_registry *registry;
	struct disk disk; /* a volume's */
	uint64_t disk_size;
};

/* ---- objects ---- */

struct zfs_object *zfs_find(const struct zfs *z, uint64_t number); /* live; NULL: none */
/* Its data; new and empty where there is none. The descriptor is the cache's. */
ATTR_MUST_CHECK int zfs_open_data(struct zfs *z, struct zfs_object *o, struct err *e);
ATTR_MUST_CHECK int zfs_read_meta(struct zfs *z, uint64_t at, void *data, size_t len,
				  struct err *e);
void zfs_data_name(uint64_t number, char ret[static 32]);
void zfs_close_data(struct zfs *z);
ATTR_MUST_CHECK int zfs_count(struct zfs *z, uint64_t bytes, struct err *e);
extern const struct zstream_ops zfs_object_ops; /* their data is struct zfs; begin is zfs.c's */
int zfs_begin(void *data, const struct zstream_head *head, struct err *e);

/* ---- attributes ---- */

ATTR_MUST_CHECK int zfs_read_registry(struct zfs *z, uint64_t *ret_root, struct err *e);
ATTR_MUST_CHECK int zfs_read_node(struct zfs *z, const struct zfs_object *o,
				  struct zfs_node *ret, struct err *e);
void zfs_free_node(struct zfs_node *n);
#define cleanup_node cleanup_with(zfs_free_node)
/* Owner, mode, attributes, times of what FD is. */
ATTR_MUST_CHECK int zfs_set_attrs(struct zfs *z, int fd, const struct zfs_node *n,
				  struct err *e);

/* ---- tree, state ---- */

ATTR_MUST_CHECK int zfs_build(struct zfs *z, struct err *e);
/* The origin's tree, whose objects are loaded, back into the stage. */
ATTR_MUST_CHECK int zfs_unbuild(struct zfs *z, struct err *e);
ATTR_MUST_CHECK int zfs_load_state(struct zfs *z, struct err *e);
ATTR_MUST_CHECK int zfs_save_state(struct zfs *z, struct err *e);
/* A stream of nothing: the guid. */
ATTR_MUST_CHECK int zfs_save_guid(int fd, const struct zstream_head *head, struct err *e);
/* Has the origin what HEAD asks for? */
ATTR_MUST_CHECK int zfs_check_base(const struct image_input *in,
				   const struct zstream_head *head,
				   const struct zstream_head *base, struct err *e);

/* ---- volume ---- */

extern const struct zstream_ops zfs_volume_ops;
ATTR_MUST_CHECK int zfs_begin_volume(struct zfs *z, struct err *e);
ATTR_MUST_CHECK int zfs_end_volume(struct zfs *z, struct err *e);
