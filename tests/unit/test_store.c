/* SPDX-License-Identifier: MIT */
/*
 * The store on a real btrfs: a loop file, mounted in a mount namespace of this
 * process's own. Skips where that cannot be had (not root, no mkfs.btrfs).
 */
#include "libstore/store.h"

#include "base/path.h"
#include "libstore/pool.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#define IMAGE  "11111111-2222-4333-8444-555555555555"
#define IMAGE2 "11111111-2222-4333-8444-666666666666"
#define VM     "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define VM2    "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"

static struct {
	char dir[64];
	char why[ERR_MSG_MAX]; /* skipped because of this */
	bool counts;
	int poolfd;
	struct store *s;
} fx = { .poolfd = -1 };

#define OK(call)                                           \
	do {                                               \
		struct err e_ = { 0 };                     \
		int r_ = (call);                           \
		if (r_ < 0)                                \
			fail_msg("%s: %s", #call, e_.msg); \
	} while (0)
#define E (&e_)

/* What is wrong with this machine, or NULL. Leaves the pool mounted. */
static const char *make_pool(struct err *e)
{
	char file[96], target[96], loop[32];
	const char *devices[] = { file }, *loop_name = loop;
	cleanup_close int fd = -1;
	cleanup_close int loopfd = -1;

	if (geteuid() != 0)
		return "not root";
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "no mount namespace of its own";
	(void)snprintf(fx.dir, sizeof(fx.dir), "/tmp/dais-store-XXXXXX");
	if (!mkdtemp(fx.dir))
		return "no temporary folder";
	(void)snprintf(file, sizeof(file), "%s/pool.img", fx.dir);
	(void)snprintf(target, sizeof(target), "%s/zones", fx.dir);
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 1L << 30) < 0 || mkdir(target, 0755) < 0)
		return "no room for a pool";
	if (store_pool_format(devices, 1, e) < 0 ||
	    store_loop_attach(fd, file, &loopfd, loop, e) < 0 ||
	    store_pool_mount(&loop_name, 1, target, e) < 0)
		return e->msg;
	fx.poolfd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(store_pool_is_mounted(fx.poolfd));
	OK(store_pool_prepare(fx.poolfd, &fx.counts, E));
	return NULL;
}

static int group_setup(void **state)
{
	struct err e = { 0 };
	const char *why = make_pool(&e);

	(void)state;
	if (why)
		(void)snprintf(fx.why, sizeof(fx.why), "%s", why);
	if (why)
		print_message("# skipped: %s\n", why);
	return 0;
}

static int group_teardown(void **state)
{
	char target[96];

	(void)state;
	close_p(&fx.poolfd);
	(void)snprintf(target, sizeof(target), "%s/zones", fx.dir);
	if (fx.dir[0])
		(void)umount2(target, 0);
	return fx.dir[0] ? path_remove_tree(AT_FDCWD, fx.dir, NULL) : 0;
}

static int setup(void **state)
{
	struct err e = { 0 };

	(void)state;
	if (!fx.why[0] && store_open(fx.poolfd, &fx.s, &e) < 0)
		fail_msg("%s", e.msg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (!fx.s)
		return 0;
	OK(store_vm_destroy(fx.s, VM, E));
	OK(store_vm_destroy(fx.s, VM2, E));
	OK(store_image_abort(fx.s, IMAGE, E));
	OK(store_image_destroy(fx.s, IMAGE, E));
	store_close_p(&fx.s);
	return 0;
}

static void put(int dirfd, const char *name, size_t size)
{
	static char block[65536];
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	memset(block, 'x', sizeof(block));
	for (size_t done = 0; done < size; done += sizeof(block))
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	(void)close(fd);
}

static void install(void)
{
	struct err e = { 0 };
	int fd = store_image_begin(fx.s, IMAGE, NULL, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	put(fd, "hello", 1 << 20);
	(void)close(fd);
	OK(store_image_commit(fx.s, IMAGE, E));
}

static int clone_of(const char *vm, uint64_t quota, bool *holds)
{
	struct err e = { 0 };
	int fd = store_clone(fx.s, IMAGE, vm, quota, holds, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	return fd;
}

static bool there(const char *path)
{
	return faccessat(fx.poolfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_readonly(const char *path)
{
	cleanup_close int fd = openat(fx.poolfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && mkdirat(fd, "new", 0700) < 0 && errno == EROFS;
}

static void publishes_an_image_read_only(void **state)
{
	int fd;

	(void)state;
	install();
	assert_true(there("images/" IMAGE "/rootfs/hello"));
	assert_false(there("images/.partial/" IMAGE));
	fd = openat(fx.poolfd, "images/" IMAGE "/rootfs/new", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(fd, -1);
	assert_int_equal(errno, EROFS);
}

static void refuses_to_publish_over_an_image(void **state)
{
	struct err e = { 0 };
	int fd;

	(void)state;
	install();
	fd = store_image_begin(fx.s, IMAGE, NULL, &e);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(store_image_commit(fx.s, IMAGE, &e), -EEXIST);
	assert_true(there("images/" IMAGE "/rootfs/hello"));
}

static void goes_on_with_an_image_that_was_just_made(void **state)
{
	struct err e = { 0 };
	int fd = store_image_begin(fx.s, IMAGE, NULL, &e);

	(void)state;
	assert_true(fd >= 0);
	put(fd, "hello", 65536);
	(void)close(fd);
	fd = store_image_commit_into(fx.s, IMAGE, IMAGE2, &e);
	assert_true(fd >= 0);
	assert_true(there("images/" IMAGE "/rootfs/hello"));
	assert_true(is_readonly("images/" IMAGE "/rootfs"));
	assert_false(there("images/" IMAGE2));
	assert_int_equal(store_image_commit_into(fx.s, IMAGE, IMAGE2, &e), -ENOENT);
	assert_true(fd >= 0);
	put(fd, "world", 65536);
	(void)close(fd);
	OK(store_image_commit(fx.s, IMAGE2, E));
	assert_true(there("images/" IMAGE2 "/rootfs/hello"));
	assert_true(there("images/" IMAGE2 "/rootfs/world"));
	assert_false(there("images/" IMAGE "/rootfs/world"));
	OK(store_image_destroy(fx.s, IMAGE2, E));
}

static void replaces_what_a_dead_installer_left(void **state)
{
	struct err e = { 0 };
	char(*uuids)[UUID_STR];
	size_t count;
	int fd;

	(void)state;
	fd = store_image_begin(fx.s, IMAGE, NULL, &e);
	assert_true(fd >= 0);
	put(fd, "half", 65536);
	(void)close(fd);
	OK(store_image_partials(fx.s, &uuids, &count, E));
	assert_int_equal(count, 1);
	assert_string_equal(uuids[0], IMAGE);
	free(uuids);
	install();
	assert_false(there("images/" IMAGE "/rootfs/half"));
}

static void clones_can_be_written_and_leave_the_image_alone(void **state)
{
	struct stat st;
	bool holds;
	int fd;

	(void)state;
	install();
	fd = clone_of(VM, 0, &holds);
	assert_true(holds);
	put(fd, "mine", 65536);
	assert_int_equal(unlinkat(fd, "hello", 0), 0);
	(void)close(fd);
	assert_true(there("images/" IMAGE "/rootfs/hello"));
	assert_false(there("images/" IMAGE "/rootfs/mine"));
	assert_int_equal(fstatat(fx.poolfd, VM, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_clone_made_again_starts_afresh(void **state)
{
	bool holds;
	int fd;

	(void)state;
	install();
	fd = clone_of(VM, 0, &holds);
	put(fd, "mine", 65536);
	(void)close(fd);
	(void)close(clone_of(VM, 0, &holds));
	assert_true(there(VM "/root/hello"));
	assert_false(there(VM "/root/mine"));
}

static void names_the_vm_that_keeps_an_image(void **state)
{
	struct store_clone_of *clones;
	struct err e = { 0 };
	size_t count;
	bool holds;

	(void)state;
	install();
	(void)close(clone_of(VM, 0, &holds));
	assert_int_equal(store_image_destroy(fx.s, IMAGE, &e), -EBUSY);
	assert_string_equal(e.msg, "image '" IMAGE "' is used by VM '" VM "'");
	assert_true(there("images/" IMAGE "/rootfs/hello"));
	OK(store_clones(fx.s, &clones, &count, E));
	assert_int_equal(count, 1);
	assert_string_equal(clones[0].image, IMAGE);
	assert_string_equal(clones[0].vm, VM);
	free(clones);
	OK(store_vm_destroy(fx.s, VM, E));
	OK(store_image_destroy(fx.s, IMAGE, E));
	assert_false(there("images/" IMAGE));
}

static void fill(int dirfd, uint64_t limit)
{
	static char block[1 << 20];
	int fd = openat(dirfd, "fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	uint64_t done = 0;
	ssize_t n = 0;

	assert_true(fd >= 0);
	memset(block, 'x', sizeof(block));
	while (done < 2 * limit && (n = write(fd, block, sizeof(block))) > 0)
		done += (uint64_t)n;
	assert_int_equal(n, -1);
	assert_int_equal(errno, EDQUOT);
	assert_true(done <= limit);
	(void)close(fd);
}

static void a_bound_holds_from_the_first_byte(void **state)
{
	const uint64_t limit = 32 << 20;
	uint64_t used, quota;
	bool holds;
	int fd;

	(void)state;
	if (!fx.counts)
		skip();
	install();
	fd = clone_of(VM, limit, &holds);
	assert_true(holds);
	fill(fd, limit);
	(void)close(fd);
	OK(store_sync(fx.s, E));
	OK(store_vm_usage(fx.s, VM, &used, &quota, E));
	assert_int_equal(quota, limit);
	assert_true(used > limit / 2 && used <= limit);
}

static void a_bound_can_be_changed_and_taken_away(void **state)
{
	uint64_t used, quota;
	bool holds;
	int fd;

	(void)state;
	if (!fx.counts)
		skip();
	install();
	fd = clone_of(VM, 0, &holds);
	OK(store_vm_set_quota(fx.s, VM, 16 << 20, &holds, E));
	assert_true(holds);
	fill(fd, 16 << 20);
	OK(store_vm_set_quota(fx.s, VM, 64 << 20, &holds, E));
	put(fd, "more", 16 << 20);
	OK(store_vm_usage(fx.s, VM, &used, &quota, E));
	assert_int_equal(quota, 64 << 20);
	OK(store_vm_set_quota(fx.s, VM, 0, &holds, E));
	OK(store_vm_usage(fx.s, VM, &used, &quota, E));
	assert_int_equal(quota, 0);
	(void)close(fd);
}

static void a_bound_goes_with_its_vm(void **state)
{
	uint64_t used, quota;
	bool holds;

	(void)state;
	if (!fx.counts)
		skip();
	install();
	(void)close(clone_of(VM, 16 << 20, &holds));
	OK(store_vm_destroy(fx.s, VM, E));
	(void)close(clone_of(VM, 0, &holds));
	OK(store_vm_usage(fx.s, VM, &used, &quota, E));
	assert_int_equal(quota, 0);
}

static void bounds_of_two_vms_are_apart(void **state)
{
	const uint64_t limit = 16 << 20;
	bool holds;
	int one, two;

	(void)state;
	if (!fx.counts)
		skip();
	install();
	one = clone_of(VM, limit, &holds);
	two = clone_of(VM2, limit, &holds);
	fill(one, limit);
	put(two, "fits", 8 << 20);
	(void)close(one);
	(void)close(two);
}

static void destroys_what_a_guest_nested(void **state)
{
	const char *argv_in[] = { "deep", "deeper" };
	struct err e = { 0 };
	bool holds;
	int fd;

	(void)state;
	install();
	fd = clone_of(VM, 0, &holds);
	/* A clone inside the clone: what docker does in a zone. */
	assert_int_equal(mkdirat(fd, argv_in[0], 0755), 0);
	(void)close(fd);
	(void)close(clone_of(VM2, 0, &holds));
	assert_int_equal(renameat(fx.poolfd, VM2 "/root", fx.poolfd, VM "/root/deep/deeper"),
			 0);
	assert_int_equal(mkdirat(fx.poolfd, VM "/logs", 0700), 0);
	if (store_vm_destroy(fx.s, VM, &e) < 0)
		fail_msg("%s", e.msg);
	assert_false(there(VM));
}

/* A guest that nested them deeper than we would follow could not be deleted. */
static void destroys_subvolumes_however_deep(void **state)
{
	cleanup_close int fd = -1;
	bool holds;

	(void)state;
	install();
	fd = clone_of(VM, 0, &holds);
	for (int i = 0; i < 100; i++) {
		struct btrfs_ioctl_vol_args args = { .name = "d" };
		int next;

		assert_int_equal(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close_p(&fd);
		fd = next;
	}
	OK(store_vm_destroy(fx.s, VM, E));
	assert_false(there(VM));
}

static void destroying_what_is_not_there_succeeds(void **state)
{
	(void)state;
	OK(store_vm_destroy(fx.s, VM, E));
	OK(store_image_destroy(fx.s, IMAGE, E));
	OK(store_image_abort(fx.s, IMAGE, E));
}

static void tells_an_image_that_is_missing(void **state)
{
	struct err e = { 0 };
	bool holds;

	(void)state;
	assert_int_equal(store_clone(fx.s, IMAGE, VM, 0, &holds, &e), -ENOENT);
	assert_string_equal(e.msg, "image '" IMAGE "' is not installed");
	assert_false(there(VM));
}

static void refuses_names_that_are_no_uuids(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(store_vm_destroy(fx.s, "../images", &e), -EINVAL);
	assert_int_equal(store_image_begin(fx.s, "system", NULL, &e), -EINVAL);
	assert_string_equal(e.msg, "'system' is not the UUID of an image");
}

/* "Make one" was the advice to who had only to mount it. */
static void says_when_a_pool_is_not_mounted(void **state)
{
	cleanup_close int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	struct store *s;

	(void)state;
	assert_int_equal(store_open(fd, &s, &e), -ENOTSUP);
	assert_non_null(strstr(e.msg, "mkpool --mount"));
}

static void refuses_a_folder_that_is_no_pool(void **state)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int in = openat(fx.poolfd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	struct store *s;

	(void)state;
	assert_int_equal(store_open(fd, &s, &e), -ENOTSUP);
	if (in >= 0)
		assert_int_equal(store_open(in, &s, &e), -ENOTSUP);
	(void)close(fd);
	close_p(&in);
}

#define TEST(fn)                                     \
	{                                            \
#fn, run_##fn, setup, teardown, NULL \
	}
/* Every test is the same when there is no pool: skipped, and the reason was said. */
#define RUN(fn)                        \
	static void run_##fn(void **s) \
	{                              \
		if (fx.why[0])         \
			skip();        \
		fn(s);                 \
	}

RUN(publishes_an_image_read_only)
RUN(refuses_to_publish_over_an_image)
RUN(goes_on_with_an_image_that_was_just_made)
RUN(replaces_what_a_dead_installer_left)
RUN(clones_can_be_written_and_leave_the_image_alone)
RUN(a_clone_made_again_starts_afresh)
RUN(names_the_vm_that_keeps_an_image)
RUN(a_bound_holds_from_the_first_byte)
RUN(a_bound_can_be_changed_and_taken_away)
RUN(a_bound_goes_with_its_vm)
RUN(bounds_of_two_vms_are_apart)
RUN(destroys_what_a_guest_nested)
RUN(destroys_subvolumes_however_deep)
RUN(destroying_what_is_not_there_succeeds)
RUN(tells_an_image_that_is_missing)
RUN(refuses_names_that_are_no_uuids)
RUN(says_when_a_pool_is_not_mounted)
RUN(refuses_a_folder_that_is_no_pool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(publishes_an_image_read_only),
		TEST(refuses_to_publish_over_an_image),
		TEST(goes_on_with_an_image_that_was_just_made),
		TEST(replaces_what_a_dead_installer_left),
		TEST(clones_can_be_written_and_leave_the_image_alone),
		TEST(a_clone_made_again_starts_afresh),
		TEST(names_the_vm_that_keeps_an_image),
		TEST(a_bound_holds_from_the_first_byte),
		TEST(a_bound_can_be_changed_and_taken_away),
		TEST(a_bound_goes_with_its_vm),
		TEST(bounds_of_two_vms_are_apart),
		TEST(destroys_what_a_guest_nested),
		TEST(destroys_subvolumes_however_deep),
		TEST(destroying_what_is_not_there_succeeds),
		TEST(tells_an_image_that_is_missing),
		TEST(refuses_names_that_are_no_uuids),
		TEST(says_when_a_pool_is_not_mounted),
		TEST(refuses_a_folder_that_is_no_pool),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
