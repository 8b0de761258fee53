/* SPDX-License-Identifier: MIT */
#include "libquery/vm_query.h"

#include "base/jv.h"
#include "libquery/js_regex.h"

#include "unit.h"

static struct jv *parse(const char *text)
{
	struct jv *v = NULL;

	assert_int_equal(jv_parse(text, strlen(text), "t", &v, NULL), 0);
	return v;
}

static const char vm_text[] =
	"{\"uuid\": \"54f1cc77-68f1-42ab-acac-5c4f64f5d6e0\", \"ram\": 256, \"autoboot\": true,"
	" \"hvm\": false, \"type\": \"OS\", \"alias\": \"Zone70\", \"tags\": {\"a.b\": 5, \"f\": true},"
	" \"nics\": [{\"mac\": \"02:08:20:00:00:01\", \"ip\": \"dhcp\"}, {\"ip\": \"10.0.0.1\","
	" \"vlan_id\": 4}]}";

static bool matches(const char *word)
{
	cleanup_jv struct jv *vm = parse(vm_text);
	cleanup_vm_filter struct vm_filter *f = NULL;
	struct err e = { 0 };

	if (vm_filter_new(&word, 1, "filter", &f, &e) < 0)
		fail_msg("%s: %s", word, e.msg);
	return vm_filter_match(f, vm);
}

static void values_are_compared_as_text(void **state)
{
	static const char *const yes[] = {
		"ram=256",          "ram=~^2",
		"autoboot=true",    "hvm=false",
		"tags.f=true",      "tags.a.b=5",
		"alias=~zone\\d+$", "nics.*.ip=dhcp",
		"nics.1.vlan_id=4", "nics.*.mac=2:8:20:0:0:1",
		"54f1cc77",         "54f1cc77-68f1-42ab-acac-5c4f64f5d6e0",
		"alias=~^[xz]",
	};
	static const char *const no[] = { "ram=25",      "alias=zone70", "nics.0.vlan_id=4",
					  "tags.a=5",    "uuid",         "alias=",
					  "cpu_cap=1",   "54f1cc78",     "alias=~^70",
					  "nics.*.ip=x", "type=BHYVE" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!matches(yes[i]))
			fail_msg("'%s' does not match", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (matches(no[i]))
			fail_msg("'%s' matches", no[i]);
}

static void keys_that_are_none_are_refused_by_name(void **state)
{
	static const char *const bad[] = { "bogus",      "ips",         "nics.*.ips",
					   "nics.*.mtu", "resolvers.0", "routes.x",
					   "snapshots",  "tags.",       "nics.x.ip",
					   "54f1cc7" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_vm_filter struct vm_filter *f = NULL;
		struct err e = { 0 };
		char want[64];

		assert_true(vm_filter_new(&bad[i], 1, "lookup", &f, &e) < 0);
		(void)snprintf(want, sizeof(want), "Invalid lookup key: \"%s\"", bad[i]);
		assert_string_equal(e.msg, want);
	}
}

static void all_words_must_match_and_the_later_of_one_key_counts(void **state)
{
	static const char *const both[] = { "ram=256", "alias=~x" };
	static const char *const later[] = { "ram=1", "ram=256" };
	cleanup_vm_filter struct vm_filter *f = NULL, *g = NULL;
	cleanup_jv struct jv *vm = parse(vm_text);

	(void)state;
	assert_int_equal(vm_filter_new(both, 2, "filter", &f, NULL), 0);
	assert_false(vm_filter_match(f, vm));
	assert_int_equal(vm_filter_new(later, 2, "filter", &g, NULL), 0);
	assert_true(vm_filter_match(g, vm));
}

static void columns_are_refused_in_the_words_of_the_original(void **state)
{
	static const char *const bad[][2] = {
		{ "bogus", "invalid order field: bogus" },
		{ "uuid,,ram", "invalid order field: " },
		{ "nics.*.ip", "Invalid order key: \"nics.*.ip\"" },
		{ "resolvers.0", "invalid order field: resolvers.0" },
		{ "snapshots", "invalid order field: snapshots" },
		{ "tags", "invalid order field: tags" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_vm_fields struct vm_fields f = { .count = 0 };
		struct err e = { 0 };

		assert_true(vm_fields_parse_order(bad[i][0], &f, &e) < 0);
		assert_string_equal(e.msg, bad[i][1]);
	}
}

static void headers_are_the_table_s_or_the_key(void **state)
{
	cleanup_vm_fields struct vm_fields f = { .count = 0 };

	(void)state;
	assert_int_equal(
		vm_fields_parse_order("max_lwps,nics.0.ip,tags.a.b,routes.x", &f, NULL), 0);
	assert_string_equal(f.items[0].header, "MAX_LWP");
	assert_string_equal(f.items[1].header, "NICS.0.IP");
	assert_string_equal(f.items[2].header, "TAGS.A.B");
	assert_int_equal(f.items[3].width, 20);
}

static void sorting_knows_numbers_and_puts_what_is_missing_last(void **state)
{
	struct jv *vms[] = { parse("{\"ram\": 1024}"), parse("{}"), parse("{\"ram\": 256}") };
	cleanup_vm_fields struct vm_fields up = { .count = 0 }, down = { .count = 0 };

	(void)state;
	assert_int_equal(vm_fields_parse_sort("+ram", &up, NULL), 0);
	assert_int_equal(vm_fields_parse_sort("-ram", &down, NULL), 0);
	vm_sort(vms, 3, &up);
	assert_int_equal(jv_get_int(vms[0], "ram", 0), 256);
	assert_int_equal(jv_get_int(vms[1], "ram", 0), 1024);
	assert_int_equal(jv_len(vms[2]), 0);
	vm_sort(vms, 3, &down);
	assert_int_equal(jv_len(vms[0]), 0);
	assert_int_equal(jv_get_int(vms[1], "ram", 0), 1024);
	for (size_t i = 0; i < 3; i++)
		jv_unref(vms[i]);
}

static bool regex_finds(const char *pattern, const char *text)
{
	struct err e = { 0 };
	struct js_regex *re;
	bool found;

	if (js_regex_compile(pattern, &re, &e) < 0)
		fail_msg("%s", e.msg);
	found = js_regex_finds(re, text);
	js_regex_free(re);
	return found;
}

static void expressions_of_javascript_are_understood(void **state)
{
	(void)state;
	assert_true(regex_finds("\\d{2}", "a12"));
	assert_false(regex_finds("^\\D+$", "a12"));
	assert_true(regex_finds("^[\\w.]+$", "a.b_c"));
	assert_true(regex_finds("^[\\d\\-]+$", "1-2"));
	assert_true(regex_finds("^[\\]x]+$", "]x"));
	assert_true(regex_finds("[\\^]", "a^"));
	assert_false(regex_finds("[\\^]", "a"));
	assert_true(regex_finds("^[^-]+$", "ab"));
	assert_true(regex_finds("^[a-]+$", "a-"));
	assert_true(regex_finds("(?:ab)+?c", "ababc"));
	assert_true(regex_finds("a\\.b", "A.B"));
	assert_false(regex_finds("a\\.b", "axb"));
	assert_true(regex_finds("^\\s$", "\t"));
	assert_true(regex_finds("^a{2,3}?b??$", "aab"));
	assert_false(regex_finds("^(?:a{2}){2}$", "aaa"));
}

/* The way to say what must not be there, and what else POSIX has no word for. */
static void expressions_look_ahead_and_back(void **state)
{
	(void)state;
	assert_true(regex_finds("^(?!web)", "db1"));
	assert_false(regex_finds("^(?!web)", "Web1"));
	assert_true(regex_finds("^((?!test).)*$", "production"));
	assert_false(regex_finds("^((?!test).)*$", "a-test-b"));
	assert_true(regex_finds("^(?=.*\\d)(?=.*x)", "x-1"));
	assert_false(regex_finds("^(?=.*\\d)(?=.*x)", "x-y"));
	assert_true(regex_finds("b(?=1$)", "b2b1"));
	assert_true(regex_finds("^(.)(.)\\2\\1$", "abBa"));
	assert_false(regex_finds("^(.)\\1$", "ab"));
	assert_true(regex_finds("^(?:(a)|b)\\1b$", "bb"));
	assert_true(regex_finds("^(z)((a+)?(b+)?(c))*$", "zaacbbbcac"));
	assert_true(regex_finds("^(a*)*$", "aaa"));
	assert_false(
		regex_finds("^(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void expressions_have_characters(void **state)
{
	(void)state;
	assert_true(regex_finds("^\\u0041\\x42$", "ab"));
	assert_true(regex_finds("^\\w\\b-\\B-", "a--"));
	assert_true(regex_finds("^[^]$", "\n"));
	assert_false(regex_finds("[]", "a"));
	assert_true(regex_finds("^.$", "\xc3\xbc"));
	assert_true(regex_finds("^[\xc3\xa0-\xc3\xbf]$", "\xc3\x9c"));
	assert_true(regex_finds("\xd0\xb4$", "\xd0\x94"));
	assert_true(regex_finds("^\\W$", "\xc3\xbc"));
	assert_false(regex_finds("^.$", "\xff"));
	assert_true(regex_finds("b", "a\xff"
				     "b"));
	assert_true(regex_finds("^a{$", "a{"));
	assert_true(regex_finds("^a{x}]$", "a{x}]"));
	assert_true(regex_finds("^a{2,}$", "aaa"));
	assert_false(regex_finds("^(?:ab){2,3}$", "abababab"));
	assert_true(regex_finds("^\\q\\/$", "q/"));
	assert_true(regex_finds("^[\\w-.]+$", "a-b.c"));
	assert_true(regex_finds("^[.-\\d]+-[a-c]$", "1-.-b"));
	assert_false(regex_finds("^[\\]-\\w]$", "."));
	assert_true(regex_finds("\\w-\\d", "a-1"));
	assert_true(regex_finds("^[\\S]+$", "abc"));
	assert_false(regex_finds("^[\\S]+$", "a c"));
	assert_true(regex_finds("a|^$", ""));
	assert_false(regex_finds("^(a|b|)$", "c"));
	assert_false(regex_finds("^(?:a{99}){9}", "aaaa"));
}

static void expressions_know_more_than_those_of_javascript(void **state)
{
	(void)state;
	assert_true(regex_finds("(?<=web-)\\d", "web-1"));
	assert_true(regex_finds("^(?<one>.)\\k<one>$", "aa"));
	assert_false(regex_finds("a++a", "aaa"));
}

static void expressions_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "[a",   "[b-a]",  "(",    ")",   "a(b))",
					   "*a",   "a**",    "^**",  "(a",  "(?",
					   "(?:a", "a{2,1}", "[\\]", "\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct js_regex *re;
		struct err e = { 0 };

		if (js_regex_compile(bad[i], &re, &e) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(e.msg, bad[i]));
		assert_non_null(strstr(e.msg, "at character"));
	}
}

static void a_list_reads_what_its_columns_come_from(void **state)
{
	cleanup_vm_needs struct vm_needs n = { .count = 0 };

	(void)state;
	vm_needs_add(&n, "ram");
	vm_needs_add(&n, "nics.0.ip");
	assert_true(vm_needs_has(&n, "max_physical_memory"));
	assert_true(vm_needs_has(&n, "brand"));
	assert_true(vm_needs_has(&n, "nics"));
	assert_false(vm_needs_has(&n, "tags"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(values_are_compared_as_text),
		cmocka_unit_test(keys_that_are_none_are_refused_by_name),
		cmocka_unit_test(all_words_must_match_and_the_later_of_one_key_counts),
		cmocka_unit_test(columns_are_refused_in_the_words_of_the_original),
		cmocka_unit_test(headers_are_the_table_s_or_the_key),
		cmocka_unit_test(sorting_knows_numbers_and_puts_what_is_missing_last),
		cmocka_unit_test(expressions_of_javascript_are_understood),
		cmocka_unit_test(expressions_look_ahead_and_back),
		cmocka_unit_test(expressions_have_characters),
		cmocka_unit_test(expressions_know_more_than_those_of_javascript),
		cmocka_unit_test(expressions_that_are_none_are_refused),
		cmocka_unit_test(a_list_reads_what_its_columns_come_from),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
