/* SPDX-License-Identifier: MIT */
#include "payload_fixture.h"

#define MAC "'mac': 'b2:1e:ba:a5:6e:70'"
#define TAG "'nic_tag': 'external'"

/* The first NIC of a payload with NICS, which has to be taken. New. */
static struct jv *first_nic(const char *nics)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = NULL;
	char text[4096];

	(void)snprintf(text, sizeof(text), "'nics': [%s]", nics);
	record = fixture_record(text, &ps);
	if (!record) {
		cleanup_free char *summary = problems_summary(&ps);

		fail_msg("%s: %s", nics, summary);
	}
	return jv_ref(jv_at(jv_get(record, "nics"), 0));
}

static void the_old_form_becomes_the_new_one_and_stays(void **state)
{
	cleanup_jv struct jv *nic =
		first_nic("{" TAG ", 'ip': '10.2.121.70', 'netmask': '255.255.0.0', "
			  "'gateway': '10.2.121.1'}");

	(void)state;
	assert_string_equal(jv_as_string(jv_at(jv_get(nic, "ips"), 0)), "10.2.121.70/16");
	assert_string_equal(jv_as_string(jv_at(jv_get(nic, "gateways"), 0)), "10.2.121.1");
	assert_string_equal(jv_get_string(nic, "ip"), "10.2.121.70");
	assert_string_equal(jv_get_string(nic, "netmask"), "255.255.0.0");
	assert_string_equal(jv_get_string(nic, "gateway"), "10.2.121.1");
	assert_string_equal(jv_get_string(nic, "interface"), "eth0");
	assert_true(jv_get_bool(nic, "primary", false));
}

static void the_new_form_shows_its_first_ipv4_address_in_the_old_one(void **state)
{
	cleanup_jv struct jv *nic =
		first_nic("{" TAG ", 'ips': ['fd00::1/64', '10.0.0.1/24', '10.0.0.2/24']}");
	cleanup_jv struct jv *dhcp = first_nic("{" TAG ", 'ips': ['addrconf', 'dhcp']}");
	cleanup_jv struct jv *none = first_nic("{" TAG "}");

	(void)state;
	assert_string_equal(jv_get_string(nic, "ip"), "10.0.0.1");
	assert_string_equal(jv_get_string(nic, "netmask"), "255.255.255.0");
	assert_string_equal(jv_get_string(dhcp, "ip"), "dhcp");
	assert_null(jv_get(dhcp, "netmask"));
	assert_int_equal(jv_len(jv_get(none, "ips")), 0);
	assert_null(jv_get(none, "ip"));
}

static void addresses_are_refused_with_their_place(void **state)
{
	(void)state;
	assert_refused("'nics': [{" TAG ", 'ips': ['10.0.0.1']}]",
		       "Invalid value(s) for: nics.*.ips");
	assert_detail("'nics': [{" TAG ", 'ips': ['dhcp', '10.0.0.1/33']}]",
		      "  /nics/0/ips/1: ");
	assert_detail("'nics': [{" TAG ", 'ips': ['10.0.0.1/7']}]", "prefix from 8 to 32");
	assert_detail("'nics': [{" TAG ", 'ips': ['224.0.0.1/24']}]",
		      "must be an address that a host can have");
	assert_refused("'nics': [{" TAG ", 'ip': '10.2.121.70', 'netmask': '255.0.255.0'}]",
		       "Specified netmask value is invalid: 255.0.255.0");
	assert_detail("'nics': [{" TAG ", 'ip': '10.2.121.70'}]", "  at /nics/0/ip\n");
	assert_refused("'nics': [{" TAG ", 'gateways': ['fd00::1']}]",
		       "Static gateways must be IPv4 addresses: fd00::1");
	assert_refused("'nics': [{" TAG ", 'allowed_ips': ['x']}]",
		       "Invalid value(s) for: nics.*.allowed_ips");
	assert_refused("'nics': [{" TAG ", 'allowed_dhcp_cids': ['0x1ab']}]",
		       "Invalid value(s) for: nics.*.allowed_dhcp_cids");
}

static void more_addresses_than_the_limit_are_refused(void **state)
{
	char ips[1024] = "", text[2048];

	(void)state;
	for (int i = 1; i <= 21; i++) {
		size_t len = strlen(ips);

		(void)snprintf(ips + len, sizeof(ips) - len, "%s'10.0.0.%d/24'",
			       i > 1 ? ", " : "", i);
	}
	(void)snprintf(text, sizeof(text), "'nics': [{" TAG ", 'ips': [%s]}]", ips);
	assert_refused(text, "nic.*.ips contains 21 addresses, but is limited to 20");
}

static void macs_are_made_up_or_put_into_one_form(void **state)
{
	cleanup_jv struct jv *given = first_nic("{" TAG ", 'mac': '2:8:20:0:A:1'}");
	cleanup_jv struct jv *made = first_nic("{" TAG "}");

	(void)state;
	assert_string_equal(jv_get_string(given, "mac"), "02:08:20:00:0a:01");
	assert_int_equal(strlen(jv_get_string(made, "mac")), 17);
	assert_refused("'nics': [{" TAG ", 'mac': 'zz:00'}]",
		       "Invalid value(s) for: nics.*.mac");
	assert_refused("'nics': [{" TAG ", 'mac': '01:02:03:0a:0b:0c'}]",
		       "Invalid value(s) for: nics.*.mac");
}

static void tags_must_be_there(void **state)
{
	(void)state;
	assert_refused("'nics': [{'nic_tag': 'nope1', 'ips': []}, {'nic_tag': 'nope2'}]",
		       "Invalid nic tag \"nope1\"\nInvalid nic tag \"nope2\"");
	assert_detail("'nics': [{" TAG "}, {'nic_tag': 'nope'}]", "  at /nics/1/nic_tag\n");
}

static void a_host_that_cannot_be_asked_is_an_error_of_its_own(void **state)
{
	cleanup_jv struct jv *payload =
		fixture_json("{'brand': 'lx', 'image_uuid': '" LINUX_IMAGE
			     "', 'nics': [{'nic_tag': 'broken'}]}");
	cleanup_problems struct problems ps = { 0 };
	struct jv *record;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(payload_to_record(payload, &fixture_env, &record, &ps, &e), -EIO);
	assert_string_equal(e.msg, "the table of tags cannot be read");
}

static void mtus_fit_their_network(void **state)
{
	(void)state;
	assert_refused(
		"'nics': [{" TAG ", " MAC ", 'mtu': 1499}]",
		"nic 0 (b2:1e:ba:a5:6e:70): MTU is below the supported MTU (1500) of nic tag "
		"\"external\"");
	assert_refused("'nics': [{" TAG ", 'mtu': 575}]", "Invalid value(s) for: nics.*.mtu");
	assert_refused("'nics': [{" TAG ", 'mtu': 1500.3}]",
		       "Invalid value(s) for: nics.*.mtu");
	jv_unref(first_nic("{'nic_tag': 'stub0', 'mtu': 9000}"));
	jv_unref(first_nic("{'nic_tag': 'stub0', 'mtu': 576}"));
}

static void two_nics_share_neither_mac_nor_address(void **state)
{
	(void)state;
	assert_refused("'nics': [{" TAG ", " MAC "}, {" TAG ", " MAC "}]",
		       "Cannot add multiple NICs with the same MAC: b2:1e:ba:a5:6e:70");
	assert_refused("'nics': [{" TAG ", 'ips': ['10.0.0.1/24']}, {" TAG
		       ", 'ips': ['10.0.0.1/16']}]",
		       "Cannot add multiple NICs with the same IP: 10.0.0.1/16");
}

static void exactly_one_nic_is_primary(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record("'nics': [{" TAG ", 'primary': false}, {" TAG
						 ", 'primary': 1}, {" TAG "}]",
						 &ps);
	const struct jv *nics = jv_get(r, "nics");

	(void)state;
	assert_null(jv_get(jv_at(nics, 0), "primary"));
	assert_true(jv_get_bool(jv_at(nics, 1), "primary", false));
	assert_null(jv_get(jv_at(nics, 2), "primary"));
	assert_string_equal(jv_get_string(jv_at(nics, 2), "interface"), "eth2");
	assert_refused("'nics': [{" TAG ", 'primary': true}, {" TAG ", 'primary': true}]",
		       "payload specifies more than 1 primary NIC");
}

static void virtual_routers_have_their_own_rules(void **state)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		"'nics': [{" TAG ", 'ips': ['10.2.121.70/16']}, {" TAG
		", 'vrrp_vrid': 16, 'vrrp_primary_ip': '10.2.121.70', 'ips': ['10.2.121.99/16']}]",
		&ps);

	(void)state;
	assert_string_equal(jv_get_string(jv_at(jv_get(r, "nics"), 1), "mac"),
			    "00:00:5e:00:01:10");
	assert_refused("'nics': [{" TAG ", 'vrrp_vrid': 16}]",
		       "vrrp_vrid set but not vrrp_primary_ip");
	assert_refused("'nics': [{" TAG ", " MAC
		       ", 'vrrp_vrid': 16, 'vrrp_primary_ip': '10.2.121.70'}]",
		       "Cannot set both mac and vrrp_vrid");
}

static void routes_lead_somewhere(void **state)
{
#define NICS "'nics': [{" TAG ", 'ips': ['10.2.121.70/16']}, {" TAG ", 'ips': ['dhcp']}], "
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *r = fixture_record(
		NICS "'routes': {'10.0.0.0/8': '10.2.121.1', '1.2.3.4': 'nics[0]'}", &ps);

	(void)state;
	assert_non_null(r);
	assert_refused(
		NICS "'routes': {'10.0.0.0/8': 'foo'}",
		"Invalid route gateway: \"foo\" (must be IP address, MAC address, or nic)");
	assert_refused(NICS "'routes': {'10.0.0.0/8': 'nics[3]'}",
		       "Route gateway: \"nics[3]\" refers to non-existent or DHCP nic");
	assert_refused(NICS "'routes': {'10.0.0.0/8': 'nics[1]'}",
		       "Route gateway: \"nics[1]\" refers to non-existent or DHCP nic");
	assert_refused(NICS "'routes': {'fd00::/64': 'fd00::1'}",
		       "Invalid route destination: \"fd00::/64\" (must be IP address or CIDR)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(the_old_form_becomes_the_new_one_and_stays),
		cmocka_unit_test(the_new_form_shows_its_first_ipv4_address_in_the_old_one),
		cmocka_unit_test(addresses_are_refused_with_their_place),
		cmocka_unit_test(more_addresses_than_the_limit_are_refused),
		cmocka_unit_test(macs_are_made_up_or_put_into_one_form),
		cmocka_unit_test(tags_must_be_there),
		cmocka_unit_test(a_host_that_cannot_be_asked_is_an_error_of_its_own),
		cmocka_unit_test(mtus_fit_their_network),
		cmocka_unit_test(two_nics_share_neither_mac_nor_address),
		cmocka_unit_test(exactly_one_nic_is_primary),
		cmocka_unit_test(virtual_routers_have_their_own_rules),
		cmocka_unit_test(routes_lead_somewhere),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
