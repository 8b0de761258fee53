/* SPDX-License-Identifier: MIT */
#include "init/modules.h"

#include "unit.h"

static struct modules m;

static int parse(const char *text, struct err *e)
{
	return modules_parse(&m, text, strlen(text), "modules.order", e);
}

static void names_come_in_order_without_comments(void **state ATTR_UNUSED)
{
	assert_int_equal(
		parse("# in order\nlibcrc32c.ko\n\n  erofs.ko\t# the root\r\nvirtio-rng.ko",
		      NULL),
		0);
	assert_int_equal(m.count, 3);
	assert_string_equal(m.names[0], "libcrc32c.ko");
	assert_string_equal(m.names[1], "erofs.ko");
	assert_string_equal(m.names[2], "virtio-rng.ko");
}

static void an_empty_list_is_fine(void **state ATTR_UNUSED)
{
	assert_int_equal(parse("", NULL), 0);
	assert_int_equal(m.count, 0);
}

static void what_is_no_file_name_is_refused_with_its_line(void **state ATTR_UNUSED)
{
	static const char *const bad[] = { "../erofs.ko", "erofs",  "erofs.ko.xz", ".ko",
					   "a b.ko",      "a/b.ko", ".a.ko" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[64], want[128];
		struct err e = { 0 };

		(void)snprintf(text, sizeof(text), "loop.ko\n%s\n", bad[i]);
		(void)snprintf(want, sizeof(want),
			       "modules.order:2: '%s' is not the file name of a module",
			       bad[i]);
		assert_int_equal(parse(text, &e), -EINVAL);
		assert_string_equal(e.msg, want);
	}
}

static void a_byte_of_zero_is_no_part_of_a_name(void **state ATTR_UNUSED)
{
	assert_int_equal(modules_parse(&m, "a\0b.ko", 6, "x", NULL), -EINVAL);
}

static void the_bounds_hold(void **state ATTR_UNUSED)
{
	static char text[MODULES_MAX * 5 + 6];
	struct err e = { 0 };

	for (size_t i = 0; i <= MODULES_MAX; i++)
		memcpy(text + i * 5, "a.ko\n", 5);
	assert_int_equal(modules_parse(&m, text, (size_t)MODULES_MAX * 5, "x", NULL), 0);
	assert_int_equal(m.count, MODULES_MAX);
	assert_int_equal(modules_parse(&m, text, (size_t)MODULES_MAX * 5 + 5, "x", &e), -E2BIG);
	assert_string_equal(e.msg, "x:257: more than 256 modules");

	memset(text, 'a', MODULES_NAME_MAX + 1);
	memcpy(text + MODULES_NAME_MAX - 2, ".ko", 3);
	assert_int_equal(modules_parse(&m, text, MODULES_NAME_MAX + 1, "x", NULL), -EINVAL);
}

static int warned;

static void count_warning(const struct err *e)
{
	assert_true(e->code < 0);
	warned++;
}

static void one_that_is_missing_does_not_stop_the_rest(void **state)
{
	struct unit_dir *d = *state;

	warned = 0;
	assert_int_equal(parse("one.ko\ntwo.ko\n", NULL), 0);
	assert_int_equal(modules_load(&m, d->fd, count_warning), 2);
	assert_int_equal(warned, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(names_come_in_order_without_comments),
		cmocka_unit_test(an_empty_list_is_fine),
		cmocka_unit_test(what_is_no_file_name_is_refused_with_its_line),
		cmocka_unit_test(a_byte_of_zero_is_no_part_of_a_name),
		cmocka_unit_test(the_bounds_hold),
		cmocka_unit_test_setup_teardown(one_that_is_missing_does_not_stop_the_rest, unit_dir_setup,
						unit_dir_teardown),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
