/* SPDX-License-Identifier: MIT */
#include "platform/shadow.h"

#include "unit.h"

static const char text[] = "daemon:*:20000:0:99999:7:::\n"
			   "root:$y$j9T$abc/.:20000:0:99999:7:::\n"
			   "rooted:x:1::::::\n";

static void roots_hash_is_found_among_others(void **state ATTR_UNUSED)
{
	char hash[SHADOW_HASH_MAX + 1];

	assert_int_equal(shadow_get_root(text, "f", hash, NULL), 0);
	assert_string_equal(hash, "$y$j9T$abc/.");
}

static void a_locked_password_is_a_hash_too(void **state ATTR_UNUSED)
{
	char hash[SHADOW_HASH_MAX + 1];

	assert_int_equal(shadow_get_root("root:*:1::::::", "f", hash, NULL), 0);
	assert_string_equal(hash, "*");
}

static void a_file_without_root_is_told_from_a_bad_one(void **state ATTR_UNUSED)
{
	char hash[SHADOW_HASH_MAX + 1] = "old";
	char large[400] = "root:";
	struct err e = { 0 };

	assert_int_equal(shadow_get_root("daemon:*:\nxroot:a:\n", "/f", hash, &e), -ENOENT);
	assert_string_equal(e.msg, "'/f' has no line for root");
	assert_int_equal(shadow_get_root("root::1::::::", "/f", hash, &e), -EINVAL);
	assert_int_equal(shadow_get_root("root:a b:1:", "/f", hash, &e), -EINVAL);
	assert_int_equal(shadow_get_root("root:\x80:1:", "/f", hash, &e), -EINVAL);
	assert_int_equal(shadow_get_root("root:", "/f", hash, &e), -EINVAL);
	memset(large + 5, 'a', sizeof(large) - 6);
	assert_int_equal(shadow_get_root(large, "/f", hash, &e), -EINVAL);
	assert_string_equal(hash, "old");
}

static void only_roots_hash_changes(void **state ATTR_UNUSED)
{
	cleanup_free char *changed = shadow_set_root(text, "$6$new");

	assert_string_equal(changed, "daemon:*:20000:0:99999:7:::\n"
				     "root:$6$new:20000:0:99999:7:::\n"
				     "rooted:x:1::::::\n");
}

static void root_is_added_when_absent(void **state ATTR_UNUSED)
{
	cleanup_free char *changed = shadow_set_root("daemon:*:1::::::\n", "$6$new");

	assert_string_equal(changed, "root:$6$new::0:99999:7:::\ndaemon:*:1::::::\n");
}

static void what_could_break_the_file_is_no_hash(void **state ATTR_UNUSED)
{
	assert_true(shadow_hash_is_valid("$6$salt$abc./0"));
	assert_true(shadow_hash_is_valid("!$6$locked"));
	assert_false(shadow_hash_is_valid(""));
	assert_false(shadow_hash_is_valid("a:b"));
	assert_false(shadow_hash_is_valid("a\nroot::0"));
	assert_false(shadow_hash_is_valid("a b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(roots_hash_is_found_among_others),
		cmocka_unit_test(a_locked_password_is_a_hash_too),
		cmocka_unit_test(a_file_without_root_is_told_from_a_bad_one),
		cmocka_unit_test(only_roots_hash_changes),
		cmocka_unit_test(root_is_added_when_absent),
		cmocka_unit_test(what_could_break_the_file_is_no_hash),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
