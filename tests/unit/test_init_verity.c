/* SPDX-License-Identifier: MIT */
#include "init/verity.h"

#include "unit.h"

static const unsigned char root[VERIFY_HASH_LEN] = { 0xab, 0x01, [31] = 0xff };

static void the_table_is_as_the_kernel_has_it(void **state ATTR_UNUSED)
{
	char table[VERITY_TABLE_LEN];

	assert_int_equal(verity_table("/dev/loop0", "/dev/loop1", UINT64_C(3) * VERITY_BLOCK,
				      root, table, NULL),
			 0);
	assert_string_equal(
		table, "1 /dev/loop0 /dev/loop1 4096 4096 3 0 sha256 "
		       "ab010000000000000000000000000000000000000000000000000000000000ff -");
}

static void the_longest_table_fits(void **state ATTR_UNUSED)
{
	char table[VERITY_TABLE_LEN], name[32];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(verity_table(name, name, UINT64_MAX / VERITY_BLOCK * VERITY_BLOCK,
				      root, table, NULL),
			 0);
	assert_string_equal(table + strlen(table) - 2, " -");
}

static void an_image_of_broken_blocks_is_refused(void **state ATTR_UNUSED)
{
	static const uint64_t sizes[] = { 0, 1, VERITY_BLOCK - 1, VERITY_BLOCK + 512 };
	char table[VERITY_TABLE_LEN];
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(verity_table("a", "b", sizes[i], root, table, &e), -EINVAL);
	assert_string_equal(e.msg, "the root image has 4608 bytes, not whole blocks of 4096");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_as_the_kernel_has_it),
		cmocka_unit_test(the_longest_table_fits),
		cmocka_unit_test(an_image_of_broken_blocks_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
