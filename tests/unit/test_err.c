/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "unit.h"

static void set_gives_the_code_back(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	assert_int_equal(err_set(&e, -EINVAL, "bad '%s'", "x"), -EINVAL);
	assert_int_equal(e.code, -EINVAL);
	assert_string_equal(e.msg, "bad 'x'");
}

static void sys_takes_the_code_from_errno(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	errno = ENOSPC;
	assert_int_equal(err_sys(&e, "cannot write '%s'", "f"), -ENOSPC);
	assert_string_equal(e.msg, "cannot write 'f': No space left on device");
}

static void wrap_puts_the_context_before(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	(void)err_set(&e, -ENOENT, "no file");
	assert_int_equal(err_wrap(&e, -EIO, "zone %d", 3), -EIO);
	assert_int_equal(e.code, -EIO);
	assert_string_equal(e.msg, "zone 3: no file");
}

static void nobody_has_to_listen(void **state ATTR_UNUSED)
{
	errno = EPERM;
	assert_int_equal(err_sys(NULL, "x"), -EPERM);
	assert_int_equal(err_set(NULL, -EIO, "x"), -EIO);
	assert_int_equal(err_wrap(NULL, -EIO, "x"), -EIO);
}

static void a_long_text_is_cut_and_ends(void **state ATTR_UNUSED)
{
	struct err e = { 0 };
	char text[2 * ERR_MSG_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, -EIO, "%s", text);
	(void)err_wrap(&e, -EIO, "%s", text);
	errno = EIO;
	(void)err_sys(&e, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(set_gives_the_code_back),
		cmocka_unit_test(sys_takes_the_code_from_errno),
		cmocka_unit_test(wrap_puts_the_context_before),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_long_text_is_cut_and_ends),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
