/* SPDX-License-Identifier: MIT */
#include "libsys/cgroup.h"

#include "unit.h"

#include <dirent.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looking_at_groups_keeps_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
