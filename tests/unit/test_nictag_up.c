/* SPDX-License-Identifier: MIT */
/*
 * Real links in a network namespace of the test's own (with a user namespace
 * around it where the tester is not root). Where none can be made, the tests are
 * skipped.
 */
#include "libnet/link.h"
#include "libnet/nictag.h"
#include "libnet/rtnl.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static bool private_net;

/* Each test has a fresh namespace: what one leaves, the next does not see. */
static int setup(void **state)
{
	(void)state;
	private_net = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	return 0;
}

#define NEED_NET()                \
	do {                      \
		if (!private_net) \
			skip();   \
	} while (0)

static struct nictag tag_of(const char *name, const char *link, const char *address)
{
	struct nictag tag;

	nictag_init(&tag, name);
	(void)snprintf(tag.link, sizeof(tag.link), "%s", link);
	(void)snprintf(tag.address, sizeof(tag.address), "%s", address);
	return tag;
}

/* A pair of links that stands for hardware; no other kind is in every kernel. */
static void make_veth(const char *name)
{
	cleanup_rtnl struct rtnl n = { .sock = NULL };
	struct nlmsghdr *request;
	struct nlattr *info;

	assert_int_equal(rtnl_open(&n, NULL), 0);
	request = rtnl_begin_link(&n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(request, info);
	assert_int_equal(rtnl_ask(&n, request, NULL, NULL), 0);
}

static void makes_a_bridge_that_is_up_with_its_address(void **state)
{
	struct nictag tag = tag_of("stub0", "", "10.77.0.1/24");
	struct link_info info;
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	tag.mtu = 9000;
	assert_int_equal(nictag_bring_up(&tag, &e), 0);
	assert_int_equal(link_get("br-stub0", &info, NULL), 0);
	assert_string_equal(info.kind, "bridge");
	assert_true(info.flags & IFF_UP);
	assert_int_equal(info.mtu, 9000);
	assert_int_equal(info.group, LINK_GROUP_DAIS);
	/* It has the address: it can be bound to. */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_addr.s_addr = htonl(0x0a4d0001);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	close(fd);
}

static void changes_nothing_the_second_time(void **state)
{
	struct nictag tag = tag_of("stub0", "", "10.77.0.1/24");
	struct link_info before, after;

	(void)state;
	NEED_NET();
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_get(tag.bridge, &before, NULL), 0);
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_get(tag.bridge, &after, NULL), 0);
	assert_int_equal(before.index, after.index);
	assert_string_equal(before.mac, after.mac);
}

static void keeps_its_mac_when_ports_come_and_go(void **state)
{
	struct nictag tag = tag_of("stub0", "", "");
	struct link_info before, after;

	(void)state;
	NEED_NET();
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_get(tag.bridge, &before, NULL), 0);
	for (int i = 0; i < 8; i++) {
		char name[IFNAMSIZ];

		(void)snprintf(name, sizeof(name), "v%d", i);
		make_veth(name);
		assert_int_equal(link_set_master(name, tag.bridge, NULL), 0);
		assert_int_equal(link_get(tag.bridge, &after, NULL), 0);
		assert_string_equal(before.mac, after.mac);
		assert_int_equal(before.mtu, after.mtu);
	}
	assert_int_equal(link_delete("v0", NULL), 0);
	assert_int_equal(link_get(tag.bridge, &after, NULL), 0);
	assert_string_equal(before.mac, after.mac);
}

static void makes_its_link_a_port_and_takes_over_its_mac(void **state)
{
	struct nictag tag = tag_of("ext", "phys0", "");
	struct link_info bridge, link;
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	make_veth("phys0");
	assert_int_equal(nictag_bring_up(&tag, &e), 0);
	assert_int_equal(link_get("br-ext", &bridge, NULL), 0);
	assert_int_equal(link_get("phys0", &link, NULL), 0);
	assert_int_equal(link.master, bridge.index);
	assert_true(link.flags & IFF_UP);
	assert_string_equal(link.mac, bridge.mac);
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
}

static void finds_a_renamed_link_by_its_mac(void **state)
{
	struct nictag tag = tag_of("ext", "old0", "");
	struct link_info bridge, link;

	(void)state;
	NEED_NET();
	make_veth("new0");
	assert_int_equal(link_get("new0", &link, NULL), 0);
	(void)snprintf(tag.mac, sizeof(tag.mac), "%s", link.mac);
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_get("br-ext", &bridge, NULL), 0);
	assert_int_equal(link_get("new0", &link, NULL), 0);
	assert_int_equal(link.master, bridge.index);
}

static void leaves_nothing_behind_when_its_link_is_not_there(void **state)
{
	struct nictag tag = tag_of("ext", "none0", "10.77.0.1/24");
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	assert_int_equal(nictag_bring_up(&tag, &e), -ENODEV);
	assert_string_equal(e.msg, "nic tag 'ext': there is no interface 'none0'");
	assert_false(link_exists("br-ext"));
}

/* Making it a port would cut whoever is logged in through that address. */
static void refuses_a_link_that_has_addresses(void **state)
{
	struct nictag tag = tag_of("ext", "br-other0", "");
	struct nictag other = tag_of("other0", "", "10.77.0.1/24");
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	assert_int_equal(nictag_bring_up(&other, NULL), 0);
	assert_int_equal(nictag_bring_up(&tag, &e), -EBUSY);
	assert_string_equal(e.msg,
			    "nic tag 'ext': 'br-other0' has the address 10.77.0.1/24, which "
			    "would stop working: give it to 'br-ext' first");
}

static void uses_a_foreign_bridge_and_never_removes_it(void **state)
{
	struct nictag own = tag_of("stub0", "", "");
	struct nictag guest = tag_of("guest", "", "");
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	(void)snprintf(guest.bridge, sizeof(guest.bridge), "br-stub0");
	assert_int_equal(nictag_bring_up(&guest, &e), -ENODEV);
	assert_string_equal(e.msg, "nic tag 'guest': there is no bridge 'br-stub0'");
	assert_int_equal(nictag_bring_up(&own, NULL), 0);
	assert_int_equal(nictag_bring_up(&guest, NULL), 0);
	assert_int_equal(nictag_take_down(&guest, NULL), 0);
	assert_true(link_exists("br-stub0"));
}

static void removes_a_bridge_only_when_no_vm_is_on_it(void **state)
{
	struct nictag tag = tag_of("ext", "phys0", "");
	struct err e = { 0 };

	(void)state;
	NEED_NET();
	make_veth("phys0");
	make_veth("vm0");
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_set_master("vm0", tag.bridge, NULL), 0);
	assert_int_equal(nictag_take_down(&tag, &e), -EBUSY);
	assert_string_equal(e.msg, "nic tag 'ext': 'br-ext' still has the port 'vm0'");
	assert_true(link_exists("br-ext"));
	assert_int_equal(link_set_master("vm0", NULL, NULL), 0);
	assert_int_equal(nictag_take_down(&tag, NULL), 0);
	assert_false(link_exists("br-ext"));
	assert_true(link_exists("phys0"));
	assert_int_equal(nictag_take_down(&tag, NULL), 0);
}

/* The one that died between making and finishing: its bridge is there, and down. */
static void finishes_what_a_dead_caller_began(void **state)
{
	struct nictag tag = tag_of("stub0", "", "10.77.0.1/24");
	struct link_info info;

	(void)state;
	NEED_NET();
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_set_up("br-stub0", false, NULL), 0);
	assert_int_equal(nictag_bring_up(&tag, NULL), 0);
	assert_int_equal(link_get("br-stub0", &info, NULL), 0);
	assert_true(info.flags & IFF_UP);
}

static void lets_many_callers_bring_up_one_tag(void **state)
{
	struct nictag tag = tag_of("stub0", "", "10.77.0.1/24");
	pid_t pids[16];

	(void)state;
	NEED_NET();
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(nictag_bring_up(&tag, NULL) == 0 ? 0 : 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void lists_links_by_prefix_and_deletes_them(void **state)
{
	struct link_info *links;
	size_t count;

	(void)state;
	NEED_NET();
	for (int i = 0; i < 40; i++) {
		char name[IFNAMSIZ];

		(void)snprintf(name, sizeof(name), "vz%d", i);
		make_veth(name);
	}
	assert_int_equal(link_list("vz", &links, &count, NULL), 0);
	assert_int_equal(count, 40);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(link_delete(links[i].name, NULL), 0);
	free(links);
	assert_int_equal(link_list("vz", &links, &count, NULL), 0);
	assert_int_equal(count, 0);
	free(links);
	assert_int_equal(link_delete("vz1", NULL), 0);
	assert_int_equal(link_delete("a-name-that-no-link-can-have", NULL), 0);
}

#define TEST(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(makes_a_bridge_that_is_up_with_its_address),
		TEST(changes_nothing_the_second_time),
		TEST(keeps_its_mac_when_ports_come_and_go),
		TEST(makes_its_link_a_port_and_takes_over_its_mac),
		TEST(finds_a_renamed_link_by_its_mac),
		TEST(leaves_nothing_behind_when_its_link_is_not_there),
		TEST(refuses_a_link_that_has_addresses),
		TEST(uses_a_foreign_bridge_and_never_removes_it),
		TEST(removes_a_bridge_only_when_no_vm_is_on_it),
		TEST(finishes_what_a_dead_caller_began),
		TEST(lets_many_callers_bring_up_one_tag),
		TEST(lists_links_by_prefix_and_deletes_them),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
