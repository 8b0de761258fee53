/* SPDX-License-Identifier: MIT */
/*
 * image-writer ROOT STATE [BASE-STATE] - write the image on standard input below the
 * folder ROOT, as the writer process of libimgfile does, without its confinement. STATE gets
 * what the format leaves for images on top of this one.
 */
#include "base/alloc.h"
#include "libimgfile/format.h"

#include <fcntl.h>
#include <stdio.h>

#define MAX_BYTES   ((uint64_t)64 << 30)
#define MAX_ENTRIES ((uint64_t)1 << 20)

int main(int argc, char **argv)
{
	const struct extract_limits limits = { .bytes = MAX_BYTES, .entries = MAX_ENTRIES };
	cleanup_free struct image_input *in = xcalloc(1, sizeof(*in));
	struct extract_counts counts = { 0 };
	struct err e;
	int root;

	if (argc < 3 || argc > 4)
		return 2;
	root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	in->statefd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	in->basefd = argc == 4 ? open(argv[3], O_RDONLY | O_CLOEXEC) : -1;
	if (root < 0 || in->statefd < 0 || (argc == 4 && in->basefd < 0))
		return 2;
	if (image_write(in, root, &limits, &counts, &e) < 0) {
		(void)fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	return 0;
}
