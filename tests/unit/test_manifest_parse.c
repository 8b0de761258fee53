/* SPDX-License-Identifier: MIT */
#include "manifest_fixture.h"

static void assert_accepted(const char *text, const char *printed)
{
	struct sheet s;

	sheet_init(&s, false);
	sheet_parse(&s, "m", text);
	manifest_merge(&s.m, false, &s.r);
	assert_string_equal(sheet_said(&s), "");
	assert_string_equal(sheet_printed(&s), printed);
	assert_int_equal(s.r.errors, 0);
	sheet_done(&s);
}

static void assert_refused(const char *text, const char *said)
{
	struct sheet s;

	sheet_init(&s, true);
	sheet_parse(&s, "m", text);
	assert_string_equal(sheet_said(&s), said);
	assert_int_equal(s.r.errors, 1);
	assert_int_equal(s.m.count, 0);
	sheet_done(&s);
}

static void takes_the_four_kinds(void **state)
{
	const char *text =
		"d usr 0755 root root\nf usr/a 4555 root bin\nh usr/b=usr/a\ns usr/c=a\n";

	(void)state;
	assert_accepted(text, text);
}

static void takes_tabs_and_any_number_of_blanks(void **state)
{
	(void)state;
	assert_accepted("\td  usr\t \t0755 root   sys  \n", "d usr 0755 root sys\n");
}

static void ends_a_line_at_a_hash_even_within_a_word(void **state)
{
	(void)state;
	assert_accepted("d usr 0755 root sys # why\n#\n  # c\nd v 0755 root sys#x\n",
			"d usr 0755 root sys\nd v 0755 root sys\n");
	assert_refused("d us#r 0755 root sys\n",
		       "m:1: a 'd' line needs 5 words, 'd PATH MODE USER GROUP', not 2 "
		       "('#' starts a comment, also within a word)\n");
}

static void takes_crlf_blank_lines_and_a_missing_newline(void **state)
{
	(void)state;
	assert_accepted("\r\n\n  \r\nd usr 0755 root sys\r\ns a=b",
			"s a=b\nd usr 0755 root sys\n");
}

static void keeps_modes_as_they_are_written(void **state)
{
	(void)state;
	assert_accepted(
		"f a 044 r s\nf b 755 r s\nf c 07555 r s\nf d 0 r s\nf e 00007777 r s\n",
		"f a 044 r s\nf b 755 r s\nf c 07555 r s\nf d 0 r s\nf e 00007777 r s\n");
}

static void refuses_a_mode_that_is_none(void **state)
{
	(void)state;
	assert_refused("f a 08 r s\n",
		       "m:1:5: '08' is not a mode; it must be octal, 07777 at most\n");
	assert_refused("f a 010755 r s\n",
		       "m:1:5: '010755' is not a mode; it must be octal, 07777 at most\n");
	assert_refused("f a -1 r s\n",
		       "m:1:5: '-1' is not a mode; it must be octal, 07777 at most\n");
	assert_refused("f a 37777777777777777777777777777755 r s\n",
		       "m:1:5: '37777777777777777777777777777755' is not a mode; it must be "
		       "octal, 07777 at most\n");
}

static void refuses_another_number_of_words(void **state)
{
	(void)state;
	assert_refused("f a 0755 root\n",
		       "m:1: a 'f' line needs 5 words, 'f PATH MODE USER GROUP', not 4\n");
	assert_refused("d a 0755 root sys d41d8\n",
		       "m:1: a 'd' line needs 5 words, 'd PATH MODE USER GROUP', not 6\n");
	assert_refused("f a 0755 root sys 6 7 8 9\n",
		       "m:1: a 'f' line needs 5 words, 'f PATH MODE USER GROUP', not 9\n");
	assert_refused("s a = b\n", "m:1: a 's' line needs 2 words, without blanks around '=': "
				    "'s NAME=TARGET'\n");
}

/* It once read the second word of a line that had one. */
static void refuses_a_line_of_one_word(void **state)
{
	(void)state;
	assert_refused("f", "m:1: a 'f' line needs 5 words, 'f PATH MODE USER GROUP', not 1\n");
	assert_refused("s", "m:1: a 's' line needs 2 words, without blanks around '=': "
			    "'s NAME=TARGET'\n");
}

static void refuses_an_unknown_kind(void **state)
{
	(void)state;
	assert_refused("\n x a\n",
		       "m:2:2: 'x' is not a kind of entry; the kinds are d, f, s and h\n");
	assert_refused("ff a 0755 root sys\n",
		       "m:1:1: 'ff' is not a kind of entry; the kinds are d, f, s and h\n");
}

static void refuses_a_link_without_two_sides(void **state)
{
	(void)state;
	assert_refused("s a\n", "m:1:3: a 's' line has no '=': 's NAME=TARGET'\n");
	assert_refused("h a=\n",
		       "m:1:3: a 'h' line has no target after '=': 'h NAME=TARGET'\n");
	assert_refused("s =b\n", "m:1:3: a 's' line has no name before '=': 's NAME=TARGET'\n");
	assert_refused("s a=b=c\n",
		       "m:1:3: a 's' line has more than one '=': 's NAME=TARGET'\n");
}

static void refuses_paths_that_lead_elsewhere(void **state)
{
	(void)state;
	assert_refused("d /usr 0755 r s\n", "m:1:3: path '/usr' starts with '/'; paths are "
					    "relative to the image's root\n");
	assert_refused("f a/../b 0755 r s\n", "m:1:3: path 'a/../b' has a '.' or '..' part; "
					      "write the path without\n");
	assert_refused("f . 0755 r s\n", "m:1:3: path '.' has a '.' or '..' part; "
					 "write the path without\n");
	assert_refused("s ..=b\n",
		       "m:1:3: path '..' has a '.' or '..' part; write the path without\n");
	assert_refused("h a=../b\n",
		       "m:1:5: path '../b' has a '.' or '..' part; write the path without\n");
	assert_refused("f a//b 0755 r s\n", "m:1:3: path 'a//b' has an empty part; write one "
					    "'/' between two names and none at the end\n");
	assert_refused("d a// 0755 r s\n", "m:1:3: path 'a/' has an empty part; write one "
					   "'/' between two names and none at the end\n");
	assert_refused("f a/ 0755 r s\n", "m:1:3: path 'a/' has an empty part; write one "
					  "'/' between two names and none at the end\n");
}

static void takes_a_final_slash_on_a_folder_and_the_root_itself(void **state)
{
	struct sheet s;

	(void)state;
	assert_accepted("d . 0755 r s\nd a/ 0755 r s\n", "d . 0755 r s\nd a/ 0755 r s\n");
	sheet_init(&s, false);
	sheet_parse(&s, "m", "d a/ 0755 r s\nf a/b 0644 r s\n");
	manifest_merge(&s.m, true, &s.r);
	assert_string_equal(sheet_said(&s), "");
	sheet_done(&s);
}

static void lets_symbolic_links_lead_anywhere(void **state)
{
	(void)state;
	assert_accepted("s a=../../x//y/\ns b=/dev/null\n", "s a=../../x//y/\ns b=/dev/null\n");
}

static void refuses_what_is_too_long(void **state)
{
	char text[6000];
	struct sheet s;

	(void)state;
	for (size_t len = 254; len <= 256; len++) {
		(void)snprintf(text, sizeof(text), "f %0*d 0644 r s\n", (int)len, 0);
		sheet_init(&s, false);
		sheet_parse(&s, "m", text);
		assert_int_equal(s.r.errors, len > 255);
		sheet_done(&s);
	}
	(void)snprintf(text, sizeof(text), "s a=%05000d\n", 0);
	assert_refused(text,
		       "m:1:5: the link's target is too long; it has at most 4095 bytes\n");
}

static void refuses_control_characters(void **state)
{
	struct sheet s;

	(void)state;
	assert_refused("d usr 0755 root sys\rjunk\n",
		       "m:1:20: control character 0x0d in the line\n");
	assert_refused("d u\033r 0755 root sys\n",
		       "m:1:4: control character 0x1b in the line\n");

	sheet_init(&s, false);
	manifest_parse(&s.m, "m", memcpy(xcalloc(1, 10), "s a=b\0c\n", 8), 8, &s.r);
	assert_string_equal(sheet_said(&s), "m:1:6: control character 0x00 in the line\n");
	sheet_done(&s);
}

static void refuses_a_manifest_without_an_entry(void **state)
{
	(void)state;
	assert_refused("",
		       "m: the manifest has no entry; leave it out, or list what it is for\n");
	assert_refused("\n  \n# c\n",
		       "m: the manifest has no entry; leave it out, or list what it is for\n");
}

static void reports_every_bad_line_but_not_without_end(void **state)
{
	struct sheet s;
	char *text = xmalloc(3000);
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < 500; i++)
		memcpy(text + 4 * i, "x a\n", 5);
	sheet_init(&s, false);
	sheet_parse(&s, "m", text);
	assert_int_equal(s.r.errors, 500);
	for (const char *p = sheet_said(&s); *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, REPORT_ERRORS_SHOWN);
	sheet_done(&s);
	free(text);
}

static void names_a_file_that_cannot_be_read(void **state)
{
	struct sheet s;

	(void)state;
	sheet_init(&s, true);
	manifest_read(&s.m, "/nonexistent/m", &s.r);
	manifest_read(&s.m, "/dev/null", &s.r);
	assert_string_equal(sheet_said(&s),
			    "/nonexistent/m: cannot open the file: No such file or directory\n"
			    "/dev/null: not a regular file\n");
	sheet_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_four_kinds),
		cmocka_unit_test(takes_tabs_and_any_number_of_blanks),
		cmocka_unit_test(ends_a_line_at_a_hash_even_within_a_word),
		cmocka_unit_test(takes_crlf_blank_lines_and_a_missing_newline),
		cmocka_unit_test(keeps_modes_as_they_are_written),
		cmocka_unit_test(refuses_a_mode_that_is_none),
		cmocka_unit_test(refuses_another_number_of_words),
		cmocka_unit_test(refuses_a_line_of_one_word),
		cmocka_unit_test(refuses_an_unknown_kind),
		cmocka_unit_test(refuses_a_link_without_two_sides),
		cmocka_unit_test(refuses_paths_that_lead_elsewhere),
		cmocka_unit_test(takes_a_final_slash_on_a_folder_and_the_root_itself),
		cmocka_unit_test(lets_symbolic_links_lead_anywhere),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(refuses_control_characters),
		cmocka_unit_test(refuses_a_manifest_without_an_entry),
		cmocka_unit_test(reports_every_bad_line_but_not_without_end),
		cmocka_unit_test(names_a_file_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
