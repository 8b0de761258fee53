/* SPDX-License-Identifier: MIT */
#include "libvm/zone_files.h"

#include "base/fileio.h"
#include "base/jv.h"
#include "base/path.h"

#include "unit.h"

static struct jv *parse(const char *text)
{
	struct jv *v = NULL;

	assert_int_equal(jv_parse(text, strlen(text), "t", &v, NULL), 0);
	return v;
}

static const char record_text[] =
	"{\"hostname\": \"web\", \"dns_domain\": \"example.org\", \"resolvers\": [\"1.1.1.1\", \"::1\"],"
	" \"nics\": [{\"interface\": \"net0\", \"ips\": [\"dhcp\"]},"
	" {\"interface\": \"net1\", \"ips\": [\"10.0.0.7/24\"], \"primary\": true}]}";

static void assert_file(const struct unit_dir *d, const char *dir, const char *name,
			const char *want)
{
	cleanup_close int fd = path_open_in_root(d->fd, dir, O_RDONLY | O_DIRECTORY, 0, NULL);
	cleanup_free char *text = NULL;
	size_t len;

	assert_int_equal(file_read_all(fd, name, 4096, &text, &len, NULL), 0);
	assert_string_equal(text, want);
}

static void remove_all(const struct unit_dir *d)
{
	assert_int_equal(path_remove_tree(d->fd, "root", NULL), 0);
}

/* A root with etc/systemd, as an image that boots has it. */
static struct unit_dir make_root(const struct unit_dir *d)
{
	struct unit_dir root = { .fd = -1 };

	assert_int_equal(path_mkdir_all(d->fd, "root/etc/systemd", 0755, NULL), 0);
	root.fd = openat(d->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root.fd >= 0);
	return root;
}

static void a_zone_finds_its_name_and_its_resolvers(void **state)
{
	struct unit_dir *d = *state;
	struct unit_dir root = make_root(d);
	cleanup_jv struct jv *record = parse(record_text);

	assert_int_equal(zone_files_write(root.fd, record, true, NULL), 0);
	assert_file(&root, "etc", "hostname", "web\n");
	assert_file(&root, "etc", "hosts",
		    "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n"
		    "10.0.0.7\tweb.example.org web\n");
	assert_file(&root, "etc", "resolv.conf",
		    "search example.org\nnameserver 1.1.1.1\nnameserver ::1\n");
	assert_true(unit_exists(&root, "etc/systemd/network/dais-net0.network"));
	assert_false(unit_exists(&root, "etc/systemd/network/dais-net1.network"));
	assert_true(unit_exists(&root, "var/svc/provisioning"));
	/* Once more, as after a crash. */
	assert_int_equal(zone_files_write(root.fd, record, true, NULL), 0);
	(void)close(root.fd);
	remove_all(d);
}

static void without_resolvers_the_image_keeps_its_own(void **state)
{
	cleanup_jv struct jv *record =
		parse("{\"hostname\": \"web\", \"dns_domain\": \"local\"}");
	cleanup_free char *text = zone_file_resolv_conf(record);
	cleanup_free char *hosts = zone_file_hosts(record);

	(void)state;
	assert_null(text);
	assert_non_null(strstr(hosts, "127.0.1.1\tweb.local web\n"));
}

static void a_dhcp_interface_brings_its_other_addresses_along(void **state)
{
	cleanup_jv struct jv *nic =
		parse("{\"interface\": \"net0\", \"ips\": [\"addrconf\", \"10.0.0.7/24\"],"
		      " \"gateways\": [\"10.0.0.1\"], \"primary\": true}");
	cleanup_jv struct jv *fixed = parse("{\"ips\": [\"10.0.0.7/24\"]}");
	cleanup_free char *text = zone_file_network(nic);

	(void)state;
	assert_string_equal(text, "[Match]\nName=net0\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\n"
				  "LinkLocalAddressing=ipv6\nAddress=10.0.0.7/24\n"
				  "Gateway=10.0.0.1\n\n[DHCPv4]\nClientIdentifier=mac\n"
				  "UseHostname=no\n");
	assert_null(zone_file_network(fixed));
}

/* A file that is a link in the image is replaced; what it points to is not touched. */
static void a_link_in_place_of_a_file_is_not_followed(void **state)
{
	struct unit_dir *d = *state;
	struct unit_dir root = make_root(d);
	cleanup_jv struct jv *record = parse(record_text);

	unit_write(d, "victim", "mine");
	assert_int_equal(symlinkat("../../victim", root.fd, "etc/hostname"), 0);
	assert_int_equal(symlinkat("/nowhere/at/all", root.fd, "etc/resolv.conf"), 0);
	assert_int_equal(zone_files_write(root.fd, record, false, NULL), 0);
	assert_file(d, ".", "victim", "mine");
	assert_file(&root, "etc", "hostname", "web\n");
	(void)close(root.fd);
	remove_all(d);
	assert_int_equal(unlinkat(d->fd, "victim", 0), 0);
}

/* A folder that is a link, absolute or upwards, could lead out of the zone: the create fails.
 */
static void a_link_in_place_of_a_folder_is_refused(void **state)
{
	static const char *const targets[] = { "/", "..", "../outside" };
	struct unit_dir *d = *state;
	cleanup_jv struct jv *record = parse(record_text);

	assert_int_equal(mkdirat(d->fd, "outside", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		cleanup_close int rootfd = -1;
		struct err e = { 0 };

		assert_int_equal(mkdirat(d->fd, "root", 0755), 0);
		rootfd = openat(d->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(symlinkat(targets[i], rootfd, "etc"), 0);
		assert_true(zone_files_write(rootfd, record, false, &e) < 0);
		assert_non_null(strstr(e.msg, "'etc' of the image"));
		remove_all(d);
	}
	/* Fails when a file came to be in it. */
	assert_int_equal(unlinkat(d->fd, "outside", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		unit_test_in_dir(a_zone_finds_its_name_and_its_resolvers),
		cmocka_unit_test(without_resolvers_the_image_keeps_its_own),
		cmocka_unit_test(a_dhcp_interface_brings_its_other_addresses_along),
		unit_test_in_dir(a_link_in_place_of_a_file_is_not_followed),
		unit_test_in_dir(a_link_in_place_of_a_folder_is_refused),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
