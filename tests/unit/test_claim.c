/* SPDX-License-Identifier: MIT */
#include "librecord/claim.h"

#include "base/jv.h"

#include "unit.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"

static void the_second_taker_hears_who_was_first(void **state)
{
	struct unit_dir *d = *state;
	char holder[UUID_STR] = "";

	assert_int_equal(claim_take(d->fd, "mac.x", A, holder, NULL), 0);
	assert_int_equal(claim_take(d->fd, "mac.x", B, holder, NULL), -EEXIST);
	assert_string_equal(holder, A);
	assert_int_equal(claim_take(d->fd, "mac.x", A, holder, NULL), 0);
	assert_int_equal(claim_drop(d->fd, "mac.x", A, NULL), 0);
}

static void only_the_holder_gives_a_claim_back(void **state)
{
	struct unit_dir *d = *state;
	char holder[UUID_STR];

	assert_int_equal(claim_take(d->fd, "mac.x", A, holder, NULL), 0);
	assert_int_equal(claim_drop(d->fd, "mac.x", B, NULL), 0);
	assert_int_equal(claim_holder(d->fd, "mac.x", holder, NULL), 0);
	assert_int_equal(claim_drop(d->fd, "mac.x", A, NULL), 0);
	assert_int_equal(claim_drop(d->fd, "mac.x", A, NULL), 0);
	assert_int_equal(claim_holder(d->fd, "mac.x", holder, NULL), -ENOENT);
}

static void what_is_no_claim_of_ours_is_nobody_s(void **state)
{
	struct unit_dir *d = *state;
	char holder[UUID_STR];

	assert_int_equal(symlinkat("/etc/passwd", d->fd, "mac.x"), 0);
	assert_int_equal(claim_take(d->fd, "mac.x", A, holder, NULL), -EBADMSG);
	assert_int_equal(claim_drop(d->fd, "mac.x", A, NULL), 0);
	assert_int_equal(unlinkat(d->fd, "mac.x", 0), 0);
}

static void id_ranges_are_one_s_own_and_above_the_host_s(void **state)
{
	struct unit_dir *d = *state;
	uint32_t first, second, again;

	assert_int_equal(claim_take_ids(d->fd, A, &first, NULL), 0);
	assert_int_equal(claim_take_ids(d->fd, B, &second, NULL), 0);
	assert_int_equal(claim_take_ids(d->fd, A, &again, NULL), 0);
	assert_int_not_equal(first, second);
	assert_int_equal(first, again);
	assert_int_equal(first % 65536, 0);
	assert_true(first >= 0x40000000u && first <= 0x7fff0000u);
	assert_int_equal(claim_drop_all(d->fd, A, NULL), 0);
	assert_int_equal(claim_drop_all(d->fd, B, NULL), 0);
}

/* Two UUIDs whose ranges begin at the same place get neighbours. */
static void a_taken_range_is_passed_over(void **state)
{
	struct unit_dir *d = *state;
	uint32_t first, second;
	char name[32];

	assert_int_equal(claim_take_ids(d->fd, A, &first, NULL), 0);
	assert_int_equal(claim_drop_all(d->fd, A, NULL), 0);
	(void)snprintf(name, sizeof(name), "id.%u", (first >> 16) - CLAIM_ID_FIRST);
	assert_int_equal(symlinkat(B, d->fd, name), 0);
	assert_int_equal(claim_take_ids(d->fd, A, &second, NULL), 0);
	assert_int_not_equal(first, second);
	assert_int_equal(claim_drop_all(d->fd, A, NULL), 0);
	assert_int_equal(claim_drop_all(d->fd, B, NULL), 0);
}

static void a_record_claims_its_macs_addresses_and_ids(void **state)
{
	static const char text[] =
		"{\"idmap_base\": 1073807360, \"nics\": ["
		"{\"nic_tag\": \"admin\", \"mac\": \"02:00:00:00:00:01\", \"vlan_id\": 7,"
		" \"ips\": [\"dhcp\", \"10.0.0.1/24\", \"FD00::0:1/64\"]},"
		"{\"nic_tag\": \"a/2\", \"mac\": \"00:00:5e:00:01:05\", \"vrrp_vrid\": 5,"
		" \"ips\": []}]}";
	static const char *const want[] = { "id.1", "mac.02:00:00:00:00:01",
					    "ip.admin.7.10.0.0.1", "ip.admin.7.fd00::1",
					    "vrid.a:2.0.5" };
	cleanup_jv struct jv *record = NULL, *claims = NULL;

	(void)state;
	assert_int_equal(jv_parse(text, sizeof(text) - 1, "t", &record, NULL), 0);
	claims = claims_of_record(record);
	assert_int_equal(jv_len(claims), ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_string_equal(jv_get_string(jv_at(claims, i), "name"), want[i]);
	assert_string_equal(jv_get_string(jv_at(claims, 3), "pointer"), "/nics/0/ips/2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		unit_test_in_dir(the_second_taker_hears_who_was_first),
		unit_test_in_dir(only_the_holder_gives_a_claim_back),
		unit_test_in_dir(what_is_no_claim_of_ours_is_nobody_s),
		unit_test_in_dir(id_ranges_are_one_s_own_and_above_the_host_s),
		unit_test_in_dir(a_taken_range_is_passed_over),
		cmocka_unit_test(a_record_claims_its_macs_addresses_and_ids),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
