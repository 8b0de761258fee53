/* SPDX-License-Identifier: MIT */
#include "libnet/nictag.h"

#include "base/fileio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
	char path[32];
	struct host host;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .path = "/tmp/nictag.XXXXXX" };
	assert_non_null(mkdtemp(f.path));
	assert_int_equal(host_open(&f.host, f.path, NULL), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlinkat(f->host.fd, "etc/dais/nictags.json", 0);
	(void)unlinkat(f->host.fd, "etc/dais", AT_REMOVEDIR);
	(void)unlinkat(f->host.fd, "etc", AT_REMOVEDIR);
	host_close(&f->host);
	return rmdir(f->path); /* fails, and so fails the test, if anything was left behind */
}

static void write_file(struct fixture *f, const char *text)
{
	cleanup_close int dir = host_dir(&f->host, HOST_ETC, 0755, NULL);

	assert_true(dir >= 0);
	assert_int_equal(file_write_atomic(dir, NICTAG_FILE, text, strlen(text), NULL), 0);
}

static void assert_refused(const char *text, const char *want)
{
	struct nictag *tags = NULL;
	struct err e = { 0 };
	size_t count = 0;

	assert_true(nictag_parse(text, strlen(text), "t", &tags, &count, &e) < 0);
	assert_string_equal(e.msg, want);
	assert_null(tags);
}

static void has_no_tags_without_a_file(void **state)
{
	struct fixture *f = *state;
	struct nictag *tags = (void *)1, tag;
	struct err e = { 0 };
	size_t count = 9;

	assert_int_equal(nictag_load(&f->host, &tags, &count, NULL), 0);
	assert_null(tags);
	assert_int_equal(count, 0);
	assert_int_equal(nictag_find(&f->host, "admin", &tag, &e), -ENOENT);
	assert_string_equal(e.msg, "Invalid nic tag \"admin\"");
}

static void reads_all_members_of_a_tag(void **state)
{
	struct fixture *f = *state;
	struct nictag tag;

	write_file(f,
		   "{\"stub0\": {}, \"admin\": {\"address\": \"FD00::0:1/64\", \"mtu\": 9000,"
		   "\"link\": \"eth0\", \"mac\": \"0:C:29:aa:0:2\", \"bridge\": \"vmbr0\"}}");
	assert_int_equal(nictag_find(&f->host, "admin", &tag, NULL), 0);
	assert_string_equal(tag.address, "fd00::1/64");
	assert_string_equal(tag.link, "eth0");
	assert_string_equal(tag.mac, "00:0c:29:aa:00:02");
	assert_string_equal(tag.bridge, "vmbr0");
	assert_int_equal(tag.mtu, 9000);
	assert_false(nictag_is_etherstub(&tag));
	assert_int_equal(nictag_find(&f->host, "stub0", &tag, NULL), 0);
	assert_string_equal(tag.bridge, "br-stub0");
	assert_int_equal(tag.mtu, 1500);
	assert_true(nictag_is_etherstub(&tag));
}

static void writes_what_it_reads(void **state)
{
	struct fixture *f = *state;
	struct nictag *tags, *again;
	size_t count, count_again;

	write_file(f, "{\"b\": {\"mtu\": 9000}, \"a\": {\"link\": \"e1\"}, \"c\": {\"bridge\": "
		      "\"br-a\", \"address\": \"10.0.0.1/8\"}, \"d\": {}}");
	assert_int_equal(nictag_load(&f->host, &tags, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_int_equal(nictag_store(&f->host, tags, count, NULL), 0);
	assert_int_equal(nictag_load(&f->host, &again, &count_again, NULL), 0);
	assert_int_equal(count_again, count);
	assert_memory_equal(again, tags, count * sizeof(*tags));
	free(tags);
	free(again);
}

static void names_the_place_and_the_rule_that_is_broken(void **state)
{
	(void)state;
	assert_refused("[]", "t: must be an object of tags");
	assert_refused("{\"a.b\": {}}",
		       "t: /a.b: is no tag name: letters, digits and '_', at most 31 of them");
	assert_refused("{\"a\": 1}", "t: /a: must be an object");
	assert_refused("{\"a\": {\"mut\": 1500}}",
		       "t: /a/mut: is not known; members are address, "
		       "bridge, link, mac, mtu");
	assert_refused("{\"a\": {\"mtu\": 9001}}",
		       "t: /a/mtu: must be an integer of 1500 to 9000");
	assert_refused("{\"a\": {\"mtu\": \"1500\"}}",
		       "t: /a/mtu: must be an integer of 1500 to 9000");
	assert_refused("{\"a\": {\"address\": \"10.0.0.1\"}}",
		       "t: /a/address: must be ADDRESS/PREFIX, as in \"10.99.0.1/24\"");
	assert_refused("{\"a\": {\"link\": \"../../x\"}}",
		       "t: /a/link: must be the name of an interface, at most 15 characters");
	assert_refused("{\"a\": {\"mac\": \"01:00:5e:00:00:01\"}}",
		       "t: /a/mac: must be a MAC address of one station");
}

static void gives_long_names_a_bridge_of_their_own(void **state)
{
	struct nictag first, second;

	(void)state;
	nictag_init(&first, "abcdefghijkl");
	assert_string_equal(first.bridge, "br-abcdefghijkl");
	nictag_init(&first, "abcdefghijklm");
	nictag_init(&second, "abcdefghijkln");
	assert_int_equal(strlen(first.bridge), 15);
	assert_string_not_equal(first.bridge, second.bridge);
	assert_false(nictag_is_guest(&first));
}

/* A short tag that is spelt as a long tag's hash would otherwise share its network. */
static void refuses_two_tags_with_one_bridge(void **state)
{
	struct nictag tag;
	char text[256], want[512];

	(void)state;
	nictag_init(&tag, "a_name_of_over_fifteen");
	(void)snprintf(text, sizeof(text), "{\"%s\": {}, \"%s\": {}}", tag.name,
		       tag.bridge + 3);
	(void)snprintf(want, sizeof(want),
		       "t: /%s: has the same bridge '%s' as /%s; choose another name",
		       tag.bridge + 3, tag.bridge, tag.name);
	assert_refused(text, want);
}

static void knows_valid_names(void **state)
{
	(void)state;
	assert_true(nictag_name_is_valid("admin"));
	assert_true(nictag_name_is_valid("Sto_rage9"));
	assert_true(nictag_name_is_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(nictag_name_is_valid("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(nictag_name_is_valid(""));
	assert_false(nictag_name_is_valid("rule/1"));
	assert_false(nictag_name_is_valid("a b"));
	assert_false(nictag_name_is_valid("\xc3\xa9"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(has_no_tags_without_a_file),
		TEST(reads_all_members_of_a_tag),
		TEST(writes_what_it_reads),
		cmocka_unit_test(names_the_place_and_the_rule_that_is_broken),
		cmocka_unit_test(gives_long_names_a_bridge_of_their_own),
		cmocka_unit_test(refuses_two_tags_with_one_bridge),
		cmocka_unit_test(knows_valid_names),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
