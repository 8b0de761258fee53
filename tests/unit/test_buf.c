/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/buf.h"

#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

static void an_empty_buffer_is_an_empty_string(void **state ATTR_UNUSED)
{
	struct buf b = BUF_INIT;
	char *taken;

	assert_string_equal(buf_str(&b), "");
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);
}

static void everything_added_follows_in_order(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_adds(&b, "a");
	buf_addc(&b, 'b');
	buf_addf(&b, "%d-%s", 12, "c");
	buf_add(&b, "\0d", 2);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.data, "ab12-c\0d", 9);
}

static void adding_nothing_is_fine(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf b = BUF_INIT;

	buf_add(&b, NULL, 0);
	buf_adds(&b, "");
	buf_addf(&b, "%s", "");
	assert_string_equal(buf_str(&b), "");
}

static void it_grows_far_beyond_its_first_size(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (int i = 0; i < 10000; i++)
		buf_addf(&b, "%04d", i);
	assert_int_equal(b.len, 40000);
	assert_memory_equal(b.data + 39996, "9999", 5);
	assert_int_equal(buf_room(&b), BUF_MAX - 40000 - 1);
}

static void reset_empties_and_take_gives_away(void **state ATTR_UNUSED)
{
	struct buf b = BUF_INIT;
	char *taken;

	buf_adds(&b, "first");
	buf_reset(&b);
	assert_string_equal(buf_str(&b), "");
	buf_adds(&b, "2");
	taken = buf_take(&b);
	assert_string_equal(taken, "2");
	assert_null(b.data);
	free(taken);
}

/* The sanitizers end the process by themselves, without a signal. */
static bool dies(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)freopen("/dev/null", "w", stderr);
		(void)signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void pass_the_maximum(void)
{
	struct buf b = { .len = BUF_MAX - 2 };

	buf_add(&b, "xx", 2);
}

static void overflow_an_array(void)
{
	free(xrealloc_array(NULL, SIZE_MAX / 2, 4));
}

static void growing_past_the_maximum_aborts(void **state ATTR_UNUSED)
{
	assert_true(dies(pass_the_maximum));
}

static void an_array_that_overflows_aborts(void **state ATTR_UNUSED)
{
	assert_true(dies(overflow_an_array));
}

static void copies_keep_null_null(void **state ATTR_UNUSED)
{
	cleanup_free char *copy = xstrndup("abcdef", 3);
	cleanup_free char *made = xasprintf("%s-%d", "x", 7);

	assert_null(xstrdup(NULL));
	assert_string_equal(copy, "abc");
	assert_string_equal(made, "x-7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(an_empty_buffer_is_an_empty_string),
		cmocka_unit_test(everything_added_follows_in_order),
		cmocka_unit_test(adding_nothing_is_fine),
		cmocka_unit_test(it_grows_far_beyond_its_first_size),
		cmocka_unit_test(reset_empties_and_take_gives_away),
		cmocka_unit_test(growing_past_the_maximum_aborts),
		cmocka_unit_test(an_array_that_overflows_aborts),
		cmocka_unit_test(copies_keep_null_null),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
