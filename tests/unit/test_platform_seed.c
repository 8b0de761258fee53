/* SPDX-License-Identifier: MIT */
#include "platform/seed.h"

#include "base/path.h"

#include "unit.h"

struct pair {
	struct unit_dir *d;
	int from, to;
};

static struct pair p;

static int setup(void **state)
{
	(void)unit_dir_setup(state);
	p.d = *state;
	assert_int_equal(mkdirat(p.d->fd, "from", 0750), 0);
	assert_int_equal(mkdirat(p.d->fd, "to", 0700), 0);
	p.from = openat(p.d->fd, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.to = openat(p.d->fd, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p.from >= 0 && p.to >= 0);
	return 0;
}

static int teardown(void **state)
{
	(void)close(p.from);
	(void)close(p.to);
	(void)!path_remove_tree(p.d->fd, "from", NULL);
	(void)!path_remove_tree(p.d->fd, "to", NULL);
	return unit_dir_teardown(state);
}

static void files_folders_and_links_are_copied(void **state ATTR_UNUSED)
{
	char text[8] = "";
	struct stat st;
	int fd;

	assert_int_equal(path_mkdir_all(p.from, "lib/deep", 0711, NULL), 0);
	assert_int_equal(path_write_new(p.from, "lib/deep/file", "bytes", 0640, NULL), 0);
	assert_int_equal(symlinkat("/run", p.from, "run"), 0);
	assert_int_equal(mkfifoat(p.from, "fifo", 0600), 0);
	assert_int_equal(seed_copy(p.from, p.to, NULL), 0);

	fd = openat(p.to, "lib/deep/file", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	(void)close(fd);
	assert_int_equal(fstatat(p.to, "lib/deep", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(readlinkat(p.to, "run", text, sizeof(text)), 4);
	assert_int_equal(faccessat(p.to, "fifo", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstat(p.to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
}

static void what_is_there_already_is_not_overwritten(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	assert_int_equal(path_write_new(p.from, "file", "new", 0600, NULL), 0);
	assert_int_equal(path_write_new(p.to, "file", "old", 0600, NULL), 0);
	assert_int_equal(seed_copy(p.from, p.to, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "'file'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test_setup_teardown(files_folders_and_links_are_copied, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_there_already_is_not_overwritten, setup, teardown),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
