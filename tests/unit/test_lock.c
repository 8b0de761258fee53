/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/lock.h"

#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

static int teardown(void **state)
{
	struct unit_dir *d = *state;

	(void)unlinkat(d->fd, "l", 0);
	return unit_dir_teardown(state);
}

static void the_second_owner_is_refused(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };
	int one = lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, &e);
	int two;

	assert_true(one >= 0);
	assert_int_equal(fcntl(one, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, &e), -EBUSY);
	assert_string_equal(e.msg, "'l' is locked by another process");
	assert_int_equal(lock_take(d->fd, "l", LOCK_SHARED, 30, NULL), -EBUSY);

	close(one);
	two = lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, &e);
	assert_true(two >= 0);
	close(two);
	assert_true(unit_exists(d, "l"));
}

static void readers_share(void **state)
{
	struct unit_dir *d = *state;
	int one = lock_take(d->fd, "l", LOCK_SHARED, 0, NULL);
	int two = lock_take(d->fd, "l", LOCK_SHARED, 0, NULL);

	assert_true(one >= 0 && two >= 0);
	assert_int_equal(lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, NULL), -EBUSY);
	close(one);
	close(two);
}

/* The owner is another process, which lets go while we wait, or is killed. */
static void assert_wait_ends(const struct unit_dir *d, int wait_ms, bool kill_owner)
{
	int ready[2], fd;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		fd = lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, NULL);
		(void)!write(ready[1], fd < 0 ? "n" : "y", 1);
		clock_sleep_ms(kill_owner ? 60000 : 50);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	if (kill_owner)
		assert_int_equal(kill(pid, SIGKILL), 0);
	fd = lock_take(d->fd, "l", LOCK_EXCLUSIVE, wait_ms, NULL);
	assert_true(fd >= 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void waiting_ends_when_the_owner_lets_go(void **state)
{
	assert_wait_ends(*state, 20000, false);
	assert_wait_ends(*state, -1, false);
}

static void the_lock_of_a_killed_owner_is_free(void **state)
{
	assert_wait_ends(*state, 20000, true);
}

static void a_link_is_not_followed(void **state)
{
	struct unit_dir *d = *state;
	struct err e = { 0 };

	assert_int_equal(symlinkat("elsewhere", d->fd, "l"), 0);
	assert_int_equal(lock_take(d->fd, "l", LOCK_EXCLUSIVE, 0, &e), -ELOOP);
	assert_false(unit_exists(d, "elsewhere"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, unit_dir_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(the_second_owner_is_refused),
		TEST(readers_share),
		TEST(waiting_ends_when_the_owner_lets_go),
		TEST(the_lock_of_a_killed_owner_is_free),
		TEST(a_link_is_not_followed),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
