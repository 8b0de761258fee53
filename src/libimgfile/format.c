/* SPDX-License-Identifier: MIT */
#include "libimgfile/format.h"

#include "base/alloc.h"
#include "libformat/btrfs/btrfs.h"
#include "libformat/disk/disk_formats.h"
#include "libformat/squashfs/squashfs.h"
#include "libformat/tar/tar.h"
#include "libformat/zfs/zfs.h"

#include <string.h>

/* ---- faces ---------------------------------------------------------------- */

#define BLOCK      512
#define SUM_OFFSET 148
#define SUM_LEN    8

/* Octal digits between blanks, as the field of a tar's checksum has them. */
static unsigned int read_octal(const unsigned char *p, size_t len)
{
	unsigned int n = 0;

	for (; len > 0 && *p == ' '; p++)
		len--;
	for (; len > 0 && *p >= '0' && *p <= '7'; p++, len--)
		n = n * 8 + (unsigned int)(*p - '0');
	return n;
}

/* Old archives have no magic, but all have the sum of their first block; an empty one is zeros.
 */
static bool is_tar(const unsigned char *head, size_t len)
{
	unsigned int sum = 0, plain = 0;

	if (len < BLOCK)
		return false;
	for (size_t i = 0; i < BLOCK; i++) {
		bool in_sum = i >= SUM_OFFSET && i < SUM_OFFSET + SUM_LEN;

		sum += in_sum ? ' ' : head[i];
		plain += head[i];
	}
	return plain == 0 || sum == read_octal(head + SUM_OFFSET, SUM_LEN);
}

static bool has(const unsigned char *head, size_t len, size_t at, const char *magic, size_t n)
{
	return len >= at + n && memcmp(head + at, magic, n) == 0;
}

static bool is_zfs(const unsigned char *head, size_t len)
{
	return has(head, len, 8, "\xac\xcb\xba\xf5\x02\0\0\0", 8) ||
	       has(head, len, 8, "\0\0\0\x02\xf5\xba\xcb\xac", 8);
}

static bool is_qcow2(const unsigned char *head, size_t len)
{
	return has(head, len, 0, "QFI\xfb", 4);
}

static bool is_squashfs(const unsigned char *head, size_t len)
{
	return has(head, len, 0, "hsqs", 4);
}

static bool is_btrfs(const unsigned char *head, size_t len)
{
	return has(head, len, 0, "btrfs-stream\0", 13);
}

/* A boot sector or a partition table. */
static bool is_disk(const unsigned char *head, size_t len)
{
	return has(head, len, 510, "\x55\xaa", 2) || has(head, len, 512, "EFI PART", 8);
}

/* The surest first: a boot sector is two bytes. */
const struct image_format image_formats[] = {
	{ "ZFS send stream", is_zfs, zfs_write },
	{ "btrfs send stream", is_btrfs, btrfs_write },
	{ "qcow2 disk", is_qcow2, qcow2_write },
	{ "squashfs file system", is_squashfs, squashfs_write },
	{ "tar archive", is_tar, tar_write },
	{ "raw disk", is_disk, raw_write },
	{ NULL, NULL, NULL },
};

const struct image_format *image_format_probe(const unsigned char *head, size_t len)
{
	for (const struct image_format *f = image_formats; f->name; f++)
		if (f->probe(head, len))
			return f;
	return NULL;
}

/*
 * A disk without a boot sector has a face of nothing, as an empty archive has, or one that
 * nobody knows: a file system of its own, or what its user put there.
 */
static const struct image_format *find_format(const struct image_input *in, bool disk)
{
	const struct image_format *f = image_format_probe(in->head, in->head_len);

	if (!disk || (f && (f->write != tar_write || in->head[0] != '\0')))
		return f;
	for (f = image_formats; f->write != raw_write; f++)
		;
	return f;
}

/* ---- bytes ---------------------------------------------------------------- */

static int read_head(struct image_input *in, struct err *e)
{
	while (in->head_len < sizeof(in->head)) {
		ssize_t n = image_input_fetch(in, in->head + in->head_len,
					      sizeof(in->head) - in->head_len);

		if (n < 0)
			return err_sys(e, "cannot read the image");
		if (n == 0)
			break;
		in->head_len += (size_t)n;
	}
	return 0;
}

/*
 * What nobody knows is read to its end: damage in its wrapping would be the better
 * news. What is known is what it is.
 */
static int refuse(struct image_input *in, const struct image_format *f, struct err *e)
{
	int r;

	if (f)
		return err_set(e, -ENOTSUP, "the file is a %s, which cannot be installed yet",
			       f->name);
	r = image_input_drain(in, e);
	return r < 0 ? r
		     : err_set(e, -EINVAL,
			       "the file is not a tar archive, nor anything else that images "
			       "come in");
}

int image_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
		struct extract_counts *ret_counts, struct err *e)
{
	const struct image_format *f;
	int r = read_head(in, e);

	if (r < 0)
		return r;
	f = find_format(in, limits->disk);
	if (!f || !f->write)
		return refuse(in, f, e);
	r = f->write(in, rootfd, limits, ret_counts, e);
	/* What a format needs not is part of the file all the same. */
	if (r == 0 && in->digest)
		r = image_input_drain(in, e);
	if (r == 0)
		ret_counts->format = (uint32_t)(f - image_formats);
	return r;
}
