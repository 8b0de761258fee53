/* SPDX-License-Identifier: MIT */
#include "payload_fixture.h"

#include "base/uuid.h"

static void an_empty_payload_gets_every_default(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record("", &ps);

	(void)state;
	assert_non_null(r);
	assert_int_equal(ps.count, 0);
	assert_true(uuid_is_valid(jv_get_string(r, "uuid")));
	assert_string_equal(jv_get_string(r, "zonename"), jv_get_string(r, "uuid"));
	assert_string_equal(jv_get_string(r, "hostname"), jv_get_string(r, "uuid"));
	assert_string_equal(jv_get_string(r, "owner_uuid"),
			    "00000000-0000-0000-0000-000000000000");
	assert_string_equal(jv_get_string(r, "dns_domain"), "local");
	assert_string_equal(jv_get_string(r, "limit_priv"), "default");
	assert_string_equal(jv_get_string(r, "zpool"), "zones");
	assert_true(jv_get_bool(r, "autoboot", false));
	assert_int_equal(jv_get_int(r, "v", 0), 1);
	assert_int_equal(jv_get_int(r, "quota", 0), 10);
	assert_int_equal(jv_get_int(r, "cpu_shares", 0), 100);
	assert_int_equal(jv_get_int(r, "max_lwps", 0), 2000);
	assert_int_equal(jv_get_int(r, "max_physical_memory", 0), 256);
	assert_int_equal(jv_len(jv_get(r, "nics")), 0);
	assert_null(jv_get(r, "ram"));
}

static void memory_gives_the_limits_that_hang_on_it(void **state)
{
	(void)state;
	assert_number("'ram': 512", "max_physical_memory", 512);
	assert_number("'ram': 512", "max_swap", 512);
	assert_number("'ram': 512, 'max_physical_memory': 1024", "max_physical_memory", 1024);
	assert_number("'max_physical_memory': 64", "max_swap", 256);
	assert_number("'max_physical_memory': 64", "tmpfs", 64);
	assert_number("'max_physical_memory': 512, 'tmpfs': 1024", "tmpfs", 512);
	assert_number("'tmpfs': 0", "tmpfs", 0);
	assert_number("'max_physical_memory': 512, 'max_locked_memory': 1024",
		      "max_locked_memory", 512);
	assert_number("'max_physical_memory': 1024, 'max_swap': 512", "max_swap", 1024);
	assert_number("'max_physical_memory': 0", "max_physical_memory", 256);
	assert_number("'max_physical_memory': 1024", "max_shm_memory", 1024);
}

static void numbers_may_be_text_and_switches_too(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r =
		fixture_record("'ram': '512', 'autoboot': 'false', 'firewall_enabled': 1", &ps);

	(void)state;
	assert_int_equal(jv_get_int(r, "max_physical_memory", 0), 512);
	assert_int_equal(jv_type(jv_get(r, "autoboot")), JV_FALSE);
	assert_int_equal(jv_type(jv_get(r, "firewall_enabled")), JV_TRUE);
	assert_true(problems_has(&ps, PROBLEM_NOTE, "firewall_enabled"));
}

static void wrong_types_are_refused_by_name(void **state)
{
	(void)state;
	assert_refused("'autoboot': 'aardvark'", "Invalid value(s) for: autoboot");
	assert_refused("'autoboot': '0'", "Invalid value(s) for: autoboot");
	assert_refused("'alias': 42", "Invalid value(s) for: alias");
	assert_refused("'cpu_cap': 'doogle'", "Invalid value(s) for: cpu_cap");
	assert_refused("'cpu_cap': 1.5", "Invalid value(s) for: cpu_cap");
	assert_refused("'cpu_cap': -1", "Invalid value(s) for: cpu_cap");
	assert_refused("'max_swap': -1", "Invalid value(s) for: max_swap");
	assert_refused("'uuid': 'XYZ'", "Invalid value(s) for: uuid");
	assert_refused("'zpool': 'other'", "Invalid value(s) for: zpool");
	assert_refused("'nics': {}", "Invalid value(s) for: nics");
	assert_refused("'nics': [1]", "Invalid value(s) for: nics");
	assert_refused("'resolvers': ['foo']", "Invalid value(s) for: resolvers");
	assert_refused("'tags': {'a': null}", "Invalid value(s) for: tags");
	assert_refused("'customer_metadata': {'a': {'b': 1}}",
		       "Invalid value(s) for: customer_metadata");
	assert_refused("'hostname': 'a b'", "Invalid value(s) for: hostname");
	assert_refused("'ram': 99999999999999999", "Invalid value(s) for: ram");
	assert_refused("'alias': 1, 'cpu_cap': 'x'", "Invalid value(s) for: alias,cpu_cap");
}

static void each_problem_says_where_and_which_rule(void **state)
{
	(void)state;
	assert_detail("'max_swap': -1", "  /max_swap: must be a whole number from 0 to ");
	assert_detail("'tags': {'a/b': []}",
		      "  /tags/a~1b: must be a string, a number or a boolean\n");
	assert_detail("'resolvers': ['1.1.1.1', 'x']",
		      "  /resolvers/1: must be an IPv4 or IPv6 address\n");
}

static void null_and_the_empty_text_take_a_property_away(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		"'alias': null, 'cpu_cap': '', 'hostname': '', 'tags': null", &ps);

	(void)state;
	assert_non_null(r);
	assert_null(jv_get(r, "alias"));
	assert_null(jv_get(r, "cpu_cap"));
	assert_string_equal(jv_get_string(r, "hostname"), jv_get_string(r, "uuid"));
	assert_int_equal(jv_type(jv_get(r, "tags")), JV_OBJECT);
	assert_number("'quota': null", "quota", 0);
	assert_number("'quota': ''", "quota", 0);
}

static void lists_may_be_words_joined_by_commas(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		"'resolvers': '8.8.8.8,8.8.4.4', 'limit_priv': ['default', '-net_access']",
		&ps);

	(void)state;
	assert_int_equal(jv_len(jv_get(r, "resolvers")), 2);
	assert_string_equal(jv_as_string(jv_at(jv_get(r, "resolvers"), 1)), "8.8.4.4");
	assert_string_equal(jv_get_string(r, "limit_priv"), "default,-net_access");
}

static void what_is_not_allowed_is_dropped_and_named(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		"'frobnicate': 1, 'vcpus': 4, 'pid': 3, 'nics': [{'nic_tag': 'stub0', "
		"'model': 'virtio', 'x': 1}]",
		&ps);
	cleanup_free char *names = problems_names(&ps, PROBLEM_UNKNOWN);

	(void)state;
	assert_non_null(r);
	assert_string_equal(names, "frobnicate,vcpus,pid,nics.*.model,nics.*.x");
	assert_null(jv_get(r, "frobnicate"));
	assert_null(jv_get(r, "vcpus"));
	assert_null(jv_get(jv_at(jv_get(r, "nics"), 0), "model"));
}

static void what_has_no_effect_here_is_said(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		"'mdata_exec_timeout': 30, 'restart_init': true, 'firewall_enabled': false, 'zfs_root_recsize': 512",
		&ps);

	(void)state;
	assert_non_null(r);
	assert_true(problems_has(&ps, PROBLEM_NOTE, "mdata_exec_timeout"));
	assert_false(problems_has(&ps, PROBLEM_NOTE, "restart_init"));
	assert_true(problems_has(&ps, PROBLEM_NOTE, "zfs_root_recsize"));
	assert_false(problems_has(&ps, PROBLEM_NOTE, "firewall_enabled"));
}

static void the_image_must_be_there_and_run_here(void **state)
{
	cleanup_jv struct jv *none = fixture_json("{'brand': 'lx'}");
	cleanup_jv struct jv *sun =
		fixture_json("{'brand': 'joyent', 'image_uuid': '" SUN_IMAGE "'}");
	cleanup_jv struct jv *disk =
		fixture_json("{'brand': 'joyent', 'image_uuid': '" DISK_IMAGE "'}");
	cleanup_jv struct jv *gone = fixture_json(
		"{'brand': 'lx', 'image_uuid': '44444444-4444-4444-8444-444444444444'}");
	const struct jv *all[] = { none, sun, disk, gone };
	static const char *const want[] = { "Missing required properties: image_uuid",
					    "Invalid value(s) for: image_uuid",
					    "Invalid value(s) for: image_uuid",
					    "Invalid value(s) for: image_uuid" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		cleanup_problems struct problems ps = { 0 };
		cleanup_free char *summary = NULL;
		struct jv *record;

		assert_int_equal(payload_to_record(all[i], &fixture_env, &record, &ps, NULL),
				 -EINVAL);
		summary = problems_summary(&ps);
		assert_string_equal(summary, want[i]);
	}
}

static void brands_of_the_original_run_linux_images(void **state)
{
	static const char *const brands[] = { "joyent", "joyent-minimal", "builder", "lx" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(brands); i++) {
		cleanup_problems struct problems ps = { 0 };
		cleanup_jv struct jv *payload =
			fixture_json("{'image_uuid': '" LINUX_IMAGE "'}");
		cleanup_jv struct jv *record = NULL;

		jv_set(payload, "brand", jv_string(brands[i]));
		assert_int_equal(payload_to_record(payload, &fixture_env, &record, &ps, NULL),
				 0);
		assert_string_equal(jv_get_string(record, "brand"), brands[i]);
	}
}

static void a_mistyped_brand_is_a_bad_value(void **state)
{
	cleanup_jv struct jv *payload = fixture_json("{'brand': 'gorilla'}");
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *summary = NULL;
	struct jv *record;

	(void)state;
	assert_int_equal(payload_to_record(payload, &fixture_env, &record, &ps, NULL), -EINVAL);
	summary = problems_summary(&ps);
	assert_string_equal(summary, "Invalid value(s) for: brand");
}

static void old_names_are_understood(void **state)
{
	cleanup_jv struct jv *payload =
		fixture_json("{'brand': 'lx', 'dataset_uuid': '" LINUX_IMAGE "', "
			     "'zfs_storage_pool_name': 'zones'}");
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;

	(void)state;
	assert_int_equal(payload_to_record(payload, &fixture_env, &record, &ps, NULL), 0);
	assert_string_equal(jv_get_string(record, "image_uuid"), LINUX_IMAGE);
	assert_null(jv_get(record, "dataset_uuid"));
	assert_true(problems_has(&ps, PROBLEM_NOTE, "dataset_uuid"));
}

static void rules_between_properties_speak_as_the_original(void **state)
{
	(void)state;
	assert_refused("'zfs_root_recsize': 31337",
		       "invalid zfs_root_recsize (31337), must be 512-131072 and a power of 2. "
		       "(0 to disable)");
	assert_refused(
		"'zfs_root_compression': 'snappy'",
		"invalid compression type for snappy, must be one of: on, off, gzip, gzip-1, "
		"gzip-2, gzip-3, gzip-4, gzip-5, gzip-6, gzip-7, gzip-8, gzip-9, lz4, lzjb, "
		"zle");
	assert_number("'zfs_root_recsize': 0", "zfs_root_recsize", 131072);
	assert_number("'cpu_shares': 100000", "cpu_shares", 65535);
}

static void a_payload_is_an_object_of_bounded_size(void **state)
{
	static char big[PAYLOAD_MAX + 2];
	struct jv *v;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(payload_parse("{", 1, "stdin", &v, &e), -EINVAL);
	assert_true(strncmp(e.msg, "Invalid JSON payload: stdin:1:", 30) == 0);
	assert_int_equal(payload_parse("[]", 2, "stdin", &v, &e), -EINVAL);
	assert_string_equal(e.msg, "Invalid JSON payload: stdin: must be an object, is array");
	assert_int_equal(payload_parse("{\"a\":1,\"a\":2}", 13, "stdin", &v, &e), -EINVAL);
	memset(big, ' ', sizeof(big) - 1);
	assert_int_equal(payload_parse(big, sizeof(big) - 1, "stdin", &v, &e), -EFBIG);
}

/* The table says what create puts into a record, and create asks nobody. */
static void the_defaults_of_the_table_are_those_of_a_record(void **state)
{
	cleanup_jv struct jv *payload =
		fixture_json("{'brand': 'lx', 'image_uuid': '" LINUX_IMAGE "'}");
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;
	const struct prop *p;
	struct err e = { 0 };
	size_t seen = 0;

	(void)state;
	assert_int_equal(payload_to_record(payload, &fixture_env, &record, &ps, &e), 0);
	for (size_t i = 0; (p = prop_at(i)); i++) {
		cleanup_jv struct jv *def = NULL;

		if (!p->def || !jv_get(record, p->name) || strcmp(p->name, "brand") == 0 ||
		    jv_parse(p->def, strlen(p->def), p->name, &def, NULL) < 0)
			continue;
		if (!jv_equal(def, jv_get(record, p->name)))
			fail_msg("%s is not %s", p->name, p->def);
		seen++;
	}
	assert_true(seen > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_of_the_table_are_those_of_a_record),
		/* clang-format off */
		cmocka_unit_test(an_empty_payload_gets_every_default),
		cmocka_unit_test(memory_gives_the_limits_that_hang_on_it),
		cmocka_unit_test(numbers_may_be_text_and_switches_too),
		cmocka_unit_test(wrong_types_are_refused_by_name),
		cmocka_unit_test(each_problem_says_where_and_which_rule),
		cmocka_unit_test(null_and_the_empty_text_take_a_property_away),
		cmocka_unit_test(lists_may_be_words_joined_by_commas),
		cmocka_unit_test(what_is_not_allowed_is_dropped_and_named),
		cmocka_unit_test(what_has_no_effect_here_is_said),
		cmocka_unit_test(the_image_must_be_there_and_run_here),
		cmocka_unit_test(brands_of_the_original_run_linux_images),
		cmocka_unit_test(a_mistyped_brand_is_a_bad_value),
		cmocka_unit_test(old_names_are_understood),
		cmocka_unit_test(rules_between_properties_speak_as_the_original),
		cmocka_unit_test(a_payload_is_an_object_of_bounded_size),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
