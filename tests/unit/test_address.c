/* SPDX-License-Identifier: MIT */
#include "libnet/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void assert_canonical(const char *in, const char *want)
{
	char text[ADDR_STR];
	struct addr a;

	assert_int_equal(addr_parse_prefix(in, &a, NULL), 0);
	addr_format_prefix(&a, text);
	assert_string_equal(text, want);
}

static void writes_equal_addresses_as_equal_text(void **state)
{
	(void)state;
	assert_canonical("10.99.0.1/24", "10.99.0.1/24");
	assert_canonical("FD00:0:0::0001/64", "fd00::1/64");
	assert_canonical("::ffff:10.0.0.1/128", "::ffff:10.0.0.1/128");
	assert_canonical("0.0.0.0/0", "0.0.0.0/0");
}

static void refuses_what_is_no_address_with_prefix(void **state)
{
	static const char *const wrong[] = {
		"",
		"/",
		"/24",
		"10.0.0.1",
		"10.0.0.1/",
		"10.0.0.1/33",
		"10.0.0.1/-1",
		"10.0.0.1/024",
		"10.0.0.1/24 ",
		" 10.0.0.1/24",
		"10.0.0/24",
		"10.0.0.01/24",
		"10.0.0.256/8",
		"fe80::1%e0/64",
		"fd00::1/129",
		"fd00:::1/64",
		"10.0.0.1/+4",
		"10.0.0.1/2/4",
		"dhcp",
		"1.2.3.4/0x8",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err e = { 0 };
		struct addr a = { .family = -1 };

		assert_int_equal(addr_parse_prefix(wrong[i], &a, &e), -EINVAL);
		assert_int_equal(a.family, -1);
		assert_int_equal(e.code, -EINVAL);
	}
}

static void says_which_part_of_an_address_is_wrong(void **state)
{
	struct err e = { 0 };
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse_prefix("10.0.0.1/33", &a, &e), -EINVAL);
	assert_string_equal(e.msg, "'10.0.0.1/33' does not end in a prefix of 0 to 32");
	assert_int_equal(addr_parse_prefix("ten/8", &a, &e), -EINVAL);
	assert_string_equal(e.msg, "'ten/8' does not start with an IPv4 or IPv6 address");
}

static bool contains(const char *network, const char *host)
{
	struct addr n, a;

	assert_int_equal(addr_parse_prefix(network, &n, NULL), 0);
	assert_int_equal(addr_parse(host, &a, NULL), 0);
	return addr_contains(&n, &a);
}

static void knows_the_border_of_a_network(void **state)
{
	(void)state;
	assert_true(contains("10.0.4.0/22", "10.0.7.255"));
	assert_false(contains("10.0.4.0/22", "10.0.8.0"));
	assert_false(contains("10.0.4.0/22", "10.0.3.255"));
	assert_true(contains("10.0.0.1/32", "10.0.0.1"));
	assert_false(contains("10.0.0.1/32", "10.0.0.0"));
	assert_true(contains("0.0.0.0/0", "255.1.2.3"));
	assert_true(contains("fd00:1::/33", "fd00:1:7fff::"));
	assert_false(contains("fd00:1::/33", "fd00:1:8000::"));
	assert_false(contains("::/0", "10.0.0.1"));
	assert_true(contains("fd00::7/128", "fd00::7"));
}

static bool is(bool (*question)(const struct addr *), const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a, NULL), 0);
	return question(&a);
}

static void tells_private_and_public_apart(void **state)
{
	(void)state;
	assert_true(is(addr_is_private, "172.31.255.255"));
	assert_false(is(addr_is_private, "172.32.0.0"));
	assert_true(is(addr_is_private, "100.64.0.1"));
	assert_false(is(addr_is_private, "8.8.8.8"));
	assert_true(is(addr_is_private, "fd12::1"));
	assert_false(is(addr_is_private, "2001:db8::1"));
	assert_true(is(addr_is_unicast, "192.0.2.1"));
	assert_false(is(addr_is_unicast, "0.0.0.0"));
	assert_false(is(addr_is_unicast, "239.1.1.1"));
	assert_false(is(addr_is_unicast, "255.255.255.255"));
	assert_false(is(addr_is_unicast, "ff02::1"));
	assert_false(is(addr_is_unicast, "::"));
}

static void turns_each_netmask_into_its_prefix_and_back(void **state)
{
	char mask[ADDR_STR];
	unsigned int got;

	(void)state;
	for (unsigned int prefix = 0; prefix <= 32; prefix++) {
		netmask_from_prefix(prefix, mask);
		assert_int_equal(netmask_to_prefix(mask, &got, NULL), 0);
		assert_int_equal(got, prefix);
	}
	netmask_from_prefix(20, mask);
	assert_string_equal(mask, "255.255.240.0");
}

static void refuses_netmasks_with_holes(void **state)
{
	struct err e = { 0 };
	unsigned int got = 99;

	(void)state;
	assert_int_equal(netmask_to_prefix("255.0.255.0", &got, &e), -EINVAL);
	assert_string_equal(e.msg, "'255.0.255.0' is not a netmask: it has holes");
	assert_int_equal(netmask_to_prefix("0.0.0.255", &got, NULL), -EINVAL);
	assert_int_equal(netmask_to_prefix("24", &got, NULL), -EINVAL);
	assert_int_equal(got, 99);
}

static void normalises_the_ways_to_write_a_mac(void **state)
{
	char mac[MAC_STR];

	(void)state;
	assert_int_equal(mac_normalise("0:C:29:aa:0:2", mac, NULL), 0);
	assert_string_equal(mac, "00:0c:29:aa:00:02");
	assert_int_equal(mac_normalise("FF:ff:Ff:fF:00:1", mac, NULL), 0);
	assert_string_equal(mac, "ff:ff:ff:ff:00:01");
}

static void refuses_what_is_no_mac(void **state)
{
	static const char *const wrong[] = {
		"",
		"zz:zz",
		"00:0c:29:aa:00",
		"00:0c:29:aa:00:02:03",
		"000c29aa0002",
		"00-0c-29-aa-00-02",
		"00:0c:29:aa:00:02 ",
		"00:0c:29:aa:00:002",
		"00:0c::29:aa:0",
		":0c:29:aa:00:02",
		"00:0c:29:aa:00:",
		"00:0c:29:aa:00:0g",
	};
	char mac[MAC_STR];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mac_normalise(wrong[i], mac, NULL), -EINVAL);
}

static void makes_macs_that_a_station_may_have(void **state)
{
	char first[MAC_STR], second[MAC_STR];

	(void)state;
	for (int i = 0; i < 100; i++) {
		mac_generate(first);
		assert_true(mac_is_unicast(first));
		assert_non_null(strchr("26ae", first[1]));
	}
	mac_generate(second);
	assert_string_not_equal(first, second);
	assert_false(mac_is_unicast("01:00:5e:00:00:01"));
	assert_false(mac_is_unicast("00:00:00:00:00:00"));
}

/* On the wire and in the ARP caches of others: it must be the same for ever. */
static void derives_the_same_mac_from_the_same_name(void **state)
{
	char mac[MAC_STR], other[MAC_STR];

	(void)state;
	mac_derive("br-admin", mac);
	assert_true(mac_is_unicast(mac));
	assert_string_equal(mac, "5e:1f:f4:94:04:67");
	mac_derive("br-admim", other);
	assert_string_not_equal(mac, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(writes_equal_addresses_as_equal_text),
		cmocka_unit_test(refuses_what_is_no_address_with_prefix),
		cmocka_unit_test(says_which_part_of_an_address_is_wrong),
		cmocka_unit_test(knows_the_border_of_a_network),
		cmocka_unit_test(tells_private_and_public_apart),
		cmocka_unit_test(turns_each_netmask_into_its_prefix_and_back),
		cmocka_unit_test(refuses_netmasks_with_holes),
		cmocka_unit_test(normalises_the_ways_to_write_a_mac),
		cmocka_unit_test(refuses_what_is_no_mac),
		cmocka_unit_test(makes_macs_that_a_station_may_have),
		cmocka_unit_test(derives_the_same_mac_from_the_same_name),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
