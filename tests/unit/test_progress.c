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
	struct winsize size = { .ws_row = 24, .ws_col = 101 };
	const char *mark;
	int redraws = 0;
	int master;

	if (forkpty(&master, NULL, NULL, &size) == 0) {
		work(false, true);
		_exit(0);
	}
	hear(master);
	assert_non_null(strstr(said, "\033[1Gcopying                   [>        "));
	assert_non_null(strstr(said, "=>] 100%   2.00KB"));
	for (mark = said; (mark = strstr(mark, "\033[K")); mark++)
		redraws++;
	assert_in_range(redraws, 2, 4);
}

static void words_stand_above_the_bar(void **state ATTR_UNUSED)
{
	struct winsize size = { .ws_row = 24, .ws_col = 61 };
	const char *text;
	int master;

	if (forkpty(&master, NULL, NULL, &size) == 0) {
		struct progress *p = progress_begin("copying", 10, false);

		progress_update(p, 1);
		progress_say(p, stderr, "a word");
		progress_say(NULL, stderr, "no bar");
		_exit(0);
	}
	hear(master);
	/* As wide as what stood there, and then the bar again. */
	text = strstr(said, "\033[1Ga word                         ");
	assert_non_null(text);
	assert_non_null(strstr(text, "\n\033[1Gcopying         [>         ]  10%"));
	assert_non_null(strstr(text, "\033[Kno bar\r\n"));
}

static void a_narrow_terminal_is_not_overrun(void **state ATTR_UNUSED)
{
	struct winsize size = { .ws_row = 24, .ws_col = 13 };
	int master;

	if (forkpty(&master, NULL, NULL, &size) == 0) {
		struct progress *p = progress_begin("a long title", 10, false);

		progress_update(p, 1);
		_exit(0);
	}
	hear(master);
	assert_string_equal(said, "\033[1G...  10%    \033[K");
}

static void line(const struct progress_state *s, size_t width, const char *want)
{
	char got[PROGRESS_LINE_MAX];

	progress_format(s, width, got);
	assert_string_equal(got, want);
}

static void the_line_has_its_columns(void **state ATTR_UNUSED)
{
	struct progress_state s = { .title = "Download 1 image", .total = 83331072 };

	line(&s, 94,
	     "Download 1 image        [>                                   ]   0%    0.00B");
	s.done = s.total / 2;
	s.elapsed_ms = 1999;
	s.samples = 9;
	line(&s, 94,
	     "Download 1 image        [=================>                  ]  50%  39.74MB");
	s.elapsed_ms = 2000;
	line(&s, 94,
	     "Download 1 image        [=================>                  ]  50%  39.74MB  "
	     "19.87MB/s     2s");
	s.samples = 5;
	line(&s, 94,
	     "Download 1 image        [=================>                  ]  50%  39.74MB");
	s.title = "zones/01b2c898-945f-11e1-a523-af1afbe22822";
	s.done = s.total;
	s.ended = true;
	s.elapsed_ms = 3551;
	line(&s, 94,
	     "...e1-a523-af1afbe22822 [===================================>] 100%  79.47MB  "
	     "22.38MB/s     3s");
}

static void what_was_there_before_is_no_speed(void **state ATTR_UNUSED)
{
	struct progress_state s = { .title = "x",
				    .total = 4 << 20,
				    .done = 3 << 20,
				    .before = 2 << 20,
				    .elapsed_ms = 4000,
				    .samples = 6 };

	line(&s, 60, "x               [======>   ]  75%   3.00MB 256.00KB/s     4s");
}

static void without_a_size_there_is_no_bar(void **state ATTR_UNUSED)
{
	struct progress_state s = {
		.title = "send", .done = 5000, .elapsed_ms = 61000, .samples = 6
	};

	line(&s, 60, "send              4.88KB   81.97B/s  1m 1s");
}

static void times_are_short(void **state ATTR_UNUSED)
{
	static const struct {
		int64_t ms;
		const char *text;
	} times[] = {
		{ 59999, "  59s" },       { 3599999, " 59m59s" },   { 3600000, "  1h 0m" },
		{ 359999999, " 99h59m" }, { 360000000, "   >99h" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		struct progress_state s = { .title = "x", .elapsed_ms = times[i].ms };
		char got[PROGRESS_LINE_MAX];

		progress_format(&s, 80, got);
		assert_string_equal(got + strlen(got) - strlen(times[i].text), times[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(a_pipe_gets_one_line_at_the_end),
		cmocka_unit_test(an_unfinished_end_is_said),
		cmocka_unit_test(quiet_is_quiet),
		cmocka_unit_test(a_terminal_gets_a_bar_and_few_redraws),
		cmocka_unit_test(words_stand_above_the_bar),
		cmocka_unit_test(a_narrow_terminal_is_not_overrun),
		cmocka_unit_test(the_line_has_its_columns),
		cmocka_unit_test(what_was_there_before_is_no_speed),
		cmocka_unit_test(without_a_size_there_is_no_bar),
		cmocka_unit_test(times_are_short),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
