/* SPDX-License-Identifier: MIT */
#include "libformat/disk/disk_formats.h"

#include "base/alloc.h"
#include "libformat/disk/disk.h"
#include "libformat/spool.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define HEADER      112U /* of version 3 with the kind of compression; of version 2: 72 */
#define BITS_MIN    9U
#define BITS_MAX    21U
#define L1_MAX      (4U << 20) /* entries: as many as QEMU takes */
#define OFFSET_MASK 0x00fffffffffffe00ULL
#define SECTOR      512U
#define COMPRESSED  (1ULL << 62)
#define ZERO        1ULL

/* Features that a reader has to know. */
enum { DIRTY = 1, CORRUPT = 2, EXTERNAL = 4, COMPRESSION = 8 };

struct qcow2 {
	int fd;
	struct disk *disk;
	uint64_t size;
	uint64_t l1_at;
	uint32_t l1_count;
	unsigned int bits;
	bool v3;
	bool zstd;
	uint64_t *l2;
	unsigned char *cluster, *packed;
};

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get64(const unsigned char *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

static int refuse(struct err *e, int code, const char *what)
{
	return err_set(e, code, "the qcow2 disk %s", what);
}

/* ---- header --------------------------------------------------------------- */

static int check_features(struct qcow2 *q, const unsigned char *h, struct err *e)
{
	uint64_t features = get64(h + 72);
	uint32_t len = get32(h + 100);

	if (features & EXTERNAL)
		return refuse(e, -EINVAL, "has its data in another file");
	if (features & CORRUPT)
		return refuse(e, -EINVAL, "is marked as damaged");
	if (features & ~(uint64_t)(DIRTY | COMPRESSION))
		return refuse(e, -ENOTSUP, "has features that are not known here");
	if (features & COMPRESSION && (len < 105 || h[104] > 1))
		return refuse(e, -ENOTSUP, "is compressed in an unknown way");
	q->zstd = features & COMPRESSION && h[104] == 1;
	return 0;
}

static int read_header(struct qcow2 *q, const struct extract_limits *limits, struct err *e)
{
	unsigned char h[HEADER] = { 0 };
	int r = spool_read(q->fd, 0, h, 72, e);

	if (r < 0)
		return r;
	q->v3 = get32(h + 4) == 3;
	if (!q->v3 && get32(h + 4) != 2)
		return refuse(e, -ENOTSUP, "is neither of version 2 nor of version 3");
	r = q->v3 ? spool_read(q->fd, 72, h + 72, sizeof(h) - 72, e) : 0;
	if (r < 0)
		return r;
	if (get64(h + 8) || get32(h + 16))
		return refuse(e, -EINVAL, "is on top of another file (a backing file)");
	if (get32(h + 32))
		return refuse(e, -EINVAL, "is encrypted");
	q->bits = get32(h + 20);
	q->size = get64(h + 24);
	q->l1_count = get32(h + 36);
	q->l1_at = get64(h + 40);
	if (q->bits < BITS_MIN || q->bits > BITS_MAX)
		return refuse(e, -EINVAL, "has clusters of an impossible size");
	r = disk_check_size(limits, q->size, e);
	if (r == 0 && q->v3)
		r = check_features(q, h, e);
	if (r < 0)
		return r;
	/* An entry of L1 stands for a cluster full of entries of L2. */
	if (q->l1_count > L1_MAX ||
	    q->l1_count < (q->size + (1ULL << (2 * q->bits - 3)) - 1) >> (2 * q->bits - 3))
		return refuse(e, -EINVAL, "has a table that does not fit its size");
	return 0;
}

/* ---- clusters ------------------------------------------------------------- */

static bool inflate_cluster(struct qcow2 *q, size_t len)
{
	size_t size = (size_t)1 << q->bits;
	z_stream z = { .next_in = q->packed,
		       .avail_in = (uInt)len,
		       .next_out = q->cluster,
		       .avail_out = (uInt)size };
	int r;

	if (inflateInit2(&z, -12) != Z_OK)
		return false;
	r = inflate(&z, Z_FINISH);
	(void)inflateEnd(&z);
	/* There may be more, of the next cluster. */
	return (r == Z_STREAM_END || r == Z_BUF_ERROR || r == Z_OK) && z.avail_out == 0;
}

static bool unzstd_cluster(struct qcow2 *q, size_t len)
{
	ZSTD_outBuffer out = { q->cluster, (size_t)1 << q->bits, 0 };
	ZSTD_inBuffer in = { q->packed, len, 0 };
	ZSTD_DStream *d = ZSTD_createDStream();
	size_t r = 0;

	if (!d)
		return false;
	(void)ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, BITS_MAX);
	while (out.pos < out.size && in.pos < in.size) {
		size_t before = in.pos + out.pos;

		r = ZSTD_decompressStream(d, &out, &in);
		if (ZSTD_isError(r) || in.pos + out.pos == before)
			break;
	}
	(void)ZSTD_freeDStream(d);
	return !ZSTD_isError(r) && out.pos == out.size;
}

/* It begins anywhere, and its length is told in sectors; the last may be cut by the file's end.
 */
static int read_packed(struct qcow2 *q, uint64_t at, size_t *len, struct err *e)
{
	ssize_t n;

	if (at > INT64_MAX - *len)
		return refuse(e, -EINVAL, "points beyond its end");
	n = pread(q->fd, q->packed, *len, (off_t)at);
	if (n < 0)
		return err_sys(e, "cannot read the image's file");
	*len = (size_t)n;
	return 0;
}

static int read_compressed(struct qcow2 *q, uint64_t entry, struct err *e)
{
	unsigned int x = 62 - (q->bits - 8);
	uint64_t at = entry & ((1ULL << x) - 1);
	uint64_t sectors = (entry & (COMPRESSED - 1)) >> x;
	size_t len = (size_t)(SECTOR * (sectors + 1) - at % SECTOR);
	int r;

	if (len > ((size_t)2 << q->bits) + SECTOR)
		return refuse(e, -EINVAL, "has a compressed cluster that is too large");
	r = read_packed(q, at, &len, e);
	if (r < 0)
		return r;
	if (!(q->zstd ? unzstd_cluster(q, len) : inflate_cluster(q, len)))
		return refuse(e, -EINVAL, "has a damaged cluster");
	return 0;
}

static int copy_cluster(struct qcow2 *q, uint64_t at, uint64_t entry, struct err *e)
{
	size_t size = (size_t)1 << q->bits;
	uint64_t offset = entry & OFFSET_MASK;
	int r;

	if (!(entry & COMPRESSED) && (offset == 0 || (q->v3 && (entry & ZERO))))
		return 0;
	if (!(entry & COMPRESSED) && offset % size)
		return refuse(e, -EINVAL, "has a cluster in an impossible place");
	if (entry & COMPRESSED) {
		r = read_compressed(q, entry, e);
	} else {
		/* The last cluster of the file may be cut to the disk's size. */
		size_t left = q->size - at < size ? (size_t)(q->size - at) : size;

		r = spool_read(q->fd, offset, q->cluster, left, e);
	}
	if (r < 0)
		return r;
	return disk_write(q->disk, at, q->cluster, q->size - at < size ? q->size - at : size,
			  e);
}

/* One cluster of entries: L2. */
static int copy_table(struct qcow2 *q, uint64_t at, uint64_t entry, struct err *e)
{
	size_t count = (size_t)1 << (q->bits - 3);
	uint64_t offset = entry & OFFSET_MASK;
	int r;

	if (offset == 0)
		return 0;
	if (offset & ((1ULL << q->bits) - 1))
		return refuse(e, -EINVAL, "has a table in an impossible place");
	r = spool_read(q->fd, offset, q->l2, count * sizeof(*q->l2), e);
	for (size_t i = 0; r == 0 && i < count && at < q->size; i++, at += 1ULL << q->bits)
		r = copy_cluster(q, at, get64((const unsigned char *)&q->l2[i]), e);
	return r;
}

static int copy_tables(struct qcow2 *q, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < q->l1_count; i++) {
		uint64_t at = (uint64_t)i << (2 * q->bits - 3);
		unsigned char entry[8];

		if (at >= q->size)
			break;
		r = spool_read(q->fd, q->l1_at + 8ULL * i, entry, sizeof(entry), e);
		if (r == 0)
			r = copy_table(q, at, get64(entry), e);
	}
	return r;
}

int qcow2_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
		struct extract_counts *ret_counts, struct err *e)
{
	cleanup_disk struct disk d = { .fd = -1 };
	struct qcow2 q = { .disk = &d };
	uint64_t file_size;
	int r;

	if (in->basefd >= 0)
		return refuse(e, -EINVAL, "is a whole one, and the manifest names an origin");
	q.fd = spool_input(in, rootfd, limits, &file_size, e);
	if (q.fd < 0)
		return q.fd;
	r = read_header(&q, limits, e);
	if (r == 0)
		r = disk_open(rootfd, false, limits, &d, e);
	if (r == 0) {
		q.l2 = xmalloc((size_t)1 << q.bits);
		q.cluster = xmalloc((size_t)1 << q.bits);
		q.packed = xmalloc(((size_t)2 << q.bits) + SECTOR);
		r = copy_tables(&q, e);
	}
	if (r == 0)
		r = disk_finish(&d, q.size, ret_counts, e);
	free(q.l2);
	free(q.cluster);
	free(q.packed);
	close_p(&q.fd);
	return r;
}
