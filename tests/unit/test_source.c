/* SPDX-License-Identifier: MIT */
#include "libsource/source.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"
#include "libsource/imgapi.h"
#include "libsource/source_auth.h"
#include "libsource/source_ops.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>

static void addresses_have_one_form(void **state)
{
	static const char *const pairs[][2] = {
		{ "https://a.example", "https://a.example" },
		{ "https://a.example/", "https://a.example" },
		{ "HTTPS://a.example:443//", "https://a.example" },
		{ "http://a.example:80/x/", "http://a.example/x" },
		{ "http://a.example:443/x", "http://a.example:443/x" },
		{ "https://a.example:80", "https://a.example:80" },
		{ "a.example", "http://a.example" },
		{ "a.example:8080/x", "http://a.example:8080/x" },
		{ "https://a.example/?channel=dev", "https://a.example?channel=dev" },
		{ "https://a.example:443?channel=d/", "https://a.example?channel=d/" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct err e = { 0 };
		cleanup_free char *got = source_normalise(pairs[i][0], &e);

		assert_string_equal(got ? got : e.msg, pairs[i][1]);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "",           "ftp://a",    "http://",
					   "https:///x", "http://a b", "http://a\nb",
					   "file:///x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = { 0 };
		cleanup_free char *got = source_normalise(bad[i], &e);

		if (got)
			fail_msg("'%s' became '%s'", bad[i], got);
		assert_int_equal(e.code, -EINVAL);
	}
}

static void dates_are_those_of_http(void **state)
{
	char date[SOURCE_AUTH_DATE];

	(void)state;
	source_auth_date(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	source_auth_date(1785585600, date);
	assert_string_equal(date, "Sat, 01 Aug 2026 12:00:00 GMT");
}

static char folder[] = "/tmp/dais-source-XXXXXX";
static struct host host;

static int set_up(void **state)
{
	struct err e = { 0 };

	(void)state;
	return mkdtemp(folder) && host_open(&host, folder, &e) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct err e;

	(void)state;
	host_close(&host);
	return path_remove_tree(AT_FDCWD, folder, &e);
}

static void without_a_file_there_is_one_source(void **state)
{
	cleanup_sources struct sources s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sources_load(&host, &s, &e), 0);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.items[0].url, SOURCE_DEFAULT_URL);
	assert_string_equal(s.items[0].ops->type, "imgapi");
}

static void write_config(const char *text)
{
	cleanup_jv struct jv *v = NULL;
	struct err e = { 0 };
	cleanup_close int dir = host_dir(&host, "var/imgadm", 0755, &e);

	if (jv_parse(text, strlen(text), "test", &v, &e) < 0 ||
	    jv_store(dir, "imgadm.conf", v, &e) < 0)
		fail_msg("%s", e.msg);
}

static void what_is_not_understood_is_kept(void **state)
{
	cleanup_sources struct sources s = { 0 };
	cleanup_jv struct jv *v = NULL;
	struct source one = { 0 };
	struct err e = { 0 };

	(void)state;
	write_config(
		"{\"upgradedToVer\":\"3.0.0\",\"sources\":[{\"url\":\"http://a?channel=x\","
		"\"note\":\"mine\"}]}");
	assert_int_equal(sources_load(&host, &s, &e), 0);
	assert_string_equal(s.items[0].channel, "x");
	assert_int_equal(source_make(&host, &(struct source_wish){ .url = "b/" }, &one, &e), 0);
	sources_add(&s, &one);
	assert_int_equal(sources_store(&host, &s, &e), 0);
	assert_int_equal(jv_load(host.fd, "var/imgadm/imgadm.conf", 65536, &v, &e), 0);
	assert_string_equal(jv_get_string(v, "upgradedToVer"), "3.0.0");
	assert_string_equal(jv_get_string(jv_at(jv_get(v, "sources"), 0), "note"), "mine");
	assert_string_equal(jv_get_string(jv_at(jv_get(v, "sources"), 1), "url"), "http://b");
}

static void a_mistake_is_named_by_its_place(void **state)
{
	static const char *const pairs[][2] = {
		{ "[]", "must be an object" },
		{ "{\"sources\":{}}", "/sources: must be an array" },
		{ "{\"sources\":[{}]}", "/sources/0: a source is an object with a 'url'" },
		{ "{\"sources\":[{\"url\":\"http://a\"},{\"url\":\"http://b\",\"type\":\"x\"}]}",
		  "/sources/1: unknown image source type \"x\" (there is: " },
		{ "{\"sources\":[{\"url\":\"http://a\",\"public_key\":\"/none\"}]}",
		  "/sources/0: source 'http://a': " },
		{ "{\"sources\":[{\"url\":\"http://a\",\"ca_file\":\"none\"}]}",
		  "'none' is not a whole path" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_sources struct sources s = { 0 };
		struct err e = { 0 };

		write_config(pairs[i][0]);
		assert_true(sources_load(&host, &s, &e) < 0);
		if (!strstr(e.msg, pairs[i][1]))
			fail_msg("'%s' does not say '%s'", e.msg, pairs[i][1]);
	}
}

/* ---- answers -------------------------------------------------------------- */

static void an_error_has_a_code_a_message_and_fields(void **state)
{
	static const char text[] =
		"{\"code\":\"InvalidParameter\",\"message\":\"bad\\u001b\\nsort\",\"errors\":"
		"[{\"field\":\"a\",\"code\":\"Invalid\",\"message\":\"m\"}]}";
	char code[IMGAPI_CODE_MAX];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(imgapi_read_error(text, strlen(text), 422, code, &e), -EREMOTEIO);
	assert_string_equal(code, "InvalidParameter");
	assert_string_equal(e.msg, "bad??sort\n    a: Invalid: m");
	assert_int_equal(imgapi_read_error("<html>", 6, 404, code, &e), -ENOENT);
	assert_string_equal(code, "ClientError");
	assert_string_equal(e.msg, "the server answered 404");
}

static void a_list_keeps_what_has_a_uuid(void **state)
{
	static const char text[] =
		"[{\"uuid\":\"7c7a5f2e-0d0b-4a53-9a0e-aaaaaaaaaaaa\"},{},7,null,"
		"{\"uuid\":\"7C7A5F2E\"}]";
	cleanup_jv struct jv *list = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(imgapi_read_list(text, strlen(text), &list, &e), 0);
	assert_int_equal(jv_len(list), 1);
	assert_true(imgapi_read_list("{}", 2, &list, &e) < 0);
}

static void a_ping_says_imgapi(void **state)
{
	static const char good[] = "{\"ping\":\"pong\",\"imgapi\":true}";
	struct err e = { 0 };

	(void)state;
	assert_int_equal(imgapi_read_ping(good, strlen(good), &e), 0);
	assert_int_equal(imgapi_read_ping("{\"ping\":\"pong\"}", 15, &e), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_one_form),
		cmocka_unit_test(dates_are_those_of_http),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(without_a_file_there_is_one_source),
		cmocka_unit_test(what_is_not_understood_is_kept),
		cmocka_unit_test(a_mistake_is_named_by_its_place),
		cmocka_unit_test(an_error_has_a_code_a_message_and_fields),
		cmocka_unit_test(a_list_keeps_what_has_a_uuid),
		cmocka_unit_test(a_ping_says_imgapi),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
