/* SPDX-License-Identifier: MIT */
#include "init/identity.h"

#include "unit.h"

#define UUID "4c4c4544-0042-3510-8052-b4c04f4d4d32"

static bool from(const char *uuid, char ret[static IDENTITY_LEN + 1])
{
	return identity_from_uuid(uuid, strlen(uuid), ret);
}

static void the_same_machine_gets_the_same_id(void **state ATTR_UNUSED)
{
	char a[IDENTITY_LEN + 1], b[IDENTITY_LEN + 1];

	assert_true(from(UUID "\n", a));
	assert_true(from("4C4C4544-0042-3510-8052-B4C04F4D4D32", b));
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), IDENTITY_LEN);
	assert_int_equal(a[12], '4');
	assert_true(from("4c4c4544-0042-3510-8052-b4c04f4d4d33", b));
	assert_string_not_equal(a, b);
}

static void the_firmwares_uuid_does_not_show(void **state ATTR_UNUSED)
{
	char id[IDENTITY_LEN + 1];

	assert_true(from(UUID, id));
	assert_null(strstr(id, "4c4c4544"));
}

static void what_vendors_leave_everywhere_is_no_identity(void **state ATTR_UNUSED)
{
	static const char *const bad[] = { "00000000-0000-0000-0000-000000000000\n",
					   "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n",
					   "03000200-0400-0500-0006-000700080009\n",
					   "",
					   "Not Settable\n",
					   "4c4c4544-0042-3510-8052-b4c04f4d4d3",
					   UUID "0" };
	char id[IDENTITY_LEN + 1] = "old";

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(from(bad[i], id));
	assert_string_equal(id, "old");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(the_same_machine_gets_the_same_id),
		cmocka_unit_test(the_firmwares_uuid_does_not_show),
		cmocka_unit_test(what_vendors_leave_everywhere_is_no_identity),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
