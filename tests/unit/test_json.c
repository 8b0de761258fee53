/* SPDX-License-Identifier: MIT */
#include "json/json.h"

#include "unit.h"

/* TEXT printed on one line, or what is wrong with it. */
static const char *printed(const char *text, int indent)
{
	static char result[8192];
	cleanup_arena struct arena a = ARENA_INIT;
	cleanup_out struct out o = { .fd = -1 };
	const char *at;
	struct node *n = json_parse(&a, text, strlen(text), &at);

	if (n)
		print_json(&o, n, indent);
	else
		explain_error(&o, text, strlen(text), at);
	assert_true(o.len < sizeof(result));
	memcpy(result, o.data, o.len);
	result[o.len] = '\0';
	return result;
}

static void numbers_are_printed_in_their_shortest_form(void **state ATTR_UNUSED)
{
	static const char *const pairs[][2] = {
		{ "-0", "0" },
		{ "0.10", "0.1" },
		{ "1.50e3", "1500" },
		{ "-12.5E-1", "-1.25" },
		{ "1e20", "100000000000000000000" },
		{ "1e21", "1e+21" },
		{ "12e20", "1.2e+21" },
		{ "0.000001", "0.000001" },
		{ "0.0000001", "1e-7" },
		{ "0.00000012", "1.2e-7" },
		{ "5e-324", "5e-324" },
		{ "0.30000000000000004", "0.30000000000000004" },
		{ "100.0", "100" },
		{ "-1e999", "null" },
		{ "9007199254740993", "9007199254740993" },
		{ "18446744073709551615", "18446744073709551615" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_string_equal(printed(pairs[i][0], 0), pairs[i][1]);
}

static void members_have_the_order_of_javascript(void **state ATTR_UNUSED)
{
	assert_string_equal(printed("{\"b\":1,\"7\":2,\"a\":3,\"07\":4,\"3\":5,\"b\":6}", 0),
			    "{\"3\":5,\"7\":2,\"b\":6,\"a\":3,\"07\":4}");
	assert_string_equal(printed("{\"4294967295\":1,\"4294967294\":2}", 0),
			    "{\"4294967294\":2,\"4294967295\":1}");
}

/* Past the number from which names are found through a table. */
static void the_last_of_many_names_counts(void **state ATTR_UNUSED)
{
	cleanup_arena struct arena a = ARENA_INIT;
	cleanup_out struct out o = { .fd = -1 };
	char member[32];
	struct node *n;
	const char *at;

	out_adds(&o, "{");
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(member, sizeof(member), "\"k%d\":%d,", i % 1000, i);
		out_adds(&o, member);
	}
	out_adds(&o, "\"k5\":true}");
	out_addc(&o, '\0');
	n = json_parse(&a, o.data, o.len - 1, &at);
	assert_non_null(n);
	assert_int_equal(n->len, 1000);
	assert_int_equal(node_member(n, "k5", 2)->type, NODE_TRUE);
	assert_memory_equal(node_member(n, "k999", 4)->text, "2999", 4);
}

static void strings_are_escaped_only_where_they_must(void **state ATTR_UNUSED)
{
	assert_string_equal(
		printed("\"\\u0041\\/\\u00e9\\ud83d\\ude00\\ud83d\\u001f\\t\\\"\"", 0),
		"\"A/\xc3\xa9\xf0\x9f\x98\x80\\ud83d\\u001f\\t\\\"\"");
	assert_string_equal(printed("{\"a\\nb\":[]}", 2), "{\n  \"a\\nb\": []\n}");
}

static void errors_name_the_place_and_what_is_wrong(void **state ATTR_UNUSED)
{
	static const char *const pairs[][2] = {
		{ "[1,\n x]",
		  "Unexpected 'x' at line 2, column 2:\n         x]\n        .^\n" },
		{ "[1 2]", "Expected ',' instead of '2' at line 1, column 4:\n        [1 2]\n"
			   "        ...^\n" },
		{ "[1,", "Bad array at line 1, column 4:\n        [1,\n        ...^\n" },
		{ "-", "Bad number at line 1, column 2:\n        -\n        .^\n" },
		{ "\"\xf0\x9f\x98\x80\" x",
		  "Syntax error at line 1, column 6:\n"
		  "        \"\xf0\x9f\x98\x80\" x\n        .....^\n" },
		{ "01", "Not allowed here at line 1, column 2:\n        01\n        .^\n" },
		{ "\"a\tb\"", "Not allowed here at line 1, column 3:\n        \"a\tb\"\n"
			      "        ..^\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_string_equal(printed(pairs[i][0], 0), pairs[i][1]);
}

static void depth_is_bounded(void **state ATTR_UNUSED)
{
	cleanup_arena struct arena a = ARENA_INIT;
	char text[2 * JSON_DEPTH_MAX + 4];
	const char *at;

	for (int extra = 0; extra < 2; extra++) {
		size_t n = JSON_DEPTH_MAX + (size_t)extra;

		memset(text, '[', n);
		memset(text + n, ']', n);
		text[2 * n] = '\0';
		assert_int_equal(json_parse(&a, text, 2 * n, &at) == NULL, extra);
	}
	assert_memory_equal(printed(text, 0), "Nested too deep", 15);
}

static void paths_find_values(void **state ATTR_UNUSED)
{
	static const char text[] =
		"{\"a\":{\"b\":[1,{\"c.d\":\"x\xf0\x9f\x98\x80y\"}]},\"l[0]\":2}";
	static const char *const pairs[][2] = {
		{ "a.b.0", "1" },
		{ "a.b[0]", "1" },
		{ "a.b.length", "2" },
		{ "a.b.-1[\"c.d\"]", "\"x\xf0\x9f\x98\x80y\"" },
		{ "a.b[-1]", NULL }, /* only without brackets from the end */
		{ "a.b.1['c.d'].length", "4" },
		{ "a.b.1['c.d'][3]", "\"y\"" },
		{ "a.b.5", NULL },
		{ "a.c.d", NULL },
		{ "a.b.-3", NULL },
	};
	cleanup_arena struct arena a = ARENA_INIT;
	const char *at;
	struct node *n = json_parse(&a, text, strlen(text), &at);

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_out struct out o = { .fd = -1 };
		struct node *found = lookup(&a, n, pairs[i][0], ".");

		assert_int_equal(found == NULL, pairs[i][1] == NULL);
		if (!found)
			continue;
		print_json(&o, found, 0);
		out_addc(&o, '\0');
		assert_string_equal(o.data, pairs[i][1]);
	}
}

static void bytes_that_are_no_utf8_are_replaced(void **state ATTR_UNUSED)
{
	static const char bad[] = "a\xff\xe2\x82"
				  "b\xed\xa0\x80";
	size_t len;
	cleanup_free char *fixed = utf8_repair(bad, strlen(bad), &len);

	assert_string_equal(fixed, "a\xef\xbf\xbd\xef\xbf\xbd"
				   "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_null(utf8_repair("\xf0\x9f\x98\x80 plain text", 15, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printed_in_their_shortest_form),
		cmocka_unit_test(members_have_the_order_of_javascript),
		cmocka_unit_test(the_last_of_many_names_counts),
		cmocka_unit_test(strings_are_escaped_only_where_they_must),
		cmocka_unit_test(errors_name_the_place_and_what_is_wrong),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(paths_find_values),
		cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
