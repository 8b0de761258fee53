/* SPDX-License-Identifier: MIT */
#include "base/jv.h"

#include "unit.h"

static struct jv *parse(const char *text)
{
	struct jv *v = NULL;
	struct err e = { 0 };

	if (jv_parse(text, strlen(text), "test", &v, &e) < 0)
		fail_msg("%s", e.msg);
	return v;
}

static void assert_refused(const char *text, const char *want)
{
	struct jv *v = NULL;
	struct err e = { 0 };

	assert_int_equal(jv_parse(text, strlen(text), "a.json", &v, &e), -EINVAL);
	assert_null(v);
	if (!strstr(e.msg, want))
		fail_msg("'%s' is not in '%s'", want, e.msg);
}

static void an_error_says_file_line_and_column(void **state ATTR_UNUSED)
{
	assert_refused("{\n  \"a\": 1,\n  \"a\": 2\n}", "a.json:3:5: duplicate object key");
	assert_refused("{\"a\": }", "a.json:1:7: unexpected token");
	assert_refused("", "a.json:1:0:");
	assert_refused("[1] x", "a.json:1:5: end of file expected");
	assert_refused("[1,]", "a.json:1:4:");
	assert_refused("\"\\u0000\"", "a.json:1:");
	assert_refused("[\"\xff\"]", "a.json:1:");
	assert_refused("[1e999]", "real number overflow");
}

static void an_error_never_moves_the_cursor(void **state ATTR_UNUSED)
{
	struct jv *v;
	struct err e = { 0 };

	assert_int_equal(jv_parse("\033[2J", 4, "x", &v, &e), -EINVAL);
	assert_null(strchr(e.msg, '\033'));
}

static void depth_is_bounded(void **state ATTR_UNUSED)
{
	char text[6001];

	memset(text, '[', 3000);
	memset(text + 3000, ']', 3000);
	text[6000] = '\0';
	assert_refused(text, "maximum parsing depth");
}

static void order_is_kept_both_ways(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = parse("{\"z\":1,\"a\":[true,null,\"x\"],\"m\":{}}");
	cleanup_free char *line = jv_dump(v, 0);
	cleanup_free char *lines = jv_dump(v, 2);

	assert_string_equal(line, "{\"z\":1,\"a\":[true,null,\"x\"],\"m\":{}}");
	assert_string_equal(
		lines, "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    null,\n    \"x\"\n  ],\n"
		       "  \"m\": {}\n}");
}

static void numbers_come_back_as_they_were(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = parse("[0.1,1.5,-9223372036854775808,9223372036854775807]");
	cleanup_free char *text = jv_dump(v, 0);
	cleanup_jv struct jv *fine = parse("[0.30000000000000004]");
	cleanup_free char *fine_text = jv_dump(fine, 0);

	assert_string_equal(text, "[0.1,1.5,-9223372036854775808,9223372036854775807]");
	assert_string_equal(fine_text, "[0.30000000000000004]");
}

static void a_number_too_large_to_count_is_a_real_one(void **state ATTR_UNUSED)
{
	static const char text[] = "{\"a\":[18446744073709552000,7],\"b\":-3,\"c\":1.5}";
	cleanup_jv struct jv *v = NULL;
	struct err e = { 0 };

	assert_int_equal(jv_parse(text, strlen(text), "test", &v, &e), 0);
	assert_int_equal(jv_type(jv_at(jv_get(v, "a"), 0)), JV_REAL);
	assert_true(jv_as_real(jv_at(jv_get(v, "a"), 0), 0) > 1.8e19);
	assert_int_equal(jv_as_int(jv_at(jv_get(v, "a"), 1), 0), 7);
	assert_int_equal(jv_get_int(v, "b", 0), -3);
	assert_int_equal(jv_type(jv_get(v, "c")), JV_REAL);
}

/* They were taken for real ones, and lost their last digits, beside one that is too large. */
static void beside_it_the_others_keep_every_digit(void **state ATTR_UNUSED)
{
	static const char text[] =
		"{\"-99999999999999999999\":\"99999999999999999999\\\"9\",\"n\":88888888888888888,"
		"\"m\":-9223372036854775808,\"r\":1.0,\"big\":-99999999999999999999}";
	cleanup_jv struct jv *v = parse(text);

	assert_string_equal(jv_get_string(v, "-99999999999999999999"),
			    "99999999999999999999\"9");
	assert_int_equal(jv_get_int(v, "n", 0), 88888888888888888);
	assert_int_equal(jv_get_int(v, "m", 0), INT64_MIN);
	assert_int_equal(jv_type(jv_get(v, "r")), JV_REAL);
	assert_int_equal(jv_type(jv_get(v, "big")), JV_REAL);
	assert_refused("[99999999999999999999, x]", "1:24: invalid token");
}

static void every_type_has_a_name_and_is_told_apart(void **state ATTR_UNUSED)
{
	static const struct {
		const char *text;
		enum jv_type type;
		const char *name;
	} rows[] = {
		{ "null", JV_NULL, "null" },    { "false", JV_FALSE, "boolean" },
		{ "true", JV_TRUE, "boolean" }, { "1", JV_INT, "integer" },
		{ "1.5", JV_REAL, "number" },   { "\"s\"", JV_STRING, "string" },
		{ "[]", JV_ARRAY, "array" },    { "{}", JV_OBJECT, "object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_jv struct jv *v = parse(rows[i].text);

		assert_int_equal(jv_type(v), rows[i].type);
		assert_string_equal(jv_type_name(jv_type(v)), rows[i].name);
	}
}

static void the_wrong_type_gives_the_default(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = parse("{\"s\":\"x\",\"n\":7,\"b\":true,\"r\":1.5}");

	assert_string_equal(jv_get_string(v, "s"), "x");
	assert_null(jv_get_string(v, "n"));
	assert_null(jv_get_string(v, "gone"));
	assert_int_equal(jv_get_int(v, "n", 1), 7);
	assert_int_equal(jv_get_int(v, "s", 1), 1);
	assert_int_equal(jv_get_int(v, "r", 1), 1);
	assert_true(jv_get_bool(v, "b", false));
	assert_true(jv_get_bool(v, "n", true));
	assert_true(jv_as_real(jv_get(v, "r"), 0) == 1.5);
	assert_true(jv_as_real(jv_get(v, "n"), 0) == 7.0);
	assert_true(jv_as_real(jv_get(v, "s"), 0.5) == 0.5);
	assert_null(jv_get(jv_get(v, "n"), "deeper"));
	assert_null(jv_get(NULL, "x"));
	assert_null(jv_at(v, 0));
}

static void objects_and_arrays_are_built(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = jv_object();
	struct jv *list = jv_array();
	cleanup_free char *text = NULL;

	jv_push(list, jv_int(1));
	jv_push(list, jv_null());
	jv_push(list, jv_real(2.5));
	jv_set(v, "list", list);
	jv_set(v, "gone", jv_bool(true));
	jv_set(v, "name", jv_string("z\xc3\xbc"));
	assert_true(jv_del(v, "gone"));
	assert_false(jv_del(v, "gone"));
	assert_int_equal(jv_len(v), 2);
	assert_int_equal(jv_len(list), 3);
	assert_int_equal(jv_len(jv_at(list, 0)), 0);
	assert_int_equal(jv_as_int(jv_at(list, 0), 0), 1);
	assert_null(jv_at(list, 3));
	text = jv_dump(v, 0);
	assert_string_equal(text, "{\"list\":[1,null,2.5],\"name\":\"z\xc3\xbc\"}");
}

static void a_copy_is_equal_and_apart(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = parse("{\"a\":[1,{\"b\":2}]}");
	cleanup_jv struct jv *copy = jv_copy(v);
	cleanup_jv struct jv *same = jv_ref(v);

	assert_true(jv_equal(v, copy));
	jv_set(jv_at(jv_get(copy, "a"), 1), "b", jv_int(3));
	assert_false(jv_equal(v, copy));
	assert_ptr_equal(same, v);
}

static void the_iterator_walks_in_order(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *v = parse("{\"c\":1,\"a\":2,\"b\":3}");
	char seen[8] = "";
	size_t n = 0;

	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		seen[n++] = jv_iter_key(it)[0];
		assert_int_equal(jv_as_int(jv_iter_value(it), 0), (int64_t)n);
	}
	assert_string_equal(seen, "cab");
	assert_null(jv_iter(jv_get(v, "a")));
}

static void bytes_that_are_no_text_are_replaced(void **state ATTR_UNUSED)
{
	static const char *const bad[] = { "\xff",         "\xc0\x80",
					   "\xed\xa0\x80", "\xf5\x80\x80\x80",
					   "\xe2\x82",     "\xc3" };
	cleanup_jv struct jv *v = jv_string("a\xff\xc3\xbc\xe2\x82");

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(jv_string_is_valid(bad[i]));
	assert_true(jv_string_is_valid("\xf0\x9f\x98\x80 \xe2\x82\xac \xf4\x8f\xbf\xbf"));
	assert_string_equal(jv_as_string(v), "a\xef\xbf\xbd\xc3\xbc\xef\xbf\xbd\xef\xbf\xbd");
}

static void a_file_is_stored_and_loaded(void **state)
{
	struct unit_dir *d = *state;
	cleanup_jv struct jv *v = parse("{\"a\":1}");
	cleanup_jv struct jv *back = NULL;
	struct err e = { 0 };
	char text[64] = "";
	int fd;

	assert_int_equal(jv_store(d->fd, "r.json", v, NULL), 0);
	assert_int_equal(jv_load(d->fd, "r.json", 100, &back, NULL), 0);
	assert_true(jv_equal(v, back));
	fd = openat(d->fd, "r.json", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 13);
	assert_string_equal(text, "{\n  \"a\": 1\n}\n");
	close(fd);

	unit_write(d, "r.json", "{\n\"a\"");
	jv_unref(back);
	back = NULL;
	assert_int_equal(jv_load(d->fd, "r.json", 100, &back, &e), -EINVAL);
	assert_memory_equal(e.msg, "r.json:2:", 9);
	assert_int_equal(jv_load(d->fd, "r.json", 3, &back, &e), -EFBIG);
	assert_int_equal(unlinkat(d->fd, "r.json", 0), 0);
	assert_int_equal(jv_load(d->fd, "r.json", 100, &back, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(an_error_says_file_line_and_column),
		cmocka_unit_test(an_error_never_moves_the_cursor),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(order_is_kept_both_ways),
		cmocka_unit_test(numbers_come_back_as_they_were),
		cmocka_unit_test(a_number_too_large_to_count_is_a_real_one),
		cmocka_unit_test(beside_it_the_others_keep_every_digit),
		cmocka_unit_test(every_type_has_a_name_and_is_told_apart),
		cmocka_unit_test(the_wrong_type_gives_the_default),
		cmocka_unit_test(objects_and_arrays_are_built),
		cmocka_unit_test(a_copy_is_equal_and_apart),
		cmocka_unit_test(the_iterator_walks_in_order),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced),
		unit_test_in_dir(a_file_is_stored_and_loaded),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
