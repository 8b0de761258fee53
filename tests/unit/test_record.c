/* SPDX-License-Identifier: MIT */
#include "librecord/record.h"

#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv_skim.h"
#include "base/path.h"

#include "host_fixture.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"

/* The linker sends renameat() here (see vm.mk), so a test can make it fail. */
static int rename_errno;
int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int ofd, const char *o, int nfd, const char *n);

int __wrap_renameat(int ofd, const char *o, int nfd, const char *n)
{
	if (rename_errno) {
		errno = rename_errno;
		return -1;
	}
	return __real_renameat(ofd, o, nfd, n);
}

static struct jv *record_of(const char *uuid)
{
	struct jv *r = jv_object();

	jv_set(r, "v", jv_int(1));
	jv_set(r, "uuid", jv_string(uuid));
	jv_set(r, "alias", jv_string("x \"\\{[,]}\\\" y"));
	jv_set(r, "nics", jv_array());
	jv_push(jv_get(r, "nics"), jv_object());
	jv_set(jv_at(jv_get(r, "nics"), 0), "alias", jv_string("not this one"));
	jv_set(r, "quota", jv_int(10));
	return r;
}

static void what_is_stored_is_loaded(void **state)
{
	struct host_fixture *f = *state;
	cleanup_jv struct jv *in = record_of(A), *out = NULL;

	assert_int_equal(record_exists(&f->host, A, NULL), 0);
	assert_int_equal(record_store(&f->host, A, in, NULL), 0);
	assert_int_equal(record_exists(&f->host, A, NULL), 1);
	assert_int_equal(record_load(&f->host, A, &out, NULL), 0);
	assert_true(jv_equal(in, out));
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
	assert_int_equal(record_exists(&f->host, A, NULL), 0);
}

static void an_absent_record_has_the_text_that_clients_know(void **state)
{
	struct host_fixture *f = *state;
	struct err e = { 0 };
	struct jv *out;

	assert_int_equal(record_load(&f->host, A, &out, &e), -ENOENT);
	assert_string_equal(e.msg, "zoneadm: " A ": No such zone configured");
}

/* A full disk: the record that was there is there, and no half of the new one. */
static void a_failed_store_leaves_the_old_record(void **state)
{
	struct host_fixture *f = *state;
	cleanup_jv struct jv *old = record_of(A), *new = record_of(A), *out = NULL;

	assert_int_equal(record_store(&f->host, A, old, NULL), 0);
	jv_set(new, "quota", jv_int(99));
	rename_errno = ENOSPC;
	assert_int_equal(record_store(&f->host, A, new, NULL), -ENOSPC);
	rename_errno = 0;
	assert_int_equal(record_load(&f->host, A, &out, NULL), 0);
	assert_true(jv_equal(old, out));
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
}

static void a_record_is_refused_that_is_not_what_its_name_says(void **state)
{
	struct host_fixture *f = *state;
	cleanup_jv struct jv *other = record_of(B), *newer = record_of(A);
	struct jv *out;
	struct err e = { 0 };

	assert_int_equal(record_store(&f->host, A, other, NULL), 0);
	assert_int_equal(record_load(&f->host, A, &out, &e), -EBADMSG);
	assert_string_equal(e.msg, "etc/zones/" A ".json: /uuid must be the file's name");
	jv_set(newer, "v", jv_int(2));
	assert_int_equal(record_store(&f->host, A, newer, NULL), 0);
	assert_int_equal(record_load(&f->host, A, &out, &e), -EBADMSG);
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
}

static void a_record_has_a_largest_size(void **state)
{
	struct host_fixture *f = *state;
	cleanup_jv struct jv *r = record_of(A);
	char *big = calloc(1, RECORD_MAX + 1);

	memset(big, 'x', RECORD_MAX);
	jv_set(r, "alias", jv_string(big));
	assert_int_equal(record_store(&f->host, A, r, NULL), -EFBIG);
	free(big);
	(void)unlinkat(f->host.fd, "etc", AT_REMOVEDIR);
}

static void the_list_has_records_and_nothing_else(void **state)
{
	struct host_fixture *f = *state;
	cleanup_free record_uuid *uuids = NULL;
	cleanup_jv struct jv *a = record_of(A), *b = record_of(B);
	size_t count = 7;
	int fd;

	assert_int_equal(record_list(&f->host, &uuids, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(record_store(&f->host, A, a, NULL), 0);
	assert_int_equal(record_store(&f->host, B, b, NULL), 0);
	fd = openat(f->host.fd, "etc/zones/." A ".json.new", O_CREAT | O_WRONLY | O_CLOEXEC,
		    0600);
	assert_true(fd >= 0);
	(void)close(fd);
	free(uuids);
	assert_int_equal(record_list(&f->host, &uuids, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(unlinkat(f->host.fd, "etc/zones/." A ".json.new", 0), 0);
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
	assert_int_equal(record_remove(&f->host, B, NULL), 0);
}

static void few_members_are_those_of_the_whole(void **state)
{
	static const char *const names[] = { "alias", "quota", "absent" };
	static const struct record_members members = { names, ARRAY_SIZE(names) };
	struct host_fixture *f = *state;
	cleanup_jv struct jv *in = record_of(A), *out = NULL;
	cleanup_close int dirfd = -1;

	assert_int_equal(record_store(&f->host, A, in, NULL), 0);
	dirfd = host_dir_existing(&f->host, HOST_RECORDS, NULL);
	assert_int_equal(record_load_members(dirfd, A, &members, &out, NULL), 0);
	assert_int_equal(jv_len(out), 4);
	assert_true(jv_equal(jv_get(in, "alias"), jv_get(out, "alias")));
	assert_int_equal(jv_get_int(out, "quota", 0), 10);
	assert_null(jv_get(out, "nics"));
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
}

static bool want_all(const void *data, const char *name, size_t len)
{
	(void)data;
	(void)name;
	return len > 0;
}

static void text_without_the_shape_of_an_object_is_not_skimmed(void **state)
{
	static const char *const bad[] = { "",        "[1]",       "{",           "{\"a\":1",
					   "{\"a\"}", "{\"a\":}",  "{\"a\":1,}x", "{\"a\":[1}",
					   "{\"a",    "{\"a\":\"", "{,\"a\":1}",  "{} {}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_buf struct buf out = BUF_INIT;

		if (jv_skim(bad[i], strlen(bad[i]), want_all, NULL, &out))
			fail_msg("was skimmed: %s", bad[i]);
	}
}

static char *shadow(const struct host *h)
{
	char *text = NULL;
	size_t len;

	return file_read_all(h->fd, "etc/zones/" A ".xml", 4096, &text, &len, NULL) < 0 ? NULL
											: text;
}

static void a_shadow_says_what_is_not_to_be_inventoried(void **state)
{
	static const char attr[] =
		"<attr name=\"do-not-inventory\" type=\"string\" value=\"true\"/>";
	struct host_fixture *f = *state;
	cleanup_jv struct jv *record = record_of(A);
	cleanup_free char *before = NULL, *after = NULL, *gone = NULL;

	jv_set(record, "brand", jv_string("l\"<x>"));
	assert_int_equal(record_store(&f->host, A, record, NULL), 0);
	before = shadow(&f->host);
	assert_non_null(before);
	assert_non_null(strstr(before, "<zone name=\"" A "\""));
	assert_non_null(strstr(before, "brand=\"l&#34;&#60;x&#62;\""));
	assert_null(strstr(before, attr));
	jv_set(record, "do_not_inventory", jv_bool(true));
	assert_int_equal(record_store(&f->host, A, record, NULL), 0);
	after = shadow(&f->host);
	assert_non_null(strstr(after, attr));
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
	gone = shadow(&f->host);
	assert_null(gone);
}

/* A create that was killed in the middle of writing its record is undone whole. */
static void removing_takes_what_was_written_by_half(void **state)
{
	struct host_fixture *f = *state;
	cleanup_close int dirfd = host_dir(&f->host, HOST_RECORDS, 0700, NULL);
	static const char *const halves[] = { "." A ".json.new", "." A ".xml.new" };

	for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
		assert_int_equal(path_write_new(dirfd, halves[i], "{", 0600, NULL), 0);
	assert_int_equal(record_remove(&f->host, A, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
		assert_int_equal(unlinkat(dirfd, halves[i], 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		host_test(what_is_stored_is_loaded),
		host_test(an_absent_record_has_the_text_that_clients_know),
		host_test(a_failed_store_leaves_the_old_record),
		host_test(a_record_is_refused_that_is_not_what_its_name_says),
		host_test(a_record_has_a_largest_size),
		host_test(the_list_has_records_and_nothing_else),
		host_test(a_shadow_says_what_is_not_to_be_inventoried),
		host_test(few_members_are_those_of_the_whole),
		cmocka_unit_test(text_without_the_shape_of_an_object_is_not_skimmed),
		host_test(removing_takes_what_was_written_by_half),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
