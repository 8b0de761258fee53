/* SPDX-License-Identifier: MIT */
#include "base/path.h"
#include "libsys/host.h"

#include "unit.h"

struct fixture {
	struct unit_dir *d;
	struct host h;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = { 0 };

	assert_int_equal(unit_dir_setup((void **)&f->d), 0);
	if (host_open(&f->h, f->d->path, &e) < 0)
		fail_msg("%s", e.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const made[] = { "etc", "run", "var", "elsewhere", "zones" };
	struct fixture *f = *state;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		assert_int_equal(path_remove_tree(f->d->fd, made[i], NULL), 0);
	host_close(&f->h);
	r = unit_dir_teardown((void **)&f->d);
	free(f);
	return r;
}

static mode_t mode_of(const struct fixture *f, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(f->d->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void a_folder_is_made_with_its_mode_whatever_the_umask(void **state)
{
	struct fixture *f = *state;
	mode_t old = umask(0077);
	int fd = host_dir(&f->h, HOST_JOURNAL, 0711, NULL);
	int again = host_dir(&f->h, HOST_JOURNAL, 0700, NULL);

	(void)umask(old);
	assert_true(fd >= 0 && again >= 0);
	assert_int_equal(mode_of(f, HOST_JOURNAL), 0711);
	assert_int_equal(mode_of(f, "etc"), 0755);
	close(fd);
	close(again);
}

static void who_only_looks_makes_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	int fd;

	assert_int_equal(host_dir_existing(&f->h, HOST_RECORDS, &e), -ENOENT);
	assert_false(unit_exists(f->d, "etc"));

	fd = host_dir(&f->h, HOST_RECORDS, 0700, NULL);
	close(fd);
	fd = host_dir_existing(&f->h, HOST_RECORDS, NULL);
	assert_true(fd >= 0);
	close(fd);
}

/* A link of the root leads where that root's own kernel would go, never out. */
static void links_stay_below_the_root(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(mkdirat(f->d->fd, "elsewhere", 0755), 0);
	assert_int_equal(symlinkat("/elsewhere", f->d->fd, "etc"), 0);
	fd = host_dir(&f->h, HOST_RECORDS, 0700, NULL);
	assert_true(fd >= 0);
	close(fd);
	assert_true(unit_exists(f->d, "elsewhere/zones"));
}

static void a_file_in_the_way_is_said(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	char want[128];

	unit_write(f->d, "run", "");
	assert_int_equal(host_dir(&f->h, HOST_RUN, 0700, &e), -ENOTDIR);
	(void)snprintf(want, sizeof(want),
		       "cannot open the folder '%s/run/dais': Not a directory", f->d->path);
	assert_string_equal(e.msg, want);
}

static void paths_start_with_the_root(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *path = host_path(&f->h, HOST_POOL, "x");
	cleanup_free char *top = NULL;
	struct host real;
	char want[128];

	(void)snprintf(want, sizeof(want), "%s/zones/x", f->d->path);
	assert_string_equal(path, want);

	assert_int_equal(host_open(&real, NULL, NULL), 0);
	assert_string_equal(real.root, "");
	top = host_path(&real, HOST_POOL, "x");
	assert_string_equal(top, "/zones/x");
	host_close(&real);
}

static void a_root_that_is_not_there_is_said(void **state ATTR_UNUSED)
{
	struct err e = { 0 };
	struct host h;

	assert_int_equal(host_open(&h, "/does/not/exist", &e), -ENOENT);
	assert_string_equal(
		e.msg,
		"cannot find the root folder '/does/not/exist': No such file or directory");
	assert_int_equal(host_open(&h, "/dev/null", &e), -ENOTDIR);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(a_folder_is_made_with_its_mode_whatever_the_umask),
		TEST(who_only_looks_makes_nothing),
		TEST(links_stay_below_the_root),
		TEST(a_file_in_the_way_is_said),
		TEST(paths_start_with_the_root),
		cmocka_unit_test(a_root_that_is_not_there_is_said),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
