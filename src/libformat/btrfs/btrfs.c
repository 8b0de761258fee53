/* SPDX-License-Identifier: MIT */
#include "libformat/btrfs/btrfs.h"

#include "base/alloc.h"
#include "libformat/btrfs/btrfs_private.h"
#include "libformat/xattr.h"

#include <string.h>
#include <sys/stat.h>

struct btrfs {
	struct image_input *in;
	const struct extract_limits *limits;
	struct stream_target target;
	struct extract_counts counts;
	struct btrfs_left left;
	struct btrfs_id id;
	unsigned int version;
	size_t have;
	uint8_t plain[BTRFS_ENCODED_MAX]; /* an extent that came compressed */
	uint8_t block[STREAM_COMMAND_MAX];
};

/* ---- limits --------------------------------------------------------------- */

static int too_much(const struct btrfs *b, struct err *e)
{
	return err_set(e, -EFBIG, "it holds more than %llu bytes",
		       (unsigned long long)b->limits->bytes);
}

static int count_bytes(struct btrfs *b, uint64_t bytes, struct err *e)
{
	if (bytes > b->limits->bytes - b->counts.bytes)
		return too_much(b, e);
	b->counts.bytes += bytes;
	return 0;
}

static int count_entry(struct btrfs *b, struct err *e)
{
	if (b->counts.entries == b->limits->entries)
		return err_set(e, -EFBIG, "it holds more than %llu files",
			       (unsigned long long)b->limits->entries);
	b->counts.entries++;
	return 0;
}

/* A file's end; the kernel would end this process for one that is larger. */
static int check_end(const struct btrfs *b, uint64_t offset, uint64_t len, struct err *e)
{
	return offset > b->limits->bytes || len > b->limits->bytes - offset ? too_much(b, e)
									    : 0;
}

static int count_write(struct btrfs *b, const struct stream_cmd *c, struct err *e)
{
	uint64_t offset, len = c->attrs[ATTR_DATA].len;
	int r = stream_number(c, ATTR_FILE_OFFSET, &offset, e);

	if (r == 0 && c->command == STREAM_CLONE)
		r = stream_number(c, ATTR_CLONE_LEN, &len, e);
	if (r == 0 && len == 0)
		r = err_set(e, -EINVAL, "a write of nothing");
	if (r == 0)
		r = check_end(b, offset, len, e);
	return r < 0 ? r : count_bytes(b, len, e);
}

static int count_command(struct btrfs *b, const struct stream_cmd *c, struct err *e)
{
	uint64_t size;
	int r;

	switch (c->command) {
	case STREAM_SYMLINK:
		r = count_bytes(b, c->attrs[ATTR_PATH_LINK].len, e);
		return r < 0 ? r : count_entry(b, e);
	case STREAM_MKFILE:
	case STREAM_MKDIR:
	case STREAM_MKNOD:
	case STREAM_MKFIFO:
	case STREAM_MKSOCK:
	case STREAM_LINK:
		return count_entry(b, e);
	case STREAM_WRITE:
	case STREAM_CLONE:
		return count_write(b, c, e);
	case STREAM_SET_XATTR:
		return count_bytes(b,
				   (uint64_t)c->attrs[ATTR_XATTR_NAME].len +
					   c->attrs[ATTR_XATTR_DATA].len,
				   e);
	case STREAM_TRUNCATE:
		r = stream_number(c, ATTR_SIZE, &size, e);
		return r < 0 ? r : check_end(b, size, 0, e);
	default:
		return 0;
	}
}

/* ---- commands ------------------------------------------------------------- */

/* What the stream says of itself decides only whether it fits to the origin. */
static int begin(struct btrfs *b, const struct stream_cmd *c, struct err *e)
{
	const struct stream_value *uuid = &c->attrs[ATTR_UUID];
	const struct stream_value *from = &c->attrs[ATTR_CLONE_UUID];
	bool full = c->command == STREAM_SUBVOL;
	struct btrfs_id origin;
	uint64_t transid;
	int r;

	if (full && b->in->basefd >= 0)
		return err_set(e, -EINVAL,
			       "it is a full one, and the manifest names an origin");
	if (!full && b->in->basefd < 0)
		return err_set(e, -EINVAL,
			       "it is incremental, and the manifest names no origin");
	r = stream_number(c, ATTR_CTRANSID, &b->id.transid, e);
	if (r < 0)
		return r;
	if (uuid->data && uuid->len == sizeof(b->id.uuid))
		memcpy(b->id.uuid, uuid->data, sizeof(b->id.uuid));
	if (full)
		return 0;
	r = stream_number(c, ATTR_CLONE_CTRANSID, &transid, e);
	if (r == 0)
		r = btrfs_state_load(b->in->basefd, &origin, &b->left, e);
	if (r < 0)
		return r;
	if (!from->data || from->len != sizeof(origin.uuid) || transid != origin.transid ||
	    memcmp(from->data, origin.uuid, sizeof(origin.uuid)) != 0)
		return err_set(e, -EINVAL,
			       "it goes on from another snapshot than the origin's");
	return btrfs_left_make(&b->left, b->target.rootfd, e);
}

/* A zone has devices of its own. */
static int leave_out(struct btrfs *b, struct stream_cmd *c, struct err *e)
{
	char path[STREAM_PATH_MAX];
	int r = stream_path(c, ATTR_PATH, path, e);

	c->command = STREAM_MKFILE;
	b->counts.devices++;
	return r < 0 ? r : btrfs_left_add(&b->left, path, e);
}

/* 1: the command is not for the tree. */
static int leave_xattr(struct btrfs *b, const struct stream_cmd *c, struct err *e)
{
	char name[STREAM_PATH_MAX];
	int r = stream_text(c, ATTR_XATTR_NAME, name, e);

	if (r < 0 || image_keeps_xattr(name))
		return r;
	b->counts.xattrs += c->command == STREAM_SET_XATTR;
	return 1;
}

/* What is new in version 2. 1: there is nothing to do for the tree. */
static int translate(struct btrfs *b, struct stream_cmd *c, struct err *e)
{
	if (b->version < 2 || c->command <= STREAM_END)
		return 0;
	if (c->command == STREAM_ENCODED_WRITE)
		return btrfs_decode(c, b->plain, e);
	/* Flags as of chattr(1), which zones set for themselves. */
	if (c->command == STREAM_FILEATTR)
		return 1;
	return c->command == STREAM_FALLOCATE
		       ? err_set(e, -ENOTSUP, "it has space that is kept for later (fallocate)")
		       : 0;
}

static int run_command(struct btrfs *b, struct stream_cmd *c, struct err *e)
{
	int r = translate(b, c, e);

	if (r == 0)
		r = count_command(b, c, e);
	if (r != 0)
		return r < 0 ? r : 0;
	if (c->command == STREAM_SNAPSHOT || c->command == STREAM_SUBVOL) {
		r = b->target.begun ? 0 : begin(b, c, e);
	} else if (!b->target.begun) {
		return err_set(e, -EINVAL, "it does not begin with a subvolume");
	} else if (c->command == STREAM_MKNOD || c->command == STREAM_MKSOCK) {
		r = leave_out(b, c, e);
	} else if (c->command == STREAM_SET_XATTR || c->command == STREAM_REMOVE_XATTR) {
		r = leave_xattr(b, c, e);
	}
	if (r != 0)
		return r < 0 ? r : 0;
	r = stream_apply(&b->target, c, e);
	return r < 0 ? r : btrfs_left_follow(&b->left, c, e);
}

/* ---- bytes ---------------------------------------------------------------- */

/* Bytes of the next piece, which begins the block; 0 at the end. */
static long next_piece(struct btrfs *b, bool at_start, struct err *e)
{
	for (;;) {
		long size = b->have ? stream_piece(b->block, b->have, at_start, e) : 0;
		ssize_t n;

		if (size != 0)
			return size;
		n = image_input_read(b->in, b->block + b->have, sizeof(b->block) - b->have);
		if (n < 0)
			return err_sys(e, "cannot read it");
		if (n == 0)
			return b->have ? err_set(e, -EINVAL, "it ends inside of a command") : 0;
		b->have += (size_t)n;
	}
}

static int check_rest(struct btrfs *b, struct err *e)
{
	ssize_t n = b->have ? 1 : image_input_read(b->in, b->block, sizeof(b->block));

	if (n < 0)
		return err_sys(e, "cannot read it");
	return n > 0 ? err_set(e, -EINVAL,
			       "something follows its end; an image is one subvolume")
		     : 0;
}

static int run(struct btrfs *b, struct err *e)
{
	bool at_start = true;

	for (;;) {
		struct stream_cmd c;
		long size = next_piece(b, at_start, e);
		int r = 0;

		if (size <= 0)
			return (int)size;
		if (!at_start) {
			r = stream_parse(b->block, (size_t)size, b->version, &c, e);
			if (r == 0)
				r = run_command(b, &c, e);
		}
		if (r < 0)
			return r;
		at_start = false;
		b->have -= (size_t)size;
		memmove(b->block, b->block + size, b->have);
		if (b->target.ended)
			return check_rest(b, e);
	}
}

static int check_version(struct btrfs *b, struct err *e)
{
	if (b->in->head_len < STREAM_HEAD)
		return err_set(e, -EINVAL, "it ends inside of its head");
	b->version = stream_version(b->in->head);
	if (b->version != 1 && b->version != 2)
		return err_set(
			e, -ENOTSUP,
			"it is of version %u, and 1 and 2 are known: 'btrfs send --proto "
			"2' makes that",
			b->version);
	return 0;
}

static int write_tree(struct btrfs *b, struct err *e)
{
	int r = check_version(b, e);

	if (r == 0)
		r = run(b, e);
	close_p(&b->target.openfd);
	if (r == 0 && !b->target.ended)
		r = err_set(e, -EINVAL, "it is cut off");
	if (r == 0)
		r = btrfs_left_remove(&b->left, b->target.rootfd, e);
	return r < 0 ? r : btrfs_state_save(b->in->statefd, &b->id, &b->left, e);
}

int btrfs_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
		struct extract_counts *ret_counts, struct err *e)
{
	cleanup_free struct btrfs *b = xcalloc(1, sizeof(*b));
	int r;

	b->in = in;
	b->limits = limits;
	b->target.rootfd = rootfd;
	b->target.openfd = -1;
	r = write_tree(b, e);
	if (r == 0)
		*ret_counts = b->counts;
	btrfs_left_free(&b->left);
	return r < 0 ? err_wrap(e, r, "the btrfs stream") : 0;
}
