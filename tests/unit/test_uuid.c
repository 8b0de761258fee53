/* SPDX-License-Identifier: MIT */
#include "base/uuid.h"

#include "unit.h"

static void the_one_form_is_valid(void **state ATTR_UNUSED)
{
	assert_true(uuid_is_valid("0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f5"));
	assert_true(uuid_is_valid("00000000-0000-0000-0000-000000000000"));
}

static void anything_else_is_not(void **state ATTR_UNUSED)
{
	static const char *const bad[] = {
		"",
		"-",
		"0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f",
		"0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f55",
		"0C7A5D4E-1F2B-4C3D-8E9F-A0B1C2D3E4F5",
		"0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4fg",
		"0c7a5d4e01f2b-4c3d-8e9f-a0b1c2d3e4f5",
		"0c7a5d4-e1f2b-4c3d-8e9f-a0b1c2d3e4f5",
		"0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f5\n",
		"../../../../../../../../../../../../",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(uuid_is_valid(bad[i]));
}

static void a_random_one_is_valid_and_says_version_4(void **state ATTR_UNUSED)
{
	char one[UUID_STR], other[UUID_STR];

	for (int i = 0; i < 1000; i++) {
		uuid_generate_random(one);
		assert_true(uuid_is_valid(one));
		assert_int_equal(one[14], '4');
		assert_non_null(strchr("89ab", one[19]));
	}
	uuid_generate_random(other);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(the_one_form_is_valid),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(a_random_one_is_valid_and_says_version_4),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
