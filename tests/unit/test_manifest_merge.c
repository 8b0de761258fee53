/* SPDX-License-Identifier: MIT */
#include "manifest_fixture.h"

/* Merges the files "a" and "b" (NULL: only "a"), and holds all that comes out. */
static void assert_merge(bool lenient, bool whole, const char *a, const char *b,
			 const char *printed, const char *said)
{
	struct sheet s;

	sheet_init(&s, lenient);
	sheet_parse(&s, "a", a);
	if (b)
		sheet_parse(&s, "b", b);
	manifest_merge(&s.m, whole, &s.r);
	assert_string_equal(sheet_said(&s), said);
	if (printed)
		assert_string_equal(sheet_printed(&s), printed);
	assert_int_equal(s.r.errors > 0, printed == NULL);
	sheet_done(&s);
}

static void prints_in_byte_order_of_the_key(void **state)
{
	(void)state;
	assert_merge(false, false, "f a/b 1 r s\nf a-b 1 r s\nd a 1 r s\n",
		     "f A 1 r s\nf a.b 1 r s\n",
		     "f A 1 r s\nd a 1 r s\nf a-b 1 r s\nf a.b 1 r s\nf a/b 1 r s\n", "");
	/* The key of a link is all of its second word: '=' is above '-'. */
	assert_merge(false, false, "s bin=usr/bin\nf bin-x 1 r s\n", NULL,
		     "f bin-x 1 r s\ns bin=usr/bin\n", "");
}

static void takes_the_same_folder_from_many(void **state)
{
	(void)state;
	assert_merge(false, false, "d a 0755 r s\n", "d a/ 755 r s\n", "d a/ 755 r s\n", "");
}

static void refuses_a_folder_that_differs_and_names_both_places(void **state)
{
	const char *a = "# c\nd a 0755 root sys\n";
	const char *b = "d a 0755 root bin\n";

	(void)state;
	assert_merge(
		false, false, a, b, NULL,
		"b:1: 'a' is listed again, as 'd 0755 root bin'; it is 'd 0755 root sys' at "
		"a:2; one of the lines must go\n");
	assert_merge(true, false, a, b, "d a 0755 root bin\n",
		     "b:1: warning: 'a' is listed again, as 'd 0755 root bin'; it is "
		     "'d 0755 root sys' at a:2; the later line is used\n");
}

static void refuses_a_file_or_link_that_is_listed_twice_in_the_same_way(void **state)
{
	(void)state;
	assert_merge(false, false, "f a 0755 r s\n", "f a 0755 r s\n", NULL,
		     "b:1: 'a' is listed again, in the same way as at a:1; one of the lines "
		     "must go\n");
	assert_merge(false, false, "s a=b\ns a=b\n", NULL, NULL,
		     "a:2: 'a' is listed again, in the same way as at a:1; one of the lines "
		     "must go\n");
	assert_merge(true, false, "s a=b\ns a=b\n", NULL, "s a=b\n",
		     "a:2: warning: 'a' is listed again, in the same way as at a:1; the later "
		     "line is used\n");
}

static void lets_the_last_of_many_win_when_lenient(void **state)
{
	(void)state;
	assert_merge(true, false, "f a 1 r s\nf a 2 r s\n", "d a 3 r s\n", "d a 3 r s\n",
		     "a:2: warning: 'a' is listed again, as 'f 2 r s'; it is 'f 1 r s' at a:1; "
		     "the later line is used\n"
		     "b:1: warning: 'a' is listed again, as 'd 3 r s'; it is 'f 2 r s' at a:2; "
		     "the later line is used\n");
}

static void refuses_a_link_that_meets_something_else_in_both_modes(void **state)
{
	(void)state;
	for (int lenient = 0; lenient < 2; lenient++) {
		assert_merge(
			lenient, false, "f a 0755 r s\n", "s a=b\n", NULL,
			"b:1: 'a' is listed again, as 'symbolic link to b'; it is 'f 0755 r s' "
			"at a:1; one of the lines must go\n");
		assert_merge(
			lenient, false, "s a=b\n", "s a=c\n", NULL,
			"b:1: 'a' is listed again, as 'symbolic link to c'; it is 'symbolic "
			"link to b' at a:1; one of the lines must go\n");
		assert_merge(
			lenient, false, "h a=b\n", "d a 0755 r s\n", NULL,
			"b:1: 'a' is listed again, as 'd 0755 r s'; it is 'hard link to b' "
			"at a:1; one of the lines must go\n");
	}
}

static void refuses_what_lies_below_no_folder(void **state)
{
	(void)state;
	assert_merge(
		true, false, "s lib=usr/lib\nf lib/x/y 0644 r s\n", NULL, NULL,
		"a:2: 'lib/x/y' cannot lie in 'lib', which is 'symbolic link to usr/lib' at "
		"a:1\n");
}

static void wants_parents_only_of_what_is_whole(void **state)
{
	const char *text = "f a/b/c 1 r s\nf a/b/d 1 r s\nf a/b-c 1 r s\n";

	(void)state;
	assert_merge(false, false, text, NULL, "f a/b-c 1 r s\nf a/b/c 1 r s\nf a/b/d 1 r s\n",
		     "");
	assert_merge(
		false, true, text, NULL, NULL,
		"a:3: 'a/b-c' lies in 'a', which is not listed; add 'd a MODE USER GROUP'\n"
		"a:1: 'a/b/c' lies in 'a/b', which is not listed; add 'd a/b MODE USER "
		"GROUP'\n");
}

static void leads_hard_links_to_what_is_there(void **state)
{
	struct sheet s;

	(void)state;
	sheet_init(&s, false);
	sheet_parse(&s, "a", "h a=b\nh b=c\nf c 0644 r s\nh l=m\ns m=gone\n");
	manifest_merge(&s.m, true, &s.r);
	assert_string_equal(sheet_said(&s), "");
	assert_string_equal(manifest_find(&s.m, "a", 1)->link->key, "c");
	assert_string_equal(manifest_find(&s.m, "l", 1)->link->key, "m=gone");
	sheet_done(&s);
}

static void refuses_hard_links_to_nothing_to_folders_and_in_circles(void **state)
{
	(void)state;
	assert_merge(false, false, "h a=b\n", NULL, "h a=b\n", "");
	assert_merge(false, true, "h a=b\nh c=d\nd d 1 r s\nh x=y\nh y=x\n", NULL, NULL,
		     "a:1: hard link 'a' leads to 'b', which is not listed\n"
		     "a:2: hard link 'c' leads to 'd', a folder at a:3\n"
		     "a:4: hard link 'x' leads to hard links without end\n"
		     "a:5: hard link 'y' leads to hard links without end\n");
}

static void finds_each_entry_and_nothing_else(void **state)
{
	struct sheet s;

	(void)state;
	sheet_init(&s, false);
	sheet_parse(&s, "a", "d a 1 r s\nd a/b/ 1 r s\ns a/b/c=x\nf z 1 r s\n");
	manifest_merge(&s.m, false, &s.r);
	assert_non_null(manifest_find(&s.m, "a", 1));
	assert_non_null(manifest_find(&s.m, "a/b", 3));
	assert_non_null(manifest_find(&s.m, "a/b/c", 5));
	assert_non_null(manifest_find(&s.m, "z", 1));
	assert_null(manifest_find(&s.m, "a/", 2));
	assert_null(manifest_find(&s.m, "a/b/c=x", 7));
	assert_null(manifest_find(&s.m, "", 0));
	sheet_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_in_byte_order_of_the_key),
		cmocka_unit_test(takes_the_same_folder_from_many),
		cmocka_unit_test(refuses_a_folder_that_differs_and_names_both_places),
		cmocka_unit_test(refuses_a_file_or_link_that_is_listed_twice_in_the_same_way),
		cmocka_unit_test(lets_the_last_of_many_win_when_lenient),
		cmocka_unit_test(refuses_a_link_that_meets_something_else_in_both_modes),
		cmocka_unit_test(refuses_what_lies_below_no_folder),
		cmocka_unit_test(wants_parents_only_of_what_is_whole),
		cmocka_unit_test(leads_hard_links_to_what_is_there),
		cmocka_unit_test(refuses_hard_links_to_nothing_to_folders_and_in_circles),
		cmocka_unit_test(finds_each_entry_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
