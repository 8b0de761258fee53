/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include "unit.h"

#include <pty.h>
#include <sys/wait.h>

static char said[8192];

static void hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(fd);
	assert_true(wait(NULL) > 0);
}

static void work(bool quiet, bool ok)
{
	struct progress *p = progress_begin("copying", 2048, quiet);

	for (uint64_t done = 0; done <= 4096; done += 512)
		progress_update(p, done);
	progress_end(p, ok);
}

static void work_into_a_pipe(bool quiet, bool ok)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		work(quiet, ok);
		_exit(0);
	}
	close(ends[1]);
	hear(ends[0]);
}

static void a_pipe_gets_one_line_at_the_end(void **state ATTR_UNUSED)
{
	work_into_a_pipe(false, true);
	assert_memory_equal(said, "copying  2.0 KiB  ", 18);
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_null(strchr(said, '\r'));
}

static void an_unfinished_end_is_said(void **state ATTR_UNUSED)
{
	work_into_a_pipe(false, false);
	assert_non_null(strstr(said, "(not finished)\n"));
}

static void quiet_is_quiet(void **state ATTR_UNUSED)
{
	work_into_a_pipe(true, true);
	assert_string_equal(said, "");
	progress_end(NULL, true);
}

static void a_terminal_gets_a_bar_and_few_redraws(void **state ATTR_UNUSED)
{
	struct winsize size = { .ws_row = 24, .ws_col = 100 };
	const char *mark;
	int redraws = 0;
	int master;

	if (forkpty(&master, NULL, NULL, &size) == 0) {
		work(false, true);
		_exit(0);
	}
	hear(master);
	assert_non_null(strstr(said, "copying  [........................]   0%  0 B"));
	assert_non_null(strstr(said, "copying  2.0 KiB"));
	for (mark = said; (mark = strstr(mark, "\033[K")); mark++)
		redraws++;
	assert_in_range(redraws, 2, 4);
}

static void a_narrow_terminal_is_not_overrun(void **state ATTR_UNUSED)
{
	struct winsize size = { .ws_row = 24, .ws_col = 12 };
	int master;

	if (forkpty(&master, NULL, NULL, &size) == 0) {
		struct progress *p = progress_begin("a long title", 10, false);

		progress_update(p, 1);
		_exit(0);
	}
	hear(master);
	assert_string_equal(said, "\ra long titl\033[K");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(a_pipe_gets_one_line_at_the_end),
		cmocka_unit_test(an_unfinished_end_is_said),
		cmocka_unit_test(quiet_is_quiet),
		cmocka_unit_test(a_terminal_gets_a_bar_and_few_redraws),
		cmocka_unit_test(a_narrow_terminal_is_not_overrun),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
