/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "libnet/bridge.h"
#include "libnet/filter.h"
#include "libnet/nft.h"

#include <linux/if_bridge.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAC  "02:00:00:00:00:0a"
#define PORT "dz0123456789n0"

static struct filter strict(void)
{
	struct filter f = { .port = PORT, .mac = MAC };

	assert_int_equal(addr_parse("10.0.0.5", &f.addresses[0], NULL), 0);
	assert_int_equal(addr_parse("fd00::5", &f.addresses[1], NULL), 0);
	f.address_count = 2;
	return f;
}

/* Is LINE, without the name of the port, one of the rules? */
static bool has(const struct filter *f, const char *line)
{
	char *text = filter_text(f);
	char want[256];
	bool found;

	(void)snprintf(want, sizeof(want), PORT "%s\n", line);
	found = strstr(text, want) != NULL;
	free(text);
	return found;
}

static void assert_has(const struct filter *f, const char *line)
{
	if (!has(f, line)) {
		char *text = filter_text(f);

		fprintf(stderr, "%s", text);
		free(text);
		fail_msg("there is no rule '%s'", line);
	}
}

static void a_port_says_only_what_is_its_own(void **state)
{
	struct filter f = strict();

	(void)state;
	assert_has(&f, ": ether saddr != 02000000000a drop");
	assert_has(&f, ": ether type 8100 drop");
	assert_has(&f, ": protocol 0800 l4proto 11 sport 0043 drop");
	assert_has(&f, ": protocol 0800 ip saddr 0a000005 accept");
	assert_has(&f, ": protocol 0806 arp saddr ether != 02000000000a drop");
	assert_has(&f, ": protocol 0806 arp saddr ip 0a000005 accept");
	assert_has(&f,
		   "-source: ip6 saddr fd000000000000000000000000000005 l4proto known accept");
	assert_has(&f,
		   "-source: ip6 saddr fe80000000000000000000fffe00000a l4proto known accept");
	assert_has(&f, "-6: l4proto 3a icmpv6 type 86 drop");
}

static void each_chain_ends_in_a_drop(void **state)
{
	static const char *const chains[] = { "", "-na", "-any", "-source" };
	struct filter f = strict();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s: drop", chains[i]);
		assert_has(&f, line);
	}
}

static void an_allowed_network_is_matched_by_its_prefix(void **state)
{
	struct filter f = strict();

	(void)state;
	assert_int_equal(addr_parse_prefix("10.9.8.7/12", &f.addresses[2], NULL), 0);
	assert_int_equal(addr_parse_prefix("fd01::1/64", &f.addresses[3], NULL), 0);
	f.address_count = 4;
	assert_has(&f, ": protocol 0800 ip saddr & fff00000 0a000000 accept");
	assert_has(&f, "-source: ip6 saddr & ffffffffffffffff0000000000000000 "
		       "fd010000000000000000000000000000 l4proto known accept");
}

static void a_port_without_dhcp_learns_nothing(void **state)
{
	struct filter f = strict();

	(void)state;
	assert_false(has(&f, ": protocol 0800 ip saddr @" PORT "-lease accept"));
	f.dhcp = true;
	assert_has(&f, ": protocol 0800 ip saddr @" PORT "-lease accept");
	assert_has(&f, ": protocol 0800 l4proto 11 sport 0044 dport 0043 accept");
	assert_has(&f, "-lease: dhcp chaddr 02000000000a dhcp yiaddr != 00000000 add @" PORT
		       "-lease { dhcp yiaddr }");
}

static void addrconf_means_the_identifier_of_the_mac(void **state)
{
	struct filter f = strict();

	(void)state;
	f.addrconf = true;
	assert_has(&f, "-source: ip6 saddr & 0000000000000000ffffffffffffffff "
		       "0000000000000000000000fffe00000a l4proto known accept");
}

static void each_switch_takes_away_its_rules_and_no_others(void **state)
{
	struct filter f = strict();

	(void)state;
	f.allow_mac = true;
	assert_false(has(&f, ": ether saddr != 02000000000a drop"));
	assert_has(&f, ": protocol 0800 ip saddr 0a000005 accept");
	f = strict();
	f.allow_ip = true;
	assert_has(&f, ": ether saddr != 02000000000a drop");
	assert_has(&f, ": protocol 0800 accept");
	assert_has(&f, ": protocol 0806 arp saddr ether != 02000000000a drop");
	assert_has(&f, ": protocol 0800 l4proto 11 sport 0043 drop");
	f = strict();
	f.allow_dhcp = true;
	assert_false(has(&f, ": protocol 0800 l4proto 11 sport 0043 drop"));
	f = strict();
	f.allow_restricted = true;
	assert_false(has(&f, ": ether type 8100 drop"));
	assert_has(&f, ": accept");
	assert_has(&f, ": protocol 0806 drop");
}

static void blocked_ports_come_before_what_is_accepted(void **state)
{
	struct filter f = strict();
	char *text;

	(void)state;
	f.blocked[f.blocked_count++] = 25;
	text = filter_text(&f);
	assert_non_null(strstr(text, "l4proto 06 dport 0019 drop"));
	assert_true(strstr(text, "l4proto 11 dport 0019 drop") < strstr(text, " accept"));
	free(text);
}

static void vrrp_may_come_from_the_primary_address(void **state)
{
	struct filter f = strict();

	(void)state;
	assert_int_equal(addr_parse("10.0.0.9", &f.vrrp_primary, NULL), 0);
	assert_has(&f, ": protocol 0800 ip saddr 0a000009 l4proto 70 accept");
}

/* The kernel at hand may know no VLANs: what it would be told is looked at here. */
static void a_port_in_a_vlan_is_asked_for_in_the_kernels_words(void **state)
{
	struct rtnl n = { .sock = NULL };
	struct nlmsghdr *m = bridge_vlan_request(&n, RTM_SETLINK, 7, 42, BRIDGE_VLAN_INFO_PVID);
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(m);
	const struct nlattr *spec = mnl_nlmsg_get_payload_offset(m, sizeof(*ifi));
	const struct nlattr *attr = mnl_attr_get_payload(spec);
	const struct bridge_vlan_info *info = mnl_attr_get_payload(attr);

	(void)state;
	assert_int_equal(m->nlmsg_type, RTM_SETLINK);
	assert_int_equal(ifi->ifi_family, AF_BRIDGE);
	assert_int_equal(ifi->ifi_index, 7);
	assert_int_equal(mnl_attr_get_type(spec), IFLA_AF_SPEC);
	assert_int_equal(mnl_attr_get_type(attr), IFLA_BRIDGE_VLAN_INFO);
	assert_int_equal(info->vid, 42);
	assert_int_equal(info->flags, BRIDGE_VLAN_INFO_PVID);
}

static void a_guarded_port_hears_answers_and_icmp(void **state)
{
	struct filter f = strict();

	(void)state;
	assert_false(has(&f, "-guard: protocol 0800 drop"));
	f.guarded = true;
	assert_has(&f, "-track: protocol 0800 l4proto 11 update @" PORT
		       "-flow4 { flow sent timeout 180s }");
	assert_has(&f, "-track: protocol 0800 l4proto 06 tcp flags & 12 02 update @" PORT
		       "-flow4 { flow sent timeout 120s }");
	assert_has(&f, "-track: protocol 86dd l4proto 06 tcp flags & 05 != 00 delete @" PORT
		       "-flow6 { flow6 sent }");
	assert_has(&f, "-guard: protocol 0800 l4proto 01 accept");
	assert_has(&f, "-guard: protocol 86dd l4proto 3a accept");
	assert_has(&f, "-guard: protocol 0800 flow answered @" PORT "-flow4 accept");
	assert_has(&f, "-guard: protocol 0800 drop");
	assert_has(&f, "-guard: protocol 86dd drop");
	assert_false(has(&f, "-guard: protocol 0800 l4proto 11 sport 0043 dport 0044 accept"));
	f.dhcp = true;
	assert_has(&f, "-guard: protocol 0800 l4proto 11 sport 0043 dport 0044 accept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_says_only_what_is_its_own),
		cmocka_unit_test(each_chain_ends_in_a_drop),
		cmocka_unit_test(an_allowed_network_is_matched_by_its_prefix),
		cmocka_unit_test(a_port_without_dhcp_learns_nothing),
		cmocka_unit_test(addrconf_means_the_identifier_of_the_mac),
		cmocka_unit_test(each_switch_takes_away_its_rules_and_no_others),
		cmocka_unit_test(blocked_ports_come_before_what_is_accepted),
		cmocka_unit_test(vrrp_may_come_from_the_primary_address),
		cmocka_unit_test(a_guarded_port_hears_answers_and_icmp),
		cmocka_unit_test(a_port_in_a_vlan_is_asked_for_in_the_kernels_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
