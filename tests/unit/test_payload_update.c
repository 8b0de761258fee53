/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include "payload_fixture.h"

/* A VM with two NICs, as create makes it. */
#define NICS                                                                                   \
	"'nics': [{'nic_tag': 'external', 'mac': '02:00:00:00:00:01', 'ips': ['10.0.0.1/24', " \
	"'fd00::1/64'], 'gateways': ['10.0.0.254']}, {'nic_tag': 'stub0', "                    \
	"'mac': '02:00:00:00:00:02', 'ips': ['192.168.0.2/24']}]"

static struct jv *made(const char *members)
{
	cleanup_problems struct problems ps = { 0 };
	struct jv *record = fixture_record(members, &ps);

	assert_non_null(record);
	return record;
}

/* OLD after CHANGE, or NULL with PS filled. */
static struct jv *changed(const struct jv *old, const char *change, bool ignore,
			  struct problems *ps)
{
	cleanup_jv struct jv *payload = fixture_json(change);
	struct payload_vm vm = { old, "running", "running" };
	struct jv *record = NULL;
	struct err e = { 0 };

	if (payload_update(&vm, payload, &fixture_env, ignore, &record, ps, &e) < 0)
		return NULL;
	return record;
}

/* MEMBER of the VM made of MEMBERS is the JSON WANT after CHANGE. */
static void assert_change(const char *members, const char *change, const char *member,
			  const char *want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = made(members), *kept = jv_copy(old);
	cleanup_jv struct jv *new = changed(old, change, false, &ps), *value = NULL;
	cleanup_free char *summary = problems_summary(&ps), *text = NULL;

	if (!new)
		fail_msg("%s: %s", change, summary);
	value = jv_get(new, member) ? jv_copy(jv_get(new, member)) : jv_null();
	text = jv_dump(value, 0);
	for (char *c = text; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	assert_string_equal(text, want);
	assert_true(jv_equal(old, kept));
}

static void assert_change_refused(const char *members, const char *change, const char *want,
				  const char *where)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = made(members), *new = changed(old, change, false, &ps);
	cleanup_free char *summary = problems_summary(&ps), *details = problems_details(&ps);

	if (new)
		fail_msg("was taken: %s", change);
	assert_string_equal(summary, want);
	if (!strstr(details, where))
		fail_msg("no '%s' in:\n%s", where, details);
}

/* One member of NIC INDEX after CHANGE of the VM with two NICs. */
static void assert_nic(const char *change, size_t index, const char *member, const char *want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = made(NICS), *new = changed(old, change, false, &ps);
	cleanup_free char *summary = problems_summary(&ps), *text = NULL;
	const struct jv *value;

	if (!new)
		fail_msg("%s: %s", change, summary);
	value = jv_get(jv_at(jv_get(new, "nics"), index), member);
	text = value ? jv_dump(value, 0) : xstrdup("-");
	for (char *c = text; *c; c++)
		*c = *c == '"' ? '\'' : *c;
	assert_string_equal(text, want);
}

static void values_are_set_and_taken_away(void **state ATTR_UNUSED)
{
	assert_change("'alias': 'a'", "{'alias': 'b'}", "alias", "'b'");
	assert_change("'alias': 'a'", "{'alias': null}", "alias", "null");
	assert_change("'alias': 'a'", "{'alias': ''}", "alias", "null");
	assert_change("'quota': 5", "{'quota': ''}", "quota", "0");
	assert_change("'cpu_cap': 50", "{'cpu_cap': '0'}", "cpu_cap", "null");
	assert_change("'autoboot': false", "{'autoboot': null}", "autoboot", "true");
	assert_change("'resolvers': ['10.0.0.9']", "{'resolvers': ''}", "resolvers", "[]");
	assert_change("", "{'limit_priv': 'default,-net_access'}", "limit_priv",
		      "'default,-net_access'");
	assert_change("", "{'limit_priv': ''}", "limit_priv", "'default'");
	assert_change("'uuid': '" LINUX_IMAGE "', 'hostname': 'h'", "{'hostname': ''}",
		      "hostname", "'" LINUX_IMAGE "'");
	assert_change_refused("", "{'quota': 'much'}", "Invalid value(s) for: quota", "/quota");
}

static void limits_follow_memory(void **state ATTR_UNUSED)
{
	static const char vm[] = "'max_physical_memory': 1024, 'max_locked_memory': 512, "
				 "'max_swap': 2048, 'tmpfs': 512";

	assert_change(vm, "{'max_physical_memory': 2048}", "max_locked_memory", "1536");
	assert_change(vm, "{'ram': 2048}", "max_swap", "3072");
	assert_change(vm, "{'ram': 2048}", "max_physical_memory", "2048");
	assert_change(vm, "{'ram': 2048}", "ram", "null");
	assert_change(vm, "{'max_physical_memory': 2048}", "tmpfs", "1024");
	assert_change(vm, "{'max_physical_memory': 2048, 'tmpfs': 100}", "tmpfs", "100");
	assert_change(vm, "{'max_physical_memory': 100}", "max_locked_memory", "100");
	assert_change(vm, "{'max_swap': 10}", "max_swap", "1024");
	assert_change(vm, "{'tmpfs': 0}", "tmpfs", "0");
	assert_change("'tmpfs': 0", "{'ram': 4096}", "tmpfs", "0");
}

static void maps_are_laid_over(void **state ATTR_UNUSED)
{
	static const char vm[] = "'tags': {'a': '1', 'b': 2}";

	assert_change(vm, "{'set_tags': {'c': true}, 'remove_tags': ['a', 'x']}", "tags",
		      "{'b':2,'c':true}");
	assert_change(vm, "{'set_tags': {'a': '9'}, 'remove_tags': ['a', 'b']}", "tags",
		      "{'a':'9'}");
	assert_change(vm, "{'remove_tags': 'a,b'}", "tags", "{}");
	assert_change(vm, "{'tags': {}}", "tags", "{'a':'1','b':2}");
	assert_change("", "{'set_customer_metadata': {'k': 'v'}}", "customer_metadata",
		      "{'k':'v'}");
	assert_change_refused(vm, "{'set_tags': {'x': {'y': 1}}}",
			      "Invalid value(s) for: set_tags", "/set_tags/x");
}

static void nics_are_found_by_mac(void **state ATTR_UNUSED)
{
	assert_nic("{'update_nics': [{'mac': '2:0:0:0:0:1', 'ips': ['10.0.0.7/24']}]}", 0,
		   "ips", "['10.0.0.7/24']");
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'vlan_id': 7}]}", 0,
		   "vlan_id", "7");
	assert_nic("{'remove_nics': ['02:00:00:00:00:01']}", 0, "mac", "'02:00:00:00:00:02'");
	assert_nic("{'remove_nics': ['02:00:00:00:00:01']}", 0, "primary", "true");
	assert_change_refused(NICS, "{'remove_nics': ['02:00:00:00:00:09']}",
			      "There is no NIC with the MAC address 02:00:00:00:00:09",
			      "at /remove_nics/0");
	assert_change_refused(
		NICS, "{'update_nics': [{'mac': '02:00:00:00:00:09', 'vlan_id': 1}]}",
		"There is no existing NIC with that mac address", "at /update_nics/0/mac");
	assert_change_refused(NICS, "{'update_nics': [{'vlan_id': 1}]}",
			      "NIC object needs a .mac property to update",
			      "at /update_nics/0");
}

static void the_old_form_changes_one_address(void **state ATTR_UNUSED)
{
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'ip': '10.0.0.9'}]}", 0,
		   "ips", "['10.0.0.9/24','fd00::1/64']");
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'netmask': "
		   "'255.255.0.0'}]}",
		   0, "ips", "['10.0.0.1/16','fd00::1/64']");
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'ip': 'dhcp'}]}", 0, "ips",
		   "['dhcp','fd00::1/64']");
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'gateway': ''}]}", 0,
		   "gateways", "-");
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'ips': []}]}", 0, "ip", "-");
	assert_change_refused(
		NICS, "{'update_nics': [{'mac': '02:00:00:00:00:01', 'netmask': ''}]}",
		"Specified netmask value is invalid: ", "at /update_nics/0/netmask");
}

static void new_nics_take_the_lowest_name(void **state ATTR_UNUSED)
{
	static const char add[] = "'add_nics': [{'nic_tag': 'stub0', 'ip': 'dhcp', "
				  "'interface': 'eth7', 'primary': true}]";
	char text[512];

	(void)snprintf(text, sizeof(text), "{%s}", add);
	assert_nic(text, 2, "interface", "'eth2'");
	assert_nic(text, 2, "primary", "true");
	assert_nic(text, 0, "primary", "-");
	(void)snprintf(text, sizeof(text), "{'remove_nics': ['02:00:00:00:00:01'], %s}", add);
	assert_nic(text, 1, "interface", "'eth0'");
}

static void the_primary_flag_moves(void **state ATTR_UNUSED)
{
	static const char second[] =
		"{'update_nics': [{'mac': '02:00:00:00:00:02', 'primary': true}]}";

	assert_nic(second, 1, "primary", "true");
	assert_nic(second, 0, "primary", "-");
	assert_change_refused(
		NICS, "{'update_nics': [{'mac': '02:00:00:00:00:01', 'primary': false}]}",
		"invalid value for NIC's primary flag: false (must be true)",
		"at /update_nics/0/primary");
	assert_change_refused(NICS,
			      "{'update_nics': [{'mac': '02:00:00:00:00:01', 'primary': true}, "
			      "{'mac': '02:00:00:00:00:02', 'primary': true}]}",
			      "payload specifies more than 1 primary NIC",
			      "at /update_nics/1/primary");
}

static void a_public_nic_succeeds(void **state ATTR_UNUSED)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = made(
		"'nics': [{'nic_tag': 'stub0', 'mac': '02:00:00:00:00:01', 'ip': 'dhcp'}, "
		"{'nic_tag': 'stub0', 'mac': '02:00:00:00:00:02', 'ips': ['10.0.0.2/24']}, "
		"{'nic_tag': 'stub0', 'mac': '02:00:00:00:00:03', 'ips': ['8.8.8.3/24']}, "
		"{'nic_tag': 'stub0', 'mac': '02:00:00:00:00:04', 'ips': ['8.8.8.4/24']}]");
	cleanup_jv struct jv *new =
		changed(old, "{'remove_nics': ['02:00:00:00:00:01']}", false, &ps);
	const struct jv *nics = jv_get(new, "nics");

	assert_int_equal(jv_len(nics), 3);
	assert_false(jv_get_bool(jv_at(nics, 0), "primary", false));
	assert_true(jv_get_bool(jv_at(nics, 1), "primary", false));
	assert_false(jv_get_bool(jv_at(nics, 2), "primary", false));
}

static void nics_must_go_together(void **state ATTR_UNUSED)
{
	assert_nic("{'update_nics': [{'mac': '02:00:00:00:00:01', 'ips': ['192.168.0.2/24']}, "
		   "{'mac': '02:00:00:00:00:02', 'ips': ['10.0.0.1/24']}]}",
		   1, "ip", "'10.0.0.1'");
	assert_change_refused(NICS,
			      "{'add_nics': [{'nic_tag': 'stub0', 'mac': "
			      "'02:00:00:00:00:02', 'ip': 'dhcp'}]}",
			      "Cannot add multiple NICs with the same MAC: 02:00:00:00:00:02",
			      "/nics/2/mac");
	assert_change_refused(NICS,
			      "{'update_nics': [{'mac': '02:00:00:00:00:01', 'nic_tag': 'x'}]}",
			      "Invalid nic tag \"x\"", "at /update_nics/0/nic_tag");
	assert_change_refused("'routes': {'10.9.0.0/16': 'nics[1]'}, " NICS,
			      "{'remove_nics': ['02:00:00:00:00:02']}",
			      "Route gateway: \"nics[1]\" refers to non-existent or DHCP nic",
			      "at /routes");
}

static void what_is_missing_may_be_ignored(void **state ATTR_UNUSED)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = made(NICS);
	cleanup_jv struct jv *new =
		changed(old, "{'remove_nics': ['02:00:00:00:00:09'], 'alias': 'x'}", true, &ps);

	assert_non_null(new);
	assert_string_equal(jv_get_string(new, "alias"), "x");
	assert_true(problems_has(&ps, PROBLEM_NOTE, "remove_nics"));
}

static void filesystems_are_found_by_target(void **state ATTR_UNUSED)
{
	static const char vm[] = "'filesystems': [{'source': '/a', 'target': '/x', "
				 "'type': 'lofs', 'options': ['ro']}]";

	assert_change(vm, "{'remove_filesystems': ['/x']}", "filesystems", "[]");
	assert_change(vm, "{'update_filesystems': [{'target': '/x', 'options': null}]}",
		      "filesystems", "[{'source':'/a','target':'/x','type':'lofs'}]");
	assert_change_refused(vm,
			      "{'add_filesystems': [{'source': '/b', 'target': '/x', "
			      "'type': 'lofs'}]}",
			      "There is a filesystem with the target \"/x\" already",
			      "at /add_filesystems/0/target");
	assert_change_refused(vm, "{'remove_filesystems': ['/y']}",
			      "There is no filesystem with the target \"/y\"",
			      "at /remove_filesystems/0");
}

static void docker_is_for_life(void **state ATTR_UNUSED)
{
	assert_change_refused("", "{'docker': true}",
			      "docker cannot be changed: the VM was made with the other value",
			      "at /docker");
	assert_change("'docker': true", "{'docker': true, 'alias': 'x'}", "alias", "'x'");
	assert_change("'docker': true", "{'alias': 'x'}", "internal_metadata_namespaces",
		      "['docker']");
}

static void changes_are_told_but_no_secrets(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *old = fixture_json(
		"{'alias': 'a', 'quota': 1, 'customer_metadata': {'pw': 'secret'}}");
	cleanup_jv struct jv *new =
		fixture_json("{'quota': 2, 'customer_metadata': {'pw': 'other'}, 'tags': {}}");
	cleanup_jv struct jv *changes = payload_changes(old, new);
	cleanup_free char *text = jv_dump(changes, 0);

	assert_string_equal(text, "[\"quota: 1 -> 2\",\"customer_metadata\",\"tags: - -> {}\","
				  "\"alias: \\\"a\\\" -> -\"]");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_set_and_taken_away),
		cmocka_unit_test(limits_follow_memory),
		cmocka_unit_test(maps_are_laid_over),
		cmocka_unit_test(nics_are_found_by_mac),
		cmocka_unit_test(the_old_form_changes_one_address),
		cmocka_unit_test(new_nics_take_the_lowest_name),
		cmocka_unit_test(the_primary_flag_moves),
		cmocka_unit_test(a_public_nic_succeeds),
		cmocka_unit_test(nics_must_go_together),
		cmocka_unit_test(what_is_missing_may_be_ignored),
		cmocka_unit_test(filesystems_are_found_by_target),
		cmocka_unit_test(docker_is_for_life),
		cmocka_unit_test(changes_are_told_but_no_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
