/* SPDX-License-Identifier: MIT */
/* From a record to what is started: units, defaults, and what is refused. */
#include "zoneadmd/zoneadmd.h"

#include "base/jv.h"
#include "base/path.h"
#include "libvm/zoneadmd.h"

#include "unit.h"

#define UUID "11111111-2222-4333-8444-555555555555"

struct fixture {
	struct unit_dir *d;
	struct zone z;
	struct zone_spec s;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(unit_dir_setup((void **)&f->d), 0);
	assert_int_equal(host_open(&f->z.host, f->d->path, NULL), 0);
	assert_int_equal(path_mkdir_all(f->d->fd, "etc/zones", 0700, NULL), 0);
	assert_int_equal(path_mkdir_all(f->d->fd, "zones/" UUID "/root/dev", 0700, NULL), 0);
	(void)snprintf(f->z.uuid, sizeof(f->z.uuid), UUID);
	f->z.warnings = jv_array();
	f->z.rundirfd = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	zone_spec_done(&f->s);
	jv_unref(f->z.warnings);
	assert_int_equal(path_remove_tree(f->d->fd, "etc", NULL), 0);
	assert_int_equal(path_remove_tree(f->d->fd, "zones", NULL), 0);
	host_close(&f->z.host);
	r = unit_dir_teardown((void **)&f->d);
	free(f);
	return r;
}

/* MORE are members after the ones that every record has. */
static int load(struct fixture *f, const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "{ \"v\": 1, \"uuid\": \"" UUID "\", \"brand\": \"lx\", %s }", more);
	unit_write(f->d, "etc/zones/" UUID ".json", text);
	zone_spec_done(&f->s);
	return zone_spec_load(&f->z, &f->s, &f->e);
}

static const char *warning(const struct fixture *f, size_t n)
{
	return jv_as_string(jv_at(f->z.warnings, n));
}

static void sizes_are_in_mebibytes_and_swap_is_the_rest(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		load(f, "\"idmap_base\": 131072, \"max_physical_memory\": 256, "
			"\"max_swap\": 1024, \"tmpfs\": 64, \"cpu_cap\": 150, "
			"\"max_lwps\": 500, \"max_locked_memory\": 128, \"max_shm_memory\": 3, "
			"\"max_shm_ids\": 5, \"zlog_max_size\": 4096"),
		0);
	assert_int_equal(f->s.run.memory_bytes, 256 << 20);
	assert_int_equal(f->s.run.swap_bytes, 768 << 20);
	assert_int_equal(f->s.run.tmpfs_bytes, 64 << 20);
	assert_int_equal(f->s.run.locked_bytes, 128 << 20);
	assert_int_equal(f->s.run.shm_bytes, 3 << 20);
	assert_int_equal(f->s.run.shm_ids, 5);
	assert_int_equal(f->s.run.console_log_bytes, 4096);
	assert_int_equal(f->s.run.cpu_cap, 150);
	assert_int_equal(f->s.run.max_processes, 500);
	assert_int_equal(f->s.run.id_base, 131072);
	assert_int_equal(f->s.run.id_count, 65536);
	assert_int_equal(f->z.zoneid, 2);
}

static void what_is_not_said_is_no_limit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"cpu_cap\": -5"), 0);
	assert_int_equal(f->s.run.memory_bytes, 0);
	assert_int_equal(f->s.run.cpu_cap, 0);
	assert_int_equal(f->s.run.nic_count, 0);
	assert_null(f->s.run.init_argv);
	assert_null(f->s.run.drop_caps);
	assert_string_equal(f->s.run.hostname, UUID);
}

static void ids_of_the_host_are_refused(void **state)
{
	static const char *const bad[] = { "0", "65535", "65537", "-65536", "4294967296" };
	struct fixture *f = *state;
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(text, sizeof(text), "\"idmap_base\": %s", bad[i]);
		assert_int_equal(load(f, text), -EINVAL);
		assert_non_null(strstr(f->e.msg, "idmap_base"));
	}
	assert_int_equal(load(f, "\"hostname\": \"x\""), -EINVAL);
}

static void the_default_route_is_the_primary_nics(void **state)
{
	struct fixture *f = *state;
	char link[ZONEADMD_LINK_NAME];

	assert_int_equal(
		load(f,
		     "\"idmap_base\": 131072, \"nics\": [ "
		     "{ \"interface\": \"eth0\", \"mac\": \"02:00:00:00:00:01\", "
		     "\"ips\": [\"10.0.0.2/24\", \"dhcp\"], \"gateways\": [\"10.0.0.1\"] }, "
		     "{ \"interface\": \"eth1\", \"mac\": \"02:00:00:00:00:02\", \"mtu\": 9000, "
		     "\"primary\": true, \"gateways\": [\"10.1.0.1\", \"10.1.0.2\"] } ]"),
		0);
	assert_int_equal(f->s.run.nic_count, 2);
	assert_null(f->s.nics[0].gateway);
	assert_string_equal(f->s.nics[1].gateway, "10.1.0.1");
	assert_string_equal(f->s.nics[0].ips[0], "10.0.0.2/24");
	assert_string_equal(f->s.nics[0].ips[1], "dhcp");
	assert_null(f->s.nics[0].ips[2]);
	assert_null(f->s.nics[1].ips[0]);
	assert_int_equal(f->s.nics[1].mtu, 9000);
	zoneadmd_link_name(UUID, 1, link);
	assert_string_equal(f->s.nics[1].host_name, link);
}

static void a_nic_without_a_name_is_refused_by_its_place(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"nics\": [ { \"mac\": \"x\" } ]"),
			 -EINVAL);
	assert_non_null(strstr(f->e.msg, "nics[0]: 'interface' or 'mac' is missing"));
}

static void privileges_are_taken_away_and_never_added(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f,
			      "\"idmap_base\": 131072, \"limit_priv\": "
			      "\"default,!net_rawaccess,-proc_chroot,sys_time,!unheard_of\""),
			 0);
	assert_string_equal(f->s.run.drop_caps[0], "net_raw");
	assert_string_equal(f->s.run.drop_caps[1], "sys_chroot");
	assert_null(f->s.run.drop_caps[2]);
	assert_int_equal(jv_len(f->z.warnings), 2);
	assert_string_equal(warning(f, 0), "limit_priv: 'sys_time' is not given");
	assert_string_equal(warning(f, 1), "limit_priv: '!unheard_of' is not in force");
}

static bool drops(const struct fixture *f, const char *capability)
{
	for (const char *const *c = f->s.run.drop_caps; c && *c; c++)
		if (strcmp(*c, capability) == 0)
			return true;
	return false;
}

static void a_list_without_default_is_all_there_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"limit_priv\": "
				 "\"basic,net_privaddr,file_dac_read\""),
			 0);
	assert_false(drops(f, "net_bind_service"));
	assert_true(drops(f, "net_raw"));
	assert_true(drops(f, "sys_admin"));
	/* It stands for reading, searching and writing: one of them is not all. */
	assert_true(drops(f, "dac_override"));
	assert_true(drops(f, "setuid") && drops(f, "setgid"));
	assert_int_equal(jv_len(f->z.warnings), 0);
}

static void what_no_capability_stands_for_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"limit_priv\": "
				 "\"default,-proc_fork,-dtrace_user\""),
			 0);
	assert_int_equal(jv_len(f->z.warnings), 1);
	assert_string_equal(
		warning(f, 0),
		"limit_priv: '-proc_fork' is not in force: no capability stands for it");
	assert_null(f->s.run.drop_caps);
}

static void later_words_win(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"limit_priv\": "
				 "\"default,-net_rawaccess,net_rawaccess,-sys_mount\""),
			 0);
	assert_false(drops(f, "net_raw"));
	assert_true(drops(f, "sys_admin"));
}

static void file_systems_are_below_the_hosts_root(void **state)
{
	struct fixture *f = *state;
	char want[128];

	assert_int_equal(load(f,
			      "\"idmap_base\": 131072, \"fs_allowed\": [\"ufs\", \"tmpfs\"], "
			      "\"filesystems\": [ { \"type\": \"lofs\", \"source\": \"/a\", "
			      "\"target\": \"/b\", \"options\": [\"ro\"] }, "
			      "{ \"type\": \"tmpfs\", \"target\": \"/c\", "
			      "\"options\": [\"size=4m\"] } ]"),
			 0);
	(void)snprintf(want, sizeof(want), "%s/a", f->d->path);
	assert_int_equal(f->s.run.mount_count, 3);
	assert_string_equal(f->s.run.mounts[0].source, want);
	assert_true(f->s.run.mounts[0].read_only);
	assert_null(f->s.run.mounts[1].source);
	assert_string_equal(f->s.run.mounts[1].size, "4m");
	assert_string_equal(f->s.run.mounts[2].target, "/checkpoints");
	assert_true(f->s.run.mounts[2].read_only);
	assert_int_equal(jv_len(f->z.warnings), 1);
	assert_non_null(strstr(warning(f, 0), "fs_allowed: 'ufs' is not given"));

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"filesystems\": [ {} ]"), -EINVAL);
	assert_non_null(strstr(f->e.msg, "filesystems[0]: source: "));
}

static void a_zone_sees_its_snapshots_and_its_data(void **state)
{
	struct fixture *f = *state;
	char want[128];

	assert_int_equal(load(f, "\"idmap_base\": 131072, \"delegate_dataset\": true"), 0);
	(void)snprintf(want, sizeof(want), "%s/zones/" UUID "/data", f->d->path);
	assert_int_equal(f->s.run.mount_count, 2);
	assert_string_equal(f->s.run.mounts[0].target, "/checkpoints");
	assert_string_equal(f->s.run.mounts[1].source, want);
	assert_string_equal(f->s.run.mounts[1].target, "/zones/" UUID "/data");
	assert_false(f->s.run.mounts[1].read_only);

	/* What the image has there is followed nowhere. */
	assert_int_equal(symlinkat("/etc", f->d->fd, "zones/" UUID "/root/checkpoints"), 0);
	assert_int_equal(load(f, "\"idmap_base\": 131072"), 0);
	assert_int_equal(f->s.run.mount_count, 0);
	assert_non_null(strstr(warning(f, 0), "snapshots: '/checkpoints'"));
}

static void a_root_whose_dev_leads_elsewhere_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->d->fd, "zones/" UUID "/root/dev", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/etc", f->d->fd, "zones/" UUID "/root/dev"), 0);
	assert_int_equal(load(f, "\"idmap_base\": 131072"), 0);
	assert_int_equal(zone_spec_check_root(&f->s, &f->e), -ENOTDIR);
	assert_non_null(strstr(f->e.msg, "'/dev' in the root"));
}

static void the_root_itself_may_not_be_a_link(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(path_remove_tree(f->d->fd, "zones/" UUID "/root", NULL), 0);
	assert_int_equal(symlinkat("/", f->d->fd, "zones/" UUID "/root"), 0);
	assert_int_equal(load(f, "\"idmap_base\": 131072"), 0);
	assert_true(zone_spec_check_root(&f->s, &f->e) < 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(sizes_are_in_mebibytes_and_swap_is_the_rest),
		TEST(what_is_not_said_is_no_limit),
		TEST(ids_of_the_host_are_refused),
		TEST(the_default_route_is_the_primary_nics),
		TEST(a_nic_without_a_name_is_refused_by_its_place),
		TEST(privileges_are_taken_away_and_never_added),
		TEST(a_list_without_default_is_all_there_is),
		TEST(what_no_capability_stands_for_is_named),
		TEST(later_words_win),
		TEST(file_systems_are_below_the_hosts_root),
		TEST(a_zone_sees_its_snapshots_and_its_data),
		TEST(a_zone_sees_its_snapshots_and_its_data),
		TEST(a_root_whose_dev_leads_elsewhere_is_refused),
		TEST(the_root_itself_may_not_be_a_link),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
