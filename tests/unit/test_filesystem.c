/* SPDX-License-Identifier: MIT */
/* What entries of "filesystems" may say, and what is made of a root for them. */
#include "libpayload/filesystem.h"

#include "base/jv.h"
#include "base/path.h"

#include "host_fixture.h"

static int parse(const char *text, struct filesystem *fs, struct jv **ret, struct err *e)
{
	assert_int_equal(jv_parse(text, strlen(text), "test", ret, e), 0);
	return filesystem_parse(*ret, fs, e);
}

static void options_become_flags(void **state)
{
	cleanup_jv struct jv *v = NULL;
	struct filesystem fs;
	struct err e;

	(void)state;
	assert_int_equal(
		parse("{ \"type\": \"lofs\", \"source\": \"/a\", \"target\": \"/b/c\","
		      "  \"options\": [\"ro\", \"nodevices\", \"nosetuid\", \"noexec\"] }",
		      &fs, &v, &e),
		0);
	assert_string_equal(fs.source, "/a");
	assert_string_equal(fs.target, "/b/c");
	assert_true(fs.read_only && fs.no_suid && fs.no_exec && !fs.devices);
}

static void without_options_only_devices_are_kept_out(void **state)
{
	cleanup_jv struct jv *v = NULL;
	struct filesystem fs;
	struct err e;

	(void)state;
	assert_int_equal(parse("{ \"source\": \"/a\", \"target\": \"/b\" }", &fs, &v, &e), 0);
	assert_false(fs.read_only || fs.no_suid || fs.no_exec);
}

static void a_tmpfs_has_a_size_and_no_source(void **state)
{
	cleanup_jv struct jv *v = NULL;
	struct filesystem fs;
	struct err e;

	(void)state;
	assert_int_equal(parse("{ \"type\": \"tmpfs\", \"source\": \"swap\", "
			       "\"target\": \"/b\", \"options\": [\"size=64m\"] }",
			       &fs, &v, &e),
			 0);
	assert_null(fs.source);
	assert_string_equal(fs.size, "64m");
}

static void what_is_wrong_is_named_by_its_member(void **state)
{
	static const char *const bad[][2] = {
		{ "{ \"type\": \"ufs\", \"source\": \"/a\", \"target\": \"/b\" }", "type: " },
		{ "{ \"type\": \"lofs\", \"target\": \"/b\" }", "source: " },
		{ "{ \"source\": \"/a\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"b\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/b/../c\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/b//c\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/b/\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/proc/sys\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/dev\" }", "target: " },
		{ "{ \"source\": \"/a\", \"target\": \"/b\", \"options\": [\"suiddir\"] }",
		  "options: 'suiddir'" },
		{ "{ \"source\": \"/a\", \"target\": \"/b\", \"options\": [\"size=4m\"] }",
		  "options: 'size=4m'" },
		{ "{ \"type\": \"tmpfs\", \"target\": \"/b\", \"options\": [\"size=4,x\"] }",
		  "options: 'size=4,x'" },
		{ "{ \"type\": \"tmpfs\", \"target\": \"/b\", \"options\": [7] }",
		  "options: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_jv struct jv *v = NULL;
		struct filesystem fs;
		struct err e = { 0 };

		assert_int_equal(parse(bad[i][0], &fs, &v, &e), -EINVAL);
		assert_int_equal(strncmp(e.msg, bad[i][1], strlen(bad[i][1])), 0);
	}
}

static void a_name_that_only_begins_like_the_hosts_is_fine(void **state)
{
	cleanup_jv struct jv *v = NULL;
	struct filesystem fs;
	struct err e;

	(void)state;
	assert_int_equal(parse("{ \"source\": \"/a\", \"target\": \"/develop\" }", &fs, &v, &e),
			 0);
}

static void a_source_is_a_folder_or_a_file_without_links(void **state)
{
	struct host_fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(mkdirat(f->host.fd, "d", 0700), 0);
	assert_int_equal(path_write_new(f->host.fd, "f", "", 0600, NULL), 0);
	assert_int_equal(symlinkat("d", f->host.fd, "l"), 0);
	assert_int_equal(mkfifoat(f->host.fd, "p", 0600), 0);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/d", &e), 1);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/f", &e), 0);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/l", &e), -ELOOP);
	assert_non_null(strstr(e.msg, "symbolic link"));
	assert_int_equal(filesystem_source_is_folder(&f->host, "/none", &e), -ENOENT);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/p", &e), -EINVAL);
	assert_int_equal(filesystem_source_is_folder(&f->host, "d", &e), -EINVAL);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/", &e), -EINVAL);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/proc/sys", &e), -EINVAL);
	assert_int_equal(filesystem_source_is_folder(&f->host, "/d/../d", &e), -EINVAL);
	for (const char *const *n = (const char *const[]){ "f", "l", "p", NULL }; *n; n++)
		assert_int_equal(unlinkat(f->host.fd, *n, 0), 0);
	assert_int_equal(unlinkat(f->host.fd, "d", AT_REMOVEDIR), 0);
}

static void a_target_is_made_and_follows_no_link(void **state)
{
	struct host_fixture *f = *state;
	struct filesystem fs = { .target = "/a/b/c" };
	struct err e = { 0 };

	assert_int_equal(filesystem_make_target(f->host.fd, &fs, true, &e), 0);
	assert_int_equal(filesystem_make_target(f->host.fd, &fs, true, &e), 0);
	assert_int_equal(filesystem_make_target(f->host.fd, &fs, false, &e), -ENOTDIR);
	fs.target = "/a/b/f";
	assert_int_equal(filesystem_make_target(f->host.fd, &fs, false, &e), 0);

	assert_int_equal(symlinkat("/", f->host.fd, "l"), 0);
	fs.target = "/l/x";
	assert_true(filesystem_make_target(f->host.fd, &fs, true, &e) < 0);
	assert_non_null(strstr(e.msg, "'l' in the root is no folder"));
	fs.target = "/l";
	assert_int_equal(filesystem_make_target(f->host.fd, &fs, true, &e), -ENOTDIR);
	assert_int_equal(unlinkat(f->host.fd, "l", 0), 0);
	assert_int_equal(path_remove_tree(f->host.fd, "a", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_flags),
		cmocka_unit_test(without_options_only_devices_are_kept_out),
		cmocka_unit_test(a_tmpfs_has_a_size_and_no_source),
		cmocka_unit_test(what_is_wrong_is_named_by_its_member),
		cmocka_unit_test(a_name_that_only_begins_like_the_hosts_is_fine),
		host_test(a_source_is_a_folder_or_a_file_without_links),
		host_test(a_target_is_made_and_follows_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
