/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what every unit test includes instead of cmocka.h: cmocka with the
 * headers that it wants first, and a folder of the test's own.
 */
#pragma once

#include "base/macro.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct unit_dir {
	char path[32];
	int fd;
};

/* Setup and teardown with a fresh folder as the state; what is left in it fails the test. */
static inline int unit_dir_setup(void **state)
{
	struct unit_dir *d = calloc(1, sizeof(*d));

	(void)snprintf(d->path, sizeof(d->path), "/tmp/unit.XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
	*state = d;
	return 0;
}

static inline int unit_dir_teardown(void **state)
{
	struct unit_dir *d = *state;
	int r;

	(void)close(d->fd);
	r = rmdir(d->path);
	if (r < 0)
		print_error("something is left in %s\n", d->path);
	free(d);
	return r;
}

#define unit_test_in_dir(fn) \
	cmocka_unit_test_setup_teardown(fn, unit_dir_setup, unit_dir_teardown)

/* A file of NAME in D with TEXT in it. */
static inline void unit_write(const struct unit_dir *d, const char *name, const char *text)
{
	int fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static inline bool unit_exists(const struct unit_dir *d, const char *name)
{
	return faccessat(d->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
