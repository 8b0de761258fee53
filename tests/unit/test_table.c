/* SPDX-License-Identifier: MIT */
#include "base/table.h"

#include "unit.h"

static const struct column name = { .name = "name", .header = "NAME", .width = 6 };
static const struct column ram = {
	.name = "ram", .header = "RAM", .width = 5, .is_number = true, .right = true
};
static const struct column note = { .name = "note", .header = "NOTE" };
static const struct column *const columns[] = { &name, &ram, &note };

static struct table *make(void)
{
	struct table *t = table_new(columns, ARRAY_SIZE(columns));

	table_add_row(t);
	table_set(t, 0, "a");
	table_set(t, 1, "256");
	table_set(t, 2, "x\ny");
	table_add_row(t);
	table_set(t, 0, "longer-name");
	table_set(t, 1, "first");
	table_set(t, 1, "1024");
	table_add_row(t);
	table_set(t, 0, "z\xc3\xbc");
	return t;
}

static void assert_prints(enum table_form form, bool header, const char *delim,
			  const char *want)
{
	cleanup_table struct table *t = make();
	cleanup_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(table_print(t, out, form, header, delim, NULL), 0);
	(void)fclose(out);
	assert_string_equal(text, want);
}

static void people_get_columns_and_no_value_is_cut(void **state ATTR_UNUSED)
{
	assert_prints(TABLE_PLAIN, true, NULL,
		      "NAME      RAM  NOTE\n"
		      "a         256  x?y\n"
		      "longer-name   1024  -\n"
		      "z\xc3\xbc          -  -\n");
	assert_prints(TABLE_PLAIN, false, NULL,
		      "a         256  x?y\n"
		      "longer-name   1024  -\n"
		      "z\xc3\xbc          -  -\n");
}

static void scripts_get_a_delimiter(void **state ATTR_UNUSED)
{
	assert_prints(TABLE_PARSABLE, false, ":",
		      "a:256:x?y\nlonger-name:1024:\nz\xc3\xbc::\n");
	assert_prints(TABLE_PARSABLE, true, "--",
		      "NAME--RAM--NOTE\na--256--x?y\nlonger-name--1024--\nz\xc3\xbc----\n");
}

static void programs_get_json(void **state ATTR_UNUSED)
{
	assert_prints(
		TABLE_JSON, false, NULL,
		"[\n"
		"  {\n    \"name\": \"a\",\n    \"ram\": 256,\n    \"note\": \"x\\ny\"\n  },\n"
		"  {\n    \"name\": \"longer-name\",\n    \"ram\": 1024,\n    \"note\": null\n  },\n"
		"  {\n    \"name\": \"z\xc3\xbc\",\n    \"ram\": null,\n    \"note\": null\n  }\n"
		"]\n");
}

static void no_rows_are_fine(void **state ATTR_UNUSED)
{
	cleanup_table struct table *t = table_new(columns, ARRAY_SIZE(columns));
	cleanup_free char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(table_print(t, out, TABLE_PLAIN, true, NULL, NULL), 0);
	assert_int_equal(table_print(t, out, TABLE_JSON, true, NULL, NULL), 0);
	(void)fclose(out);
	assert_string_equal(text, "NAME      RAM  NOTE\n[]\n");
}

static void a_full_disk_is_said(void **state ATTR_UNUSED)
{
	cleanup_table struct table *t = make();
	FILE *out = fopen("/dev/full", "we");
	struct err e = { 0 };

	assert_non_null(out);
	(void)setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(table_print(t, out, TABLE_PLAIN, true, NULL, &e), -ENOSPC);
	assert_string_equal(e.msg, "cannot write output: No space left on device");
	(void)fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(people_get_columns_and_no_value_is_cut),
		cmocka_unit_test(scripts_get_a_delimiter),
		cmocka_unit_test(programs_get_json),
		cmocka_unit_test(no_rows_are_fine),
		cmocka_unit_test(a_full_disk_is_said),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
