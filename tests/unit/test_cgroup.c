/* SPDX-License-Identifier: MIT */
#include "libsys/cgroup.h"

#include "libsys/cgroup_haste.h"
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
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

/* ---- leaving ------------------------------------------------------------------- */

#define LEGACY "/sys/fs/cgroup/pids"

static bool fails_once;

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	char name[32], path[128];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = fails_once ? readlink(name, path, sizeof(path) - 1) : 0;
	path[n > 0 ? n : 0] = '\0';
	if (strcmp(path, LEGACY "/cgroup.procs") != 0)
		return __real_write(fd, data, size);
	fails_once = false;
	errno = ENOMEM;
	return -1;
}

/* 0: it was in a group of the hierarchy of version 1, failed once to leave, and is out. */
static int enter_and_leave(const char *group)
{
	cleanup_close int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	char text[4096];

	if (procs < 0 || write(procs, "0", 1) != 1)
		return 1;
	fails_once = true;
	if (cgroup_enter("", NULL) < 0)
		return 2;
	read_own_group(text, sizeof(text));
	return fails_once ? 3 : strstr(text, ":pids:/unit-") ? 4 : 0;
}

/* A supervisor stayed in the group that it had to remove: a stop took longer than it may. */
static void what_cannot_be_left_at_once_is_left_then(void **state)
{
	char group[64];
	int status = 0;
	pid_t pid;

	(void)state;
	(void)snprintf(group, sizeof(group), LEGACY "/unit-%d", (int)getpid());
	if (cgroup_is_unified() || mkdir(group, 0755) < 0)
		skip(); /* only version 2; not root */
	pid = fork();
	if (pid == 0)
		_exit(enter_and_leave(group));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rmdir(group), 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(looking_at_groups_keeps_nothing_open),
		cmocka_unit_test(groups_are_removed_however_deep),
		cmocka_unit_test(haste_leaves_no_trace),
		cmocka_unit_test(what_cannot_be_left_at_once_is_left_then),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
