/* SPDX-License-Identifier: MIT */
#include "platform/pool_find.h"

#include "unit.h"

static struct pool_found found;

static void add(const char *device, unsigned char fsid, unsigned char id, uint64_t count)
{
	struct pool_super *s = &found.supers[found.count];

	memset(s, 0, sizeof(*s));
	s->fsid[0] = fsid;
	s->device[0] = id;
	s->device_count = count;
	(void)snprintf(s->label, sizeof(s->label), "zones");
	(void)snprintf(found.devices[found.count++], POOL_DEVICE_NAME, "%s", device);
}

static int clear(void **state ATTR_UNUSED)
{
	found.count = 0;
	return 0;
}

static void a_superblock_gives_label_and_devices(void **state ATTR_UNUSED)
{
	static unsigned char block[POOL_SUPER_LEN];
	struct pool_super s;

	memcpy(block + 0x40, "_BHRfS_M", 8);
	memset(block + 0x20, 0xab, 16);
	block[0x88] = 3;
	memcpy(block + 0x12b, "zones", 6);
	assert_true(pool_super_parse(block, &s));
	assert_string_equal(s.label, "zones");
	assert_int_equal(s.device_count, 3);
	assert_int_equal(s.fsid[15], 0xab);

	memset(block + 0x12b, 'x', POOL_LABEL_MAX);
	assert_true(pool_super_parse(block, &s));
	assert_int_equal(strlen(s.label), POOL_LABEL_MAX - 1);
	block[0x40] = 'x';
	assert_false(pool_super_parse(block, &s));
}

static void no_device_is_no_pool(void **state ATTR_UNUSED)
{
	assert_int_equal(pool_check(&found, "zones", NULL), 0);
}

static void all_devices_of_one_are_a_pool(void **state ATTR_UNUSED)
{
	add("/dev/vda", 1, 1, 2);
	add("/dev/vdc", 1, 2, 2);
	assert_int_equal(pool_check(&found, "zones", NULL), 1);
}

static void two_pools_are_refused_by_name(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	add("/dev/vda", 1, 1, 1);
	add("/dev/vdb", 2, 2, 1);
	assert_int_equal(pool_check(&found, "zones", &e), -EEXIST);
	assert_non_null(strstr(e.msg, "'/dev/vda', '/dev/vdb'"));
}

static void a_missing_device_is_told_from_no_pool(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	add("/dev/vda", 1, 1, 3);
	add("/dev/vdb", 1, 2, 3);
	assert_int_equal(pool_check(&found, "zones", &e), -ENXIO);
	assert_non_null(
		strstr(e.msg, "has 3 devices, but only 2 are there: '/dev/vda', '/dev/vdb'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test_setup(a_superblock_gives_label_and_devices, clear),
		cmocka_unit_test_setup(no_device_is_no_pool, clear),
		cmocka_unit_test_setup(all_devices_of_one_are_a_pool, clear),
		cmocka_unit_test_setup(two_pools_are_refused_by_name, clear),
		cmocka_unit_test_setup(a_missing_device_is_told_from_no_pool, clear),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
