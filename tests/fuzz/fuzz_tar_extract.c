/* SPDX-License-Identifier: MIT */
/*
 * fuzz_tar_extract.c - whatever the archive is, nothing appears beside the
 * folder that it is unpacked into, and its limits hold.
 *
 * This runs the writer without its chroot and filter: the names alone must do.
 */
#include "libimgfile/decompress.h"
#include "libimgfile/format.h"

#include "base/path.h"

#include "fuzz.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* There is "root" in the scratch folder, and nothing else. */
static void check_beside(void)
{
	cleanup_close int fd = openat(scratchfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		abort();
	fd = -1;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strcmp(entry->d_name, "root") != 0)
			abort();
	(void)closedir(dir);
}

static int as_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static void extract(const uint8_t *data, size_t size, bool layer)
{
	const struct extract_limits limits = { .bytes = 1 << 16,
					       .entries = 32,
					       .layer = layer };
	struct extract_counts counts = { 0 };
	struct image_input in = { .fd = -1, .basefd = -1, .statefd = -1 };
	cleanup_close int root = -1;
	struct err e = { 0 };
	int r;

	scratch_make();
	if (mkdirat(scratchfd, "root", 0700) < 0)
		abort();
	root = openat(scratchfd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	in.fd = as_file(data, size);
	r = image_write(&in, root, &limits, &counts, &e);
	if (r < 0 && (e.code != r || !e.msg[0]))
		abort();
	if (r == 0 && (counts.bytes > limits.bytes || counts.entries > limits.entries))
		abort();
	close_p(&in.fd);
	check_beside();
	if (path_remove_tree(scratchfd, "root", NULL) < 0)
		abort();
}

/* As an image, and as a layer, whose names may take away. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	extract(data, size, false);
	extract(data, size, true);
	return 0;
}
