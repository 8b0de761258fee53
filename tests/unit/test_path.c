/* SPDX-License-Identifier: MIT */
#include "base/path.h"

#include "unit.h"

#include <sys/mount.h>
#include <sys/resource.h>

/* The linker sends unlinkat() here (see base.mk), so a test can make it fail. */
static int unlink_errno;
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int dirfd, const char *name, int flags);

int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
	if (unlink_errno) {
		errno = unlink_errno;
		return -1;
	}
	return __real_unlinkat(dirfd, name, flags);
}

static void remove_tree(const struct unit_dir *d, const char *name)
{
	struct err e = { 0 };

	if (path_remove_tree(d->fd, name, &e) < 0)
		fail_msg("%s", e.msg);
	assert_false(unit_exists(d, name));
}

static void missing_parents_are_made(void **state)
{
	struct unit_dir *d = *state;
	struct stat st;

	assert_int_equal(path_mkdir_all(d->fd, "a//b/c/", 0700, NULL), 0);
	assert_int_equal(path_mkdir_all(d->fd, "a/b/c", 0700, NULL), 0);
	assert_int_equal(fstatat(d->fd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	remove_tree(d, "a");
}

static void a_file_in_the_way_is_said(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };

	unit_write(d, "f", "");
	assert_int_equal(path_mkdir_all(d->fd, "f/sub", 0700, &e), -ENOTDIR);
	assert_string_equal(e.msg, "cannot make the folder 'f': Not a directory");
	assert_int_equal(path_mkdir_all(d->fd, "", 0700, &e), -EINVAL);
	remove_tree(d, "f");
}

static void nothing_leads_out_of_the_root(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };
	int fd;

	assert_int_equal(path_mkdir_all(d->fd, "etc", 0700, NULL), 0);
	unit_write(d, "etc/f", "inside");
	assert_int_equal(symlinkat("/etc", d->fd, "link"), 0);
	assert_int_equal(symlinkat("f", d->fd, "etc/file-link"), 0);

	fd = path_open_in_root(d->fd, "/etc/f", O_RDONLY, 0, &e);
	assert_true(fd >= 0);
	close(fd);
	fd = path_open_in_root(d->fd, "../../../etc/f", O_RDONLY, 0, &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(path_open_in_root(d->fd, "/link/f", O_RDONLY, 0, &e), -ELOOP);
	assert_int_equal(path_open_in_root(d->fd, "/etc/file-link", O_RDONLY, 0, &e), -ELOOP);
	assert_int_equal(path_open_in_root(d->fd, "/etc/passwd", O_RDONLY, 0, &e), -ENOENT);
	assert_string_equal(e.msg, "cannot open '/etc/passwd': No such file or directory");

	fd = path_open_in_root(d->fd, "new", O_WRONLY | O_CREAT, 0640, &e);
	assert_true(fd >= 0);
	close(fd);
	remove_tree(d, "etc");
	remove_tree(d, "link");
	remove_tree(d, "new");
}

static void a_tree_is_removed_and_links_are_not_followed(void **state)
{
	struct unit_dir *d = *state;

	assert_int_equal(path_mkdir_all(d->fd, "keep", 0700, NULL), 0);
	unit_write(d, "keep/f", "");
	assert_int_equal(path_mkdir_all(d->fd, "t/a/b", 0700, NULL), 0);
	unit_write(d, "t/a/f", "");
	assert_int_equal(symlinkat("../../keep", d->fd, "t/a/link"), 0);
	assert_int_equal(mkfifoat(d->fd, "t/fifo", 0600), 0);

	remove_tree(d, "t");
	assert_true(unit_exists(d, "keep/f"));
	remove_tree(d, "keep");
	remove_tree(d, "was never there");
}

/* Deeper than there are descriptors, and deeper than a path name reaches. */
static void depth_is_no_limit(void **state)
{
	struct unit_dir *d = *state;
	struct rlimit old, few = { .rlim_cur = 128 };
	int fd = dup(d->fd);

	for (int i = 0; i < 1200; i++) {
		int next;

		assert_int_equal(mkdirat(fd, i ? "deeper" : "t", 0700), 0);
		next = openat(fd, i ? "deeper" : "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	remove_tree(d, "t");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void another_file_system_stops_it(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };
	char target[64];

	assert_int_equal(path_mkdir_all(d->fd, "t/mnt", 0700, NULL), 0);
	(void)snprintf(target, sizeof(target), "%s/t/mnt", d->path);
	if (mount("none", target, "tmpfs", 0, "size=64k") < 0) {
		remove_tree(d, "t");
		skip(); /* needs root */
	}
	assert_int_equal(path_remove_tree(d->fd, "t", &e), -EXDEV);
	assert_string_equal(e.msg, "'mnt' is on another file system");
	assert_int_equal(umount2(target, MNT_DETACH), 0);
	remove_tree(d, "t");
}

static void a_failure_to_remove_is_said(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };

	unit_write(d, "f", "");
	unlink_errno = EPERM;
	assert_int_equal(path_remove_tree(d->fd, "f", &e), -EPERM);
	unlink_errno = 0;
	assert_string_equal(e.msg, "cannot remove 'f': Operation not permitted");
	remove_tree(d, "f");
}

static void a_new_file_is_written_once(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };
	char text[8] = "";
	int fd;

	assert_int_equal(path_write_new(d->fd, "f", "one", 0600, &e), 0);
	assert_int_equal(path_write_new(d->fd, "f", "two", 0600, &e), -EEXIST);
	fd = openat(d->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_string_equal(text, "one");
	close(fd);
	remove_tree(d, "f");
}

/* A disk that fails halfway through: what was not read is not "not there". */
static void a_folder_that_cannot_be_read_has_not_ended(void **state)
{
	struct unit_dir *d = *state;
	struct dirent *entry;
	DIR *dir = fdopendir(openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_non_null(dir);
	assert_true(dup2(null, dirfd(dir)) >= 0);
	assert_int_equal(path_next_entry(dir, &entry, NULL), -ENOTDIR);
	(void)closedir(dir);

	dir = fdopendir(openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_int_equal(path_next_entry(dir, &entry, NULL), 1);
	assert_int_equal(path_next_entry(dir, &entry, NULL), 1);
	assert_int_equal(path_next_entry(dir, &entry, NULL), 0);
	(void)closedir(dir);
	(void)close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		unit_test_in_dir(missing_parents_are_made),
		unit_test_in_dir(a_file_in_the_way_is_said),
		unit_test_in_dir(nothing_leads_out_of_the_root),
		unit_test_in_dir(a_tree_is_removed_and_links_are_not_followed),
		unit_test_in_dir(depth_is_no_limit),
		unit_test_in_dir(another_file_system_stops_it),
		unit_test_in_dir(a_failure_to_remove_is_said),
		unit_test_in_dir(a_new_file_is_written_once),
		unit_test_in_dir(a_folder_that_cannot_be_read_has_not_ended),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
