/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "imgapi/writers.h"

#include <string.h>

static struct signature_head head;

#define HEAD(id) \
	"Signature keyId=\"" id "\",algorithm=\"ed25519\",headers=\"date\",signature=\"QUJD\""

static void a_signed_request_names_its_login(void **state)
{
	(void)state;
	assert_true(signature_head_parse(HEAD("alice"), &head));
	assert_string_equal(head.login, "alice");
	assert_string_equal(head.algorithm, "ed25519");
	assert_string_equal(head.signature, "QUJD");
	assert_true(signature_head_parse(HEAD("/a.b@c-d/keys/aa:bb"), &head));
	assert_string_equal(head.login, "a.b@c-d");
	/* "date" is what is signed when nothing is said. */
	assert_true(signature_head_parse(
		"Signature signature=\"QUJD\",keyId=\"a\", algorithm=\"rsa-sha256\"", &head));
}

static void a_login_is_no_path(void **state)
{
	static const char *const bad[] = {
		HEAD(""),           HEAD(".."),  HEAD("/../keys/a"), HEAD("/a/b/keys/c"),
		HEAD("/a/keys"),    HEAD("a b"), HEAD("//keys/a"),   HEAD("a\nb"),
		HEAD("/.a/keys/c"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(signature_head_parse(bad[i], &head));
}

static void what_is_cut_off_twice_there_or_more_is_refused(void **state)
{
	static const char whole[] = HEAD("alice");
	static const char *const bad[] = {
		"Basic YTpi",
		"",
		HEAD("a") ",",
		HEAD("a") ",x=\"y\"",
		HEAD("a") ",keyId=\"b\"",
		"Signature keyId=\"a\",algorithm=\"ed25519\",headers=\"date host\",signature=\"Q\"",
		"Signature keyId=\"a\",algorithm=\"ed25519\",headers=\"\",signature=\"Q\"",
		"Signature keyId=\"a\",signature=\"Q\"",
	};
	char text[sizeof(whole)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(signature_head_parse(bad[i], &head));
	for (size_t len = 0; len + 1 < sizeof(whole); len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		assert_false(signature_head_parse(text, &head));
	}
}

static void a_date_is_exactly_one(void **state)
{
	static const char *const bad[] = {
		"",
		"Thu, 01 Jan 1970 00:00:00 UTC",
		"Thu, 1 Jan 1970 00:00:00 GMT",
		"Thu, 01 Foo 1970 00:00:00 GMT",
		"Thu, 00 Jan 1970 00:00:00 GMT",
		"Thu, 01 Jan 1970 24:00:00 GMT",
		"Thu, 01 Jan 1970 00:00:00 GMT ",
		"Thu, 01 Jan 1969 00:00:00 GMT",
	};

	(void)state;
	assert_int_equal(http_date_parse("Thu, 01 Jan 1970 00:00:10 GMT"), 10);
	assert_int_equal(http_date_parse("Sat, 01 Aug 2026 12:00:00 GMT"), 1785585600);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(http_date_parse(bad[i]), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_request_names_its_login),
		cmocka_unit_test(a_login_is_no_path),
		cmocka_unit_test(what_is_cut_off_twice_there_or_more_is_refused),
		cmocka_unit_test(a_date_is_exactly_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
