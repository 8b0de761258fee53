/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include "unit.h"

static void it_is_the_castagnoli_checksum(void **state ATTR_UNUSED)
{
	static const uint8_t zeros[32] = { 0 };

	assert_int_equal(~crc32c(~0U, "123456789", 9), 0xe3069283);
	assert_int_equal(~crc32c(~0U, zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(~crc32c(~0U, "", 0), 0);
}

static void it_can_be_gone_on_with_at_any_byte(void **state ATTR_UNUSED)
{
	static const char text[] = "the quick brown fox";

	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(crc32c(crc32c(7, text, i), text + i, sizeof(text) - i),
				 crc32c(7, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_castagnoli_checksum),
		cmocka_unit_test(it_can_be_gone_on_with_at_any_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
