/* SPDX-License-Identifier: MIT */
#include "libboot/cmdline.h"

#include "unit.h"

static struct cmdline c;

static int parse(const char *text, struct err *e)
{
	return cmdline_parse(&c, text, strlen(text), e);
}

static void names_and_values_are_taken_apart(void **state ATTR_UNUSED)
{
	assert_int_equal(parse("quiet root_shadow=$6$a$b=c  noimport=true\n", NULL), 0);
	assert_int_equal(c.count, 3);
	assert_string_equal(cmdline_get(&c, "root_shadow"), "$6$a$b=c");
	assert_string_equal(cmdline_get(&c, "quiet"), "");
	assert_null(cmdline_get(&c, "root"));
	assert_null(cmdline_get(&c, "true"));
}

static void the_last_of_a_name_counts(void **state ATTR_UNUSED)
{
	assert_int_equal(parse("hostname=a console=tty0 hostname=b", NULL), 0);
	assert_string_equal(cmdline_get(&c, "hostname"), "b");
}

static void quotes_keep_blanks_around_value_or_word(void **state ATTR_UNUSED)
{
	assert_int_equal(parse("a=\"x y\" \"b=z w\" c=\"\"", NULL), 0);
	assert_string_equal(cmdline_get(&c, "a"), "x y");
	assert_string_equal(cmdline_get(&c, "b"), "z w");
	assert_string_equal(cmdline_get(&c, "c"), "");
}

static void an_open_quote_is_refused_by_name(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	assert_int_equal(parse("quiet a=\"x y", &e), -EINVAL);
	assert_string_equal(e.msg, "kernel command line: the quote in 'a' is not closed");
}

static void an_empty_line_has_no_words(void **state ATTR_UNUSED)
{
	assert_int_equal(parse(" \t\n", NULL), 0);
	assert_int_equal(c.count, 0);
}

static void a_truth_is_said_in_five_ways(void **state ATTR_UNUSED)
{
	assert_int_equal(parse("a=true b=yes c=on d=1 e f=false g=0 h=TRUE", NULL), 0);
	for (const char *name = "abcde"; *name; name++) {
		char one[2] = { *name, '\0' };

		assert_true(cmdline_is_true(&c, one));
	}
	assert_false(cmdline_is_true(&c, "f"));
	assert_false(cmdline_is_true(&c, "g"));
	assert_false(cmdline_is_true(&c, "h"));
	assert_false(cmdline_is_true(&c, "absent"));
}

static void the_bounds_hold(void **state ATTR_UNUSED)
{
	static char text[CMDLINE_MAX + 1];
	struct err e = { 0 };

	memset(text, 'x', sizeof(text));
	assert_int_equal(cmdline_parse(&c, text, CMDLINE_MAX, NULL), 0);
	assert_int_equal(cmdline_parse(&c, text, CMDLINE_MAX + 1, &e), -E2BIG);
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = ' ';
	assert_int_equal(cmdline_parse(&c, text, (size_t)2 * CMDLINE_WORDS_MAX, NULL), 0);
	assert_int_equal(cmdline_parse(&c, text, (size_t)2 * CMDLINE_WORDS_MAX + 1, &e),
			 -E2BIG);
	assert_int_equal(cmdline_parse(&c, "a\0b", 3, &e), -EINVAL);
}

static void a_line_is_read_from_a_file(void **state)
{
	struct unit_dir *d = *state;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/cmdline", d->path);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs("dais.hash=00 quiet\n", f);
	(void)fclose(f);
	assert_int_equal(cmdline_read(&c, path, NULL), 0);
	assert_string_equal(cmdline_get(&c, "dais.hash"), "00");
	(void)unlink(path);
	assert_int_equal(cmdline_read(&c, path, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(names_and_values_are_taken_apart),
		cmocka_unit_test(the_last_of_a_name_counts),
		cmocka_unit_test(quotes_keep_blanks_around_value_or_word),
		cmocka_unit_test(an_open_quote_is_refused_by_name),
		cmocka_unit_test(an_empty_line_has_no_words),
		cmocka_unit_test(a_truth_is_said_in_five_ways),
		cmocka_unit_test(the_bounds_hold),
		cmocka_unit_test_setup_teardown(a_line_is_read_from_a_file, unit_dir_setup, unit_dir_teardown),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
