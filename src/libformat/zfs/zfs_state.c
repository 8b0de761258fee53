/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs_private.h"

#include "base/alloc.h"
#include "libformat/zfs/zstream_private.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * The state is a ZFS stream itself, of all objects whose data is not in the tree: what
 * reads it checks it as it checks any other.
 */
#define MAGIC     0x2F5bacbacULL
#define FEATURES  (ZFEATURE_LARGE_BLOCK | 1ULL << 23)
#define SUBSTREAM 1

struct writer {
	int fd;
	bool big;
	uint64_t sum[4];
};

static void put32(const struct writer *w, unsigned char *rec, size_t at, uint32_t v)
{
	v = w->big ? __builtin_bswap32(v) : v;
	memcpy(rec + at, &v, sizeof(v));
}

static void put64(const struct writer *w, unsigned char *rec, size_t at, uint64_t v)
{
	v = w->big ? __builtin_bswap64(v) : v;
	memcpy(rec + at, &v, sizeof(v));
}

static int put_bytes(struct writer *w, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	zstream_sum(w->big, w->sum, data, len);
	while (len > 0) {
		ssize_t n = write(w->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write the image's state");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int put_begin(struct writer *w, const struct zstream_head *head, struct err *e)
{
	unsigned char rec[ZREC_SIZE] = { 0 };

	put64(w, rec, 8, MAGIC);
	put64(w, rec, 16, SUBSTREAM | FEATURES << 2);
	put32(w, rec, 32, head->type);
	put64(w, rec, 40, head->toguid);
	return put_bytes(w, rec, sizeof(rec), e);
}

static int put_end(struct writer *w, const struct zstream_head *head, struct err *e)
{
	unsigned char rec[ZREC_SIZE] = { 0 };

	put32(w, rec, 0, ZREC_END);
	for (size_t i = 0; i < 4; i++)
		put64(w, rec, 8 + 8 * i, w->sum[i]);
	put64(w, rec, 40, head->toguid);
	return put_bytes(w, rec, sizeof(rec), e);
}

static int put_object(struct writer *w, struct zfs *z, const struct zfs_object *o,
		      struct err *e)
{
	unsigned char rec[ZREC_SIZE] = { 0 };
	unsigned char bonus[32 * 512] = { 0 };
	int r = zfs_read_meta(z, o->bonus_at, bonus, o->bonus_len, e);

	put32(w, rec, 0, ZREC_OBJECT);
	put64(w, rec, 8, o->number);
	put32(w, rec, 16, o->type);
	put32(w, rec, 20, o->bonus_type);
	put32(w, rec, 24, o->block_size);
	put32(w, rec, 28, o->bonus_len);
	rec[34] = 32; /* slots: the most that there are, as how many it had is of no use */
	rec[35] = o->spill_len ? 4 : 0;
	if (r == 0)
		r = put_bytes(w, rec, sizeof(rec), e);
	return r < 0 ? r : put_bytes(w, bonus, ((size_t)o->bonus_len + 7) & ~(size_t)7, e);
}

static int put_spill(struct writer *w, struct zfs *z, const struct zfs_object *o, struct err *e)
{
	cleanup_free unsigned char *block = xmalloc((size_t)o->spill_len + 1);
	unsigned char rec[ZREC_SIZE] = { 0 };
	int r = zfs_read_meta(z, o->spill_at, block, o->spill_len, e);

	put32(w, rec, 0, ZREC_SPILL);
	put64(w, rec, 8, o->number);
	put64(w, rec, 16, o->spill_len);
	if (r == 0)
		r = put_bytes(w, rec, sizeof(rec), e);
	return r < 0 ? r : put_bytes(w, block, o->spill_len, e);
}

static int put_data(struct writer *w, struct zfs *z, struct zfs_object *o, struct err *e)
{
	cleanup_free unsigned char *block = xmalloc(o->block_size);
	int fd = zfs_open_data(z, o, e);
	int r = fd < 0 ? fd : 0;

	for (uint64_t at = 0; r == 0 && at < z->data_size; at += o->block_size) {
		unsigned char rec[ZREC_SIZE] = { 0 };
		ssize_t n = pread(fd, block, o->block_size, (off_t)at);

		if (n < 0)
			return err_sys(e, "cannot read an object's data");
		memset(block + n, 0, o->block_size - (size_t)n);
		put32(w, rec, 0, ZREC_WRITE);
		put64(w, rec, 8, o->number);
		put32(w, rec, 16, o->type);
		put64(w, rec, 24, at);
		put64(w, rec, 32, o->block_size);
		r = put_bytes(w, rec, sizeof(rec), e);
		if (r == 0)
			r = put_bytes(w, block, o->block_size, e);
	}
	return r;
}

int zfs_save_guid(int fd, const struct zstream_head *head, struct err *e)
{
	struct writer w = { .fd = fd, .big = head->big };
	int r = fd < 0 ? 0 : put_begin(&w, head, e);

	return r < 0 || fd < 0 ? r : put_end(&w, head, e);
}

int zfs_save_state(struct zfs *z, struct err *e)
{
	struct writer w = { .fd = z->in->statefd, .big = z->head.big };
	int r;

	if (w.fd < 0)
		return 0;
	r = put_begin(&w, &z->head, e);
	for (size_t i = 0; r == 0 && i < z->table_cap; i++) {
		struct zfs_object *o = &z->table[i];

		if (!o->live)
			continue;
		r = put_object(&w, z, o, e);
		if (r == 0 && o->spill_len)
			r = put_spill(&w, z, o, e);
		if (r == 0 && o->has_data && (o->type != ZFS_PLAIN_FILE || o->attribute))
			r = put_data(&w, z, o, e);
	}
	return r < 0 ? r : put_end(&w, &z->head, e);
}

int zfs_check_base(const struct image_input *in, const struct zstream_head *head,
		   const struct zstream_head *base, struct err *e)
{
	if (in->basefd < 0 && head->fromguid)
		return err_set(e, -EINVAL,
			       "the ZFS stream is incremental (on the snapshot with the guid "
			       "%llu), and the manifest names no origin",
			       (unsigned long long)head->fromguid);
	if (in->basefd >= 0 && !head->fromguid)
		return err_set(e, -EINVAL,
			       "the ZFS stream is a full one, and the manifest names an "
			       "origin");
	if (!base)
		return 0;
	if (base->type != head->type || base->toguid != head->fromguid)
		return err_set(e, -EINVAL,
			       "the ZFS stream is incremental on the snapshot with the guid "
			       "%llu, the origin is %llu",
			       (unsigned long long)head->fromguid,
			       (unsigned long long)base->toguid);
	if (base->big != head->big && head->type == ZSTREAM_FILESYSTEM)
		return err_set(e, -ENOTSUP,
			       "the ZFS stream and its origin's have different byte "
			       "orders");
	return 0;
}

int zfs_load_state(struct zfs *z, struct err *e)
{
	cleanup_free struct image_input *base = xcalloc(1, sizeof(*base));
	const struct zstream_sink sink = { &zfs_object_ops, z };
	struct stat st;
	int r;

	if (z->in->basefd < 0)
		return 0;
	if (fstat(z->in->basefd, &st) < 0 || st.st_size == 0)
		return err_set(e, -EINVAL,
			       "the ZFS stream is incremental, and the origin did not come "
			       "as a ZFS stream");
	base->fd = z->in->basefd;
	z->loading = true;
	r = zstream_read(base, &sink, e);
	z->loading = false;
	z->counts = (struct extract_counts){ 0 };
	return r;
}
