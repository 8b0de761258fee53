/* SPDX-License-Identifier: MIT */
#include "libpayload/problems.h"

#include "unit.h"

static void names_come_once_and_in_order(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *names = NULL;

	(void)state;
	problems_add(&ps, PROBLEM_VALUE, "b", "/b", "x");
	problems_add(&ps, PROBLEM_MISSING, "m", "/m", "x");
	problems_add(&ps, PROBLEM_VALUE, "a", "/a/0", "x");
	problems_add(&ps, PROBLEM_VALUE, "b", "/b/1", "x");
	names = problems_names(&ps, PROBLEM_VALUE);
	assert_string_equal(names, "b,a");
	assert_true(problems_fatal(&ps));
}

static void remarks_refuse_nothing(void **state)
{
	cleanup_problems struct problems ps = { 0 };

	(void)state;
	problems_add(&ps, PROBLEM_NOTE, "a", "/a", "x");
	problems_add(&ps, PROBLEM_UNKNOWN, "b", "/b", "x");
	assert_false(problems_fatal(&ps));
	assert_true(problems_has(&ps, PROBLEM_UNKNOWN, "b"));
	assert_false(problems_has(&ps, PROBLEM_UNKNOWN, "a"));
}

static void values_go_before_missing_ones_and_those_before_rules(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *rule = NULL, *missing = NULL, *value = NULL;

	(void)state;
	problems_add(&ps, PROBLEM_RULE, "r", "/r", "the rule");
	rule = problems_summary(&ps);
	assert_string_equal(rule, "the rule");
	problems_add(&ps, PROBLEM_MISSING, "m", "/m", "x");
	missing = problems_summary(&ps);
	assert_string_equal(missing, "Missing required properties: m");
	problems_add(&ps, PROBLEM_VALUE, "v", "/v", "x");
	value = problems_summary(&ps);
	assert_string_equal(value, "Invalid value(s) for: v");
}

/* A payload must not be able to drive the terminal of who reads about it. */
static void control_characters_do_not_come_through(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *details = NULL;

	(void)state;
	problems_add(&ps, PROBLEM_VALUE, "a\033[2J", "/a\n", "'%s'", "\007x");
	details = problems_details(&ps);
	assert_string_equal(details, "  /a?: '?x'\n");
}

static void more_than_are_kept_are_counted_as_more(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *details = NULL;

	(void)state;
	for (int i = 0; i < PROBLEMS_MAX + 5; i++)
		problems_add(&ps, PROBLEM_VALUE, "a", "/a", "x");
	assert_int_equal(ps.count, PROBLEMS_MAX);
	details = problems_details(&ps);
	assert_non_null(strstr(details, "  and more; 100 are shown\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(names_come_once_and_in_order),
		cmocka_unit_test(remarks_refuse_nothing),
		cmocka_unit_test(values_go_before_missing_ones_and_those_before_rules),
		cmocka_unit_test(control_characters_do_not_come_through),
		cmocka_unit_test(more_than_are_kept_are_counted_as_more),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
