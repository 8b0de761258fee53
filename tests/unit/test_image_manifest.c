/* SPDX-License-Identifier: MIT */
#include "libmanifest/manifest.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libimg/install.h"
#include "libimgfile/describe.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define UUID   "7c7a5f2e-0d0b-4a53-9a0e-aaaaaaaaaaaa"
#define START  "{\"v\":2,\"uuid\":\"" UUID "\",\"version\":\"1\",\"os\":\"linux\","
#define ZONE   START "\"name\":\"n\",\"type\":\"lx-dataset\""
#define ZVOL   START "\"name\":\"n\",\"type\":\"zvol\""
#define SHA1   "0123456789abcdef0123456789ABCDEF01234567"
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct jv *parse(const char *text)
{
	struct err e = { 0 };
	struct jv *v;

	if (jv_parse(text, strlen(text), "test", &v, &e) < 0)
		fail_msg("%s", e.msg);
	return v;
}

static void expect(const char *text, enum manifest_mode mode, const char *want)
{
	static struct manifest_problems problems;
	cleanup_jv struct jv *v = parse(text);
	struct err e = { 0 };

	if (manifest_check(v, mode, &problems))
		assert_string_equal("", want);
	else
		assert_int_equal(manifest_problems_set(&problems, &e), -EINVAL);
	assert_string_equal(e.msg, want);
}

#define VALID(rest)         expect(ZONE rest "}", MANIFEST_MINIMAL, "")
#define INVALID(rest, what) expect(ZONE rest "}", MANIFEST_MINIMAL, "invalid manifest: " what)

static void the_least_is_enough(void **state)
{
	(void)state;
	VALID("");
}

static void every_missing_field_is_named_in_order(void **state)
{
	(void)state;
	expect("{}", MANIFEST_MINIMAL,
	       "invalid manifest: v (MissingParameter), uuid (MissingParameter), "
	       "name (MissingParameter), version (MissingParameter), type (MissingParameter), "
	       "os (MissingParameter)");
}

static void unknown_fields_come_last(void **state)
{
	(void)state;
	INVALID(",\"zz\":1,\"origin\":\"x\"", "origin (Invalid), zz (unknown field)");
}

static void control_characters_of_a_field_are_not_printed(void **state)
{
	(void)state;
	INVALID(",\"a\\u001bb\":1", "a?b (unknown field)");
}

static void names_have_their_alphabet(void **state)
{
	(void)state;
	expect(START "\"type\":\"other\",\"name\":\"a B.c_d/e-9\"}", MANIFEST_MINIMAL, "");
	expect(START "\"type\":\"other\",\"name\":\"\"}", MANIFEST_MINIMAL,
	       "invalid manifest: name (Invalid)");
	expect(START "\"type\":\"other\",\"name\":\"a!b\"}", MANIFEST_MINIMAL,
	       "invalid manifest: name (Invalid)");
	expect(START "\"type\":\"other\",\"name\":7}", MANIFEST_MINIMAL, "");
}

static void dates_are_checked_by_their_shape(void **state)
{
	(void)state;
	VALID(",\"published_at\":\"2024-01-02T03:04:05Z\"");
	VALID(",\"published_at\":\"2024-13-02T03:04:05.678Z\"");
	INVALID(",\"published_at\":\"2024-01-02T03:04:05.67Z\"", "published_at (Invalid)");
	INVALID(",\"published_at\":\"2024-01-02\"", "published_at (Invalid)");
	INVALID(",\"published_at\":\"2024-01-02T03:04:05.678Zx\"", "published_at (Invalid)");
}

static void a_file_has_hash_size_and_compression(void **state)
{
	(void)state;
	VALID(",\"files\":[]");
	VALID(",\"files\":[{\"sha1\":\"x\",\"size\":1,\"compression\":\"zstd\"}]");
	INVALID(",\"files\":[{\"sha1\":\"x\",\"compression\":\"xz\"}]",
		"files (a file has no size, or 0)");
	INVALID(",\"files\":[{\"sha1\":\"x\",\"size\":0,\"compression\":\"xz\"}]",
		"files (a file has no size, or 0)");
	INVALID(",\"files\":[{\"sha1\":\"\",\"size\":1,\"compression\":\"rar\"}]",
		"files (a file has no sha1), "
		"files (a file's compression is none, gzip, bzip2, xz or zstd)");
	INVALID(",\"files\":[1]",
		"files (a file has no sha1), files (a file has no size, or 0), "
		"files (a file's compression is none, gzip, bzip2, xz or zstd)");
	INVALID(",\"files\":{}", "files (Invalid)");
}

/* Lengths were counted in bytes. */
static void lengths_are_counted_in_characters(void **state)
{
	char tag[5 * 64 + 1] = "", text[1024];

	(void)state;
	for (int i = 0; i < 64; i++)
		memcpy(tag + 5 * i, "\u00fc\u20ac", 6);
	(void)snprintf(text, sizeof(text), ZONE ",\"billing_tags\":[\"%s\"]}", tag);
	expect(text, MANIFEST_MINIMAL, "");
	(void)snprintf(text, sizeof(text), ZONE ",\"billing_tags\":[\"%s.\",\"%sx\"]}", tag,
		       tag);
	expect(text, MANIFEST_MINIMAL,
	       "invalid manifest: billing_tags (Invalid), billing_tags (Invalid)");
}

static void what_reads_as_a_number_is_one(void **state)
{
	(void)state;
	expect(ZVOL ",\"image_size\":\" 1e3 \"}", MANIFEST_MINIMAL, "");
	expect(ZVOL ",\"image_size\":\"0x10\"}", MANIFEST_MINIMAL, "");
	expect(ZVOL ",\"image_size\":\"1.5\"}", MANIFEST_MINIMAL,
	       "invalid manifest: image_size (Invalid)");
	expect(ZVOL ",\"image_size\":\"infinity\"}", MANIFEST_MINIMAL,
	       "invalid manifest: image_size (Invalid)");
	expect("{\"v\":\"2.0\",\"uuid\":\"" UUID "\",\"name\":1.5,\"version\":1.25,"
	       "\"os\":\"linux\",\"type\":\"other\"}",
	       MANIFEST_MINIMAL, "");
}

static void what_servers_ask_for_comes_first(void **state)
{
	(void)state;
	expect(ZONE
	       ",\"acl\":1,\"nic_driver\":1,\"urn\":1,\"homepage\":\"x\",\"activated\":true,"
	       "\"files\":1,\"channels\":[\"dev\"]}",
	       MANIFEST_DC,
	       "invalid manifest: owner (MissingParameter), disabled (MissingParameter), "
	       "published_at (MissingParameter), public (MissingParameter), "
	       "state (MissingParameter), files (Invalid), nic_driver (Invalid), urn (Invalid), "
	       "homepage (Invalid), acl (Invalid), channels (Invalid)");
}

static void requirements_are_looked_into(void **state)
{
	(void)state;
	VALID(",\"requirements\":{\"min_ram\":0,\"brand\":null,\"ssh_key\":\"\"}");
	VALID(",\"requirements\":{\"min_ram\":5,\"max_ram\":0}");
	INVALID(",\"requirements\":{\"min_platform\":{\"7.0\":\"20141330T081701Z\"}}",
		"requirements.min_platform (Invalid)");
	INVALID(",\"requirements\":{\"networks\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
		"requirements.networks (Invalid), requirements.networks (Invalid)");
	VALID(",\"requirements\":{\"min_ram\":1,\"max_ram\":1,\"brand\":\"lx\"}");
	INVALID(",\"requirements\":{\"min_ram\":2,\"max_ram\":1}",
		"requirements.max_ram (Invalid)");
	INVALID(",\"requirements\":{\"foo\":1}", "foo (Invalid)");
	INVALID(",\"requirements\":{\"ssh_key\":\"true\"}", "requirements.ssh_key (Invalid)");
	INVALID(",\"requirements\":{\"bootrom\":\"uefi\"}",
		"requirements.bootrom (bootrom needs requirements.brand)");
	INVALID(",\"requirements\":{\"min_platform\":{}}",
		"requirements.min_platform (Invalid)");
	INVALID(",\"requirements\":{\"min_platform\":{\"7.0\":\"20111030T081701Z\"}}",
		"requirements.min_platform (Invalid)");
}

static void disks_have_fields_of_their_own(void **state)
{
	(void)state;
	INVALID(",\"nic_driver\":\"virtio\"", "nic_driver (Invalid)");
	INVALID(",\"image_size\":1", "image_size (Invalid)");
	expect(ZVOL ",\"image_size\":\"10\",\"nic_driver\":\"virtio\"}", MANIFEST_MINIMAL, "");
	expect(ZVOL ",\"image_size\":1.5}", MANIFEST_MINIMAL,
	       "invalid manifest: image_size (Invalid)");
	expect(ZVOL ",\"inherited_directories\":[]}", MANIFEST_MINIMAL,
	       "invalid manifest: inherited_directories (Invalid)");
}

static void servers_ask_for_more(void **state)
{
	static const char more[] =
		ZONE ",\"owner\":\"" UUID "\",\"disabled\":false,\"activated\":false,"
		     "\"state\":\"unactivated\",\"public\":";
	char text[1024];

	(void)state;
	(void)snprintf(text, sizeof(text), "%strue}", more);
	expect(text, MANIFEST_DC, "");
	expect(text, MANIFEST_PUBLIC, "");
	expect(text, MANIFEST_PRIVATE, "invalid manifest: public (Invalid)");
	expect(ZONE "}", MANIFEST_DC,
	       "invalid manifest: owner (MissingParameter), disabled (MissingParameter), "
	       "activated (MissingParameter), public (MissingParameter), "
	       "state (MissingParameter)");
}

static void an_old_manifest_is_brought_up_to_date(void **state)
{
	cleanup_jv struct jv *v = parse(
		"{\"creator_uuid\":\"c\",\"restricted_to_uuid\":\"r\",\"cloud_name\":\"x\","
		"\"created_at\":\"2011-01-01T00:00Z\",\"image_size\":\"12\","
		"\"files\":[{\"path\":\"a.zfs.bz2\",\"sha1\":\"ab\",\"size\":3}]}");
	cleanup_jv struct jv *want = parse(
		"{\"v\":2,\"owner\":\"c\",\"acl\":[\"r\"],\"public\":false,\"disabled\":false,"
		"\"state\":\"active\",\"published_at\":\"2011-01-01T00:00:00Z\",\"image_size\":12,"
		"\"files\":[{\"sha1\":\"ab\",\"size\":3,\"compression\":\"bzip2\"}]}");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(manifest_upgrade(v, &e), 0);
	assert_true(jv_equal(v, want));
	jv_unref(v);
	v = parse("{\"name\":\"x\"}");
	assert_int_equal(manifest_upgrade(v, &e), -EINVAL);
	assert_string_equal(e.msg, "manifest does not have a \"v\" field");
}

static void what_is_no_json_is_told_by_place(void **state)
{
	struct err e = { 0 };
	struct jv *v;

	(void)state;
	assert_int_equal(manifest_parse("{\n 1}", 5, "m.json", &v, &e), -EBADMSG);
	assert_memory_equal(e.msg, "m.json:2:", 9);
	assert_int_equal(manifest_parse("[]", 2, "m.json", &v, &e), -EBADMSG);
	assert_string_equal(e.msg, "m.json: a manifest is an object, not array");
}

static void installable(const char *file, const char *want)
{
	char text[1024];
	cleanup_jv struct jv *v = NULL;
	struct err e = { 0 };

	(void)snprintf(text, sizeof(text), ZONE "%s}", file);
	v = parse(text);
	assert_int_equal(image_check_installable(v, &e), *want ? -EINVAL : 0);
	assert_string_equal(e.msg, want);
}

static void installing_trusts_the_file_and_checks_it_more(void **state)
{
	(void)state;
	installable("", "invalid manifest: files (MissingParameter)");
	installable(",\"files\":[{\"sha1\":\"" SHA1 "\",\"size\":1}]", "");
	installable(",\"files\":[{\"sha1\":\"0\",\"size\":1}]",
		    "invalid manifest: files[0].sha1 (must be 40 hexadecimal digits)");
	installable(",\"files\":[{\"sha1\":\"" SHA1 "\",\"size\":\"1\"}]",
		    "invalid manifest: files[0].size (must be a number of bytes)");
	installable(",\"files\":[{\"sha1\":\"" SHA1 "\",\"size\":1,\"digest\":\"sha256:0\"}]",
		    "invalid manifest: files[0].digest (must be 64 hexadecimal digits)");
	installable(",\"files\":[{\"sha256\":\"" SHA256 "\",\"size\":1}]", "");
	installable(",\"files\":[{\"digest\":\"sha256:" SHA256 "\",\"size\":1}]", "");
	installable(",\"files\":[{\"sha256\":\"" SHA256 "\",\"sha1\":\"0\",\"size\":1}]",
		    "invalid manifest: files[0].sha1 (must be 40 hexadecimal digits)");
	installable(",\"files\":[{\"size\":1}]",
		    "invalid manifest: files[0].sha1 (must be 40 hexadecimal digits)");
}

static void a_file_gives_a_name_that_a_manifest_may_have(void **state)
{
	static const char *const pairs[][2] = {
		{ "/a.b/debian-13-amd64.qcow2", "debian-13-amd64" },
		{ "web-1.1.tar.gz", "web-1.1" },
		{ "DISK.IMG.XZ", "DISK" },
		{ "./my tree,\"1\".raw", "my-tree--1-" },
		{ "/x/.qcow2", ".qcow2" },
		{ "/x/.gz.gz", ".gz" },
		{ "\xc3\xbc.tar", "--" },
		{ "-", "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_free char *name = image_name_of(pairs[i][0]);
		char text[512];

		assert_string_equal(name, pairs[i][1]);
		(void)snprintf(text, sizeof(text), START "\"name\":\"%s\",\"type\":\"zvol\"}",
			       name);
		expect(text, MANIFEST_MINIMAL, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(the_least_is_enough),
		cmocka_unit_test(every_missing_field_is_named_in_order),
		cmocka_unit_test(unknown_fields_come_last),
		cmocka_unit_test(control_characters_of_a_field_are_not_printed),
		cmocka_unit_test(names_have_their_alphabet),
		cmocka_unit_test(dates_are_checked_by_their_shape),
		cmocka_unit_test(a_file_has_hash_size_and_compression),
		cmocka_unit_test(lengths_are_counted_in_characters),
		cmocka_unit_test(what_reads_as_a_number_is_one),
		cmocka_unit_test(what_servers_ask_for_comes_first),
		cmocka_unit_test(requirements_are_looked_into),
		cmocka_unit_test(disks_have_fields_of_their_own),
		cmocka_unit_test(servers_ask_for_more),
		cmocka_unit_test(an_old_manifest_is_brought_up_to_date),
		cmocka_unit_test(what_is_no_json_is_told_by_place),
		cmocka_unit_test(a_file_gives_a_name_that_a_manifest_may_have),
		cmocka_unit_test(installing_trusts_the_file_and_checks_it_more),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
