/* SPDX-License-Identifier: MIT */
#include "libformat/disk/disk.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH    ((size_t)1 << 20)
#define SEND_MIN (16U << 20)
#define PAGE     4096U
#define MODE     0600

bool disk_is_zero(const unsigned char *p, size_t len)
{
	static const unsigned char zeros[16];

	if (len < sizeof(zeros))
		return memcmp(p, zeros, len) == 0;
	/* The first bytes are zero, and each other is as the one before it. */
	return memcmp(p, zeros, sizeof(zeros)) == 0 &&
	       memcmp(p, p + sizeof(zeros), len - sizeof(zeros)) == 0;
}

int disk_check_size(const struct extract_limits *limits, uint64_t size, struct err *e)
{
	if (size == 0)
		return err_set(e, -EINVAL, "the disk has no size");
	if (size <= limits->bytes)
		return 0;
	return err_set(e, -EFBIG,
		       "a disk of %llu bytes is more than the %llu that may be "
		       "unpacked (--max-size, and what the pool has free)",
		       (unsigned long long)size, (unsigned long long)limits->bytes);
}

int disk_open(int rootfd, bool based, const struct extract_limits *limits, struct disk *ret,
	      struct err *e)
{
	struct stat st = { 0 };
	int fd = openat(rootfd, DISK_FILE,
			O_RDWR | O_NOFOLLOW | O_CLOEXEC | (based ? 0 : O_CREAT | O_EXCL), MODE);

	if (fd < 0 && based && errno == ENOENT)
		return err_set(e, -EINVAL, "the origin has no disk to go on with");
	if (fd < 0 || fstat(fd, &st) < 0) {
		int r = err_sys(e, "cannot create the disk '%s'", DISK_FILE);

		close_p(&fd);
		return r;
	}
	*ret = (struct disk){ .fd = fd,
			      .max = limits->bytes,
			      .high = (uint64_t)st.st_size,
			      .batch = xmalloc(BATCH) };
	return 0;
}

/* So that the end waits for little. What goes wrong is told when the image is published. */
static void begin_writing(struct disk *d, size_t len)
{
	d->unsent += len;
	if (d->unsent < SEND_MIN)
		return;
	d->unsent = 0;
	(void)sync_file_range(d->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static int flush(struct disk *d, struct err *e)
{
	size_t done = 0;

	while (done < d->batch_len) {
		ssize_t n = pwrite(d->fd, d->batch + done, d->batch_len - done,
				   (off_t)(d->batch_at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot write the disk");
		done += (size_t)n;
	}
	if (d->batch_len && d->batch_at + d->batch_len > d->high)
		d->high = d->batch_at + d->batch_len;
	begin_writing(d, d->batch_len);
	d->batch_len = 0;
	return 0;
}

int disk_punch(struct disk *d, uint64_t offset, uint64_t len, struct err *e)
{
	int r = flush(d, e);

	if (r < 0 || offset >= d->high)
		return r;
	if (len > d->high - offset)
		len = d->high - offset;
	if (len && fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			     (off_t)len) < 0)
		return err_sys(e, "cannot make a hole in the disk");
	return 0;
}

static int add(struct disk *d, uint64_t offset, const unsigned char *p, size_t len,
	       struct err *e)
{
	int r = 0;

	if (d->batch_len &&
	    (d->batch_at + d->batch_len != offset || d->batch_len + len > BATCH))
		r = flush(d, e);
	if (r < 0)
		return r;
	if (d->batch_len == 0)
		d->batch_at = offset;
	memcpy(d->batch + d->batch_len, p, len);
	d->batch_len += len;
	d->data += len;
	return 0;
}

/* Does anything but a hole begin there? What is in the batch is. */
static bool is_hole(const struct disk *d, uint64_t offset)
{
	return offset >= d->high && (d->batch_len == 0 || offset >= d->batch_at + d->batch_len);
}

int disk_write(struct disk *d, uint64_t offset, const void *data, size_t len, struct err *e)
{
	const unsigned char *p = data;
	int r = 0;

	if (offset > d->max || len > d->max - offset || d->data > d->max)
		return err_set(e, -EFBIG, "the disk has more than %llu bytes",
			       (unsigned long long)d->max);
	while (r == 0 && len > 0) {
		size_t n = PAGE - offset % PAGE;

		n = n < len ? n : len;
		if (!disk_is_zero(p, n))
			r = add(d, offset, p, n, e);
		else if (!is_hole(d, offset))
			r = disk_punch(d, offset, n, e);
		p += n;
		offset += n;
		len -= n;
	}
	return r;
}

int disk_read(struct disk *d, uint64_t offset, void *data, size_t len, struct err *e)
{
	int r = flush(d, e);
	size_t done = 0;

	while (r == 0 && done < len) {
		ssize_t n =
			pread(d->fd, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the disk");
		if (n == 0)
			break;
		done += (size_t)n;
	}
	if (r == 0)
		memset((char *)data + done, 0, len - done);
	return r;
}

int disk_finish(struct disk *d, uint64_t size, struct extract_counts *ret_counts, struct err *e)
{
	const struct extract_limits limits = { .bytes = d->max };
	int r = disk_check_size(&limits, size, e);

	if (r == 0)
		r = flush(d, e);
	if (r < 0)
		return r;
	if (ftruncate(d->fd, (off_t)size) < 0)
		return err_sys(e, "cannot set the disk's size");
	ret_counts->entries = 1;
	ret_counts->bytes = d->data;
	ret_counts->disk = size;
	return 0;
}

void disk_close(struct disk *d)
{
	close_p(&d->fd);
	d->fd = -1;
	free(d->batch);
	d->batch = NULL;
}
