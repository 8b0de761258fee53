/* SPDX-License-Identifier: MIT */
#include "manifest_fixture.h"

#include "base/path.h"
#include "builder/accounts.h"

#include <fcntl.h>

struct fixture {
	char dir[32];
	int dirfd;
	struct search search;
	struct accounts accounts;
	struct sheet sheet;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/accounts-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	sheet_init(&f->sheet, false);
	*state = f;
	return path_mkdir_all(f->dirfd, "etc", 0755, NULL) +
	       search_add(&f->search, f->dir, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = path_remove_tree(AT_FDCWD, f->dir, NULL);

	accounts_done(&f->accounts);
	search_done(&f->search);
	sheet_done(&f->sheet);
	(void)close(f->dirfd);
	free(f);
	return r;
}

static void put(struct fixture *f, const char *name, const char *text)
{
	assert_int_equal(path_write_new(f->dirfd, name, text, 0644, NULL), 0);
}

static void resolve(struct fixture *f, const char *manifest)
{
	struct sheet *s = &f->sheet;

	sheet_parse(s, "m", manifest);
	manifest_merge(&s->m, false, &s->r);
	accounts_load(&f->accounts, &f->search, NULL, NULL, &s->r);
	accounts_resolve(&f->accounts, &s->m, &s->r);
}

static void takes_ids_from_the_search_path(void **state)
{
	struct fixture *f = *state;
	const struct entry *en;

	put(f, "etc/passwd", "# c\nroot:x:0:0:r:/:/bin/sh\n\nmail:x:8:12::/:\n");
	put(f, "etc/group", "root:x:0:\nmail:x:12:root\nlast:x:7");
	resolve(f, "f a 0644 mail mail\nf b 0644 root last\ns c=d\n");
	assert_string_equal(sheet_said(&f->sheet), "");
	en = manifest_find(&f->sheet.m, "a", 1);
	assert_int_equal(en->uid, 8);
	assert_int_equal(en->gid, 12);
	assert_int_equal(manifest_find(&f->sheet.m, "b", 1)->gid, 7);
}

/* This machine has both: they must not be taken. */
static void knows_nobody_but_root_in_an_image_without_accounts(void **state)
{
	struct fixture *f = *state;

	resolve(f, "f a 0644 root root\nf b 0644 daemon root\nf c 0644 root daemon\n");
	assert_string_equal(sheet_said(&f->sheet),
			    "m:2: user 'daemon' of 'b' has no id: there is no 'etc/passwd'\n"
			    "m:3: group 'daemon' of 'c' has no id: there is no 'etc/group'\n");
}

static void reports_an_unknown_name_once_where_it_first_occurs(void **state)
{
	struct fixture *f = *state;
	char said[200];

	put(f, "etc/passwd", "root:x:0:0\n");
	put(f, "etc/group", "root:x:0\n");
	resolve(f, "f b 0644 root bit\nf a 0644 root bit\n");
	(void)snprintf(said, sizeof(said), "m:2: group 'bit' of 'a' is not in '%s/etc/group'\n",
		       f->dir);
	assert_string_equal(sheet_said(&f->sheet), said);
}

static void takes_digits_as_an_id_unless_they_are_a_name(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/passwd", "root:x:0:0\n77:x:5:5\n");
	put(f, "etc/group", "root:x:0\n");
	resolve(f, "f a 0644 77 4294967294\n");
	assert_string_equal(sheet_said(&f->sheet), "");
	assert_int_equal(manifest_find(&f->sheet.m, "a", 1)->uid, 5);
	assert_int_equal(manifest_find(&f->sheet.m, "a", 1)->gid, 4294967294);
}

/* -1 means "leave it as it is" to chown(2). */
static void refuses_the_id_that_is_none(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/passwd", "root:x:0:0\nbad:x:4294967295:0\n");
	put(f, "etc/group", "root:x:0\nworse:x::\nno\n:x:1:\n");
	resolve(f, "f a 0644 root 4294967295\n");
	assert_int_equal(f->sheet.r.errors, 5);
	assert_non_null(strstr(sheet_said(&f->sheet), "etc/passwd:2: not an account"));
	assert_non_null(strstr(sheet_said(&f->sheet), "etc/group:2: not an account"));
	assert_non_null(strstr(sheet_said(&f->sheet), "etc/group:3: not an account"));
	assert_non_null(strstr(sheet_said(&f->sheet), "etc/group:4: not an account"));
	assert_non_null(strstr(sheet_said(&f->sheet), "group '4294967295' of 'a' is not in"));
}

static void finds_files_in_the_first_folder_that_has_them(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	struct search both = { 0 };
	const char *dir = NULL;
	struct stat st;
	char over[64];

	assert_int_equal(path_mkdir_all(f->dirfd, "over", 0755, NULL), 0);
	put(f, "a", "12");
	put(f, "over/b", "1");
	put(f, "b", "12345");
	(void)snprintf(over, sizeof(over), "%s/over", f->dir);
	assert_int_equal(search_add(&both, over, NULL), 0);
	assert_int_equal(search_add(&both, f->dir, NULL), 0);

	(void)close(search_open(&both, "a", &st, &dir, &e));
	assert_string_equal(dir, f->dir);
	(void)close(search_open(&both, "b", &st, &dir, &e));
	assert_string_equal(dir, over);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(search_open(&both, "c", &st, &dir, &e), -ENOENT);
	assert_string_equal(e.msg, "'c' is in no folder of the search path");
	search_done(&both);
}

static void follows_links_only_within_the_folder(void **state)
{
	struct fixture *f = *state;
	struct search inner = { 0 };
	struct err e = { 0 };
	struct stat st;
	char in[64];
	int fd;

	assert_int_equal(path_mkdir_all(f->dirfd, "in/usr/lib", 0755, NULL), 0);
	put(f, "secret", "s");
	put(f, "in/usr/lib/x", "123");
	assert_int_equal(symlinkat("/usr/lib", f->dirfd, "in/lib"), 0);
	assert_int_equal(symlinkat("../secret", f->dirfd, "in/out"), 0);
	assert_int_equal(symlinkat("out2", f->dirfd, "in/out2"), 0);
	(void)snprintf(in, sizeof(in), "%s/in", f->dir);
	assert_int_equal(search_add(&inner, in, NULL), 0);

	fd = search_open(&inner, "lib/x", &st, NULL, &e);
	assert_true(fd >= 0);
	assert_int_equal(st.st_size, 3);
	(void)close(fd);
	assert_int_equal(search_open(&inner, "out", &st, NULL, &e), -ENOENT);
	assert_int_equal(search_open(&inner, "out2", &st, NULL, &e), -ELOOP);
	search_done(&inner);
}

static void refuses_what_is_no_regular_file(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	struct stat st;

	assert_int_equal(mkfifoat(f->dirfd, "fifo", 0644), 0);
	assert_int_equal(search_open(&f->search, "fifo", &st, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "is a FIFO, not a regular file"));
	assert_int_equal(search_open(&f->search, "etc", &st, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "is a folder, not a regular file"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_ids_from_the_search_path),
		TEST(knows_nobody_but_root_in_an_image_without_accounts),
		TEST(reports_an_unknown_name_once_where_it_first_occurs),
		TEST(takes_digits_as_an_id_unless_they_are_a_name),
		TEST(refuses_the_id_that_is_none),
		TEST(finds_files_in_the_first_folder_that_has_them),
		TEST(follows_links_only_within_the_folder),
		TEST(refuses_what_is_no_regular_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
