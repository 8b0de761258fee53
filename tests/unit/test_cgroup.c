/* SPDX-License-Identifier: MIT */
#include "libsys/cgroup.h"

#include "libsys/cgroup_haste.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static size_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

/* Each look kept /proc/1/cgroup open: a guest that rebooted often took its supervisor all. */
static void looking_at_groups_keeps_nothing_open(void **state)
{
	size_t before;
	int top = cgroup_open_top(NULL);

	(void)state;
	if (top < 0)
		skip(); /* no version 2 here */
	close(top);
	before = count_descriptors();
	for (int i = 0; i < 8; i++) {
		(void)cgroup_has_file("", "cgroup.procs");
		(void)cgroup_find("dais-is-not-there", NULL);
		assert_int_equal(cgroup_remove("dais-is-not-there", NULL), 0);
	}
	assert_int_equal(count_descriptors(), before);
}

/* A guest that nested 64 of them could neither be started nor deleted any more. */
static void groups_are_removed_however_deep(void **state)
{
	char name[32], group[64];
	int fd, top = cgroup_open_top(NULL);

	(void)state;
	if (top < 0)
		skip();
	(void)snprintf(name, sizeof(name), "unit-%d", (int)getpid());
	(void)snprintf(group, sizeof(group), "%s/deep", name);
	if (cgroup_make(name, "deep", NULL) < 0) {
		close(top);
		skip(); /* not root, or not ours */
	}
	fd = openat(top, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 100; i++) {
		int next;

		assert_int_equal(mkdirat(fd, ".beside", 0755), 0);
		assert_int_equal(mkdirat(fd, "x", 0755), 0);
		next = openat(fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(cgroup_remove(name, NULL), 0);
	assert_int_equal(faccessat(top, name, F_OK, 0), -1);
	close(top);
}

static void read_own_group(char *ret, size_t size)
{
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, ret, size - 1);
	assert_true(n > 0);
	ret[n] = '\0';
	close(fd);
}

/* It writes to cgroup.procs: that must move nothing, and nothing of it may stay. */
static void haste_leaves_no_trace(void **state)
{
	char before[4096], after[4096];
	size_t open_before = count_descriptors();

	(void)state;
	read_own_group(before, sizeof(before));
	for (int i = 0; i < 3; i++) {
		cleanup_cgroup_haste struct cgroup_haste *h = cgroup_haste_begin();
		struct timespec pause = { .tv_nsec = 10000000 };

		if (h)
			(void)nanosleep(&pause, NULL);
	}
	cgroup_haste_end(NULL);
	read_own_group(after, sizeof(after));
	assert_string_equal(after, before);
	assert_int_equal(count_descriptors(), open_before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(looking_at_groups_keeps_nothing_open),
		cmocka_unit_test(groups_are_removed_however_deep),
		cmocka_unit_test(haste_leaves_no_trace),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
