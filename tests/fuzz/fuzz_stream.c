/* SPDX-License-Identifier: MIT */
/*
 * fuzz_stream.c - whatever the commands of a file system's stream are, nothing appears
 * beside the tree that they are for, and no file grows over a bound.
 *
 * This runs them without chroot and filter: the names alone must do. The checksum of each
 * command is set right, or nothing would get far.
 */
#include "libstore/btrfs/stream.h"

#include "base/crc32c.h"
#include "base/macro.h"
#include "base/path.h"

#include "fuzz.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void check_beside(void)
{
	int fd = openat(scratchfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		abort();
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "root") != 0)
			abort();
	(void)closedir(dir);
}

/* Of the command at P, SIZE bytes. */
static void set_crc(uint8_t *p, size_t size)
{
	uint32_t crc;

	memset(p + 6, 0, 4);
	crc = crc32c(0, p, size);
	for (int i = 0; i < 4; i++)
		p[6 + i] = (uint8_t)(crc >> (8 * i));
}

/* Sizes that a file of the scratch folder should not get. */
static bool is_small(const struct stream_cmd *c)
{
	uint64_t n = 0;
	struct err e;

	if (c->command == STREAM_WRITE && stream_number(c, ATTR_FILE_OFFSET, &n, &e) < 0)
		return true;
	if (c->command == STREAM_TRUNCATE && stream_number(c, ATTR_SIZE, &n, &e) < 0)
		return true;
	return n < 1 << 20;
}

static void run(uint8_t *data, size_t size, int rootfd)
{
	struct stream_target t = { .rootfd = rootfd, .openfd = -1 };
	struct err e = { 0 };
	unsigned int version = 0;
	size_t at = 0;
	int r = 0;

	while (r == 0 && at < size) {
		struct stream_cmd c;
		long len = stream_piece(data + at, size - at, at == 0, &e);

		if (len < 0 && !e.msg[0])
			abort();
		if (len <= 0)
			break;
		if (!at)
			version = stream_version(data);
		if (at) {
			set_crc(data + at, (size_t)len);
			r = stream_parse(data + at, (size_t)len, version, &c, &e);
			if (r == 0 && is_small(&c))
				r = stream_apply(&t, &c, &e);
		}
		at += (size_t)len;
	}
	if (r < 0 && (e.code != r || !e.msg[0]))
		abort();
	close_p(&t.openfd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	int root;

	if (!copy)
		abort();
	scratch_make();
	if (mkdirat(scratchfd, "root", 0700) < 0)
		abort();
	root = openat(scratchfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memcpy(copy, data, size);
	run(copy, size, root);
	free(copy);
	(void)close(root);
	check_beside();
	(void)fchmodat(scratchfd, "root", 0700, 0);
	if (path_remove_tree(scratchfd, "root", NULL) < 0)
		abort();
	return 0;
}
