/* SPDX-License-Identifier: MIT */
#include "libhttp/http.h"

#include "unit.h"

#include <string.h>

static bool parses(const char *text, uint64_t first, uint64_t last, uint64_t total)
{
	uint64_t f, l, t;

	return http_parse_content_range(text, &f, &l, &t) && f == first && l == last &&
	       t == total;
}

static void a_part_has_first_last_and_total(void **state)
{
	(void)state;
	assert_true(parses("bytes 0-9/10", 0, 9, 10));
	assert_true(parses("Bytes 5-9/*", 5, 9, HTTP_SIZE_ANY));
	assert_true(parses("bytes 7-7/8", 7, 7, 8));
}

static void what_is_no_part_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes 0-9",
		"bytes 9-5/10",
		"bytes 0-10/10",
		"bytes -1-5/10",
		"bytes 0-9/10x",
		"items 0-9/10",
		"bytes */10",
		"bytes 0 - 9/10",
		"bytes 0x1-9/10",
		"bytes 0-99999999999999999999/*",
	};
	uint64_t f, l, t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (http_parse_content_range(bad[i], &f, &l, &t))
			fail_msg("'%s' is taken", bad[i]);
}

/* Port 1 of this host refuses; what is no address is not even tried. */
static void what_cannot_be_had_is_an_error_that_names_it(void **state)
{
	static const struct {
		const char *url;
		int code;
		const char *text;
	} cases[] = {
		{ "http://127.0.0.1:1/x", -ECONNREFUSED, "'http://127.0.0.1:1/x': " },
		/* Its second try once ended the process. */
		{ "https://no-such-host.invalid/x", -EHOSTUNREACH, "(after 2 tries)" },
		{ "file:///etc/passwd", -EINVAL, "neither an http nor an https address" },
		{ "ftp://127.0.0.1/x", -EINVAL, "neither an http nor an https address" },
		{ "http://[::1/x", -EINVAL, "'http://[::1/x': " },
	};
	const struct http_peer peer = { .insecure = false };
	const struct http_policy policy = { .tries = 2, .wait_ms = 1, .connect_s = 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_job job = { .url = cases[i].url,
					.peer = &peer,
					.fd = -1,
					.max = 10,
					.size = HTTP_SIZE_ANY };
		struct err e = { 0 };

		assert_int_equal(http_get(&job, &policy, &e), cases[i].code);
		if (!strstr(e.msg, cases[i].text))
			fail_msg("'%s' does not say '%s'", e.msg, cases[i].text);
		http_job_done(&job);
	}
}

static void a_refused_connection_is_tried_again(void **state)
{
	const struct http_peer peer = { .insecure = false };
	const struct http_policy policy = { .tries = 3, .wait_ms = 1 };
	struct http_job job = { .url = "http://127.0.0.1:1/",
				.peer = &peer,
				.fd = -1,
				.max = 10,
				.size = HTTP_SIZE_ANY };
	struct err e = { 0 };

	(void)state;
	assert_true(http_get(&job, &policy, &e) < 0);
	assert_non_null(strstr(e.msg, "(after 3 tries)"));
	http_job_done(&job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_has_first_last_and_total),
		cmocka_unit_test(what_is_no_part_is_refused),
		cmocka_unit_test(what_cannot_be_had_is_an_error_that_names_it),
		cmocka_unit_test(a_refused_connection_is_tried_again),
	};

	(void)unsetenv("http_proxy");
	(void)unsetenv("HTTP_PROXY");
	(void)unsetenv("all_proxy");
	(void)unsetenv("ALL_PROXY");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
