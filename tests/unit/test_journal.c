/* SPDX-License-Identifier: MIT */
#include "librecord/journal.h"

#include "base/jv.h"
#include "host_fixture.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"

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

static int syncs;
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	syncs++;
	return __real_fsync(fd);
}

static void what_is_begun_is_read_until_it_is_ended(void **state)
{
	struct host_fixture *f = *state;
	enum journal_op op;

	assert_int_equal(journal_read(&f->host, A, &op, NULL, NULL), 0);
	assert_int_equal(op, JOURNAL_NONE);
	assert_false(journal_is_there(&f->host, A));
	assert_int_equal(journal_begin(&f->host, A, JOURNAL_DELETE, NULL, NULL), 0);
	assert_true(journal_is_there(&f->host, A));
	assert_int_equal(journal_read(&f->host, A, &op, NULL, NULL), 0);
	assert_int_equal(op, JOURNAL_DELETE);
	assert_int_equal(journal_end(&f->host, A, NULL), 0);
	assert_int_equal(journal_end(&f->host, A, NULL), 0);
	assert_false(journal_is_there(&f->host, A));
}

static void what_a_change_takes_is_kept_with_it(void **state)
{
	struct host_fixture *f = *state;
	cleanup_jv struct jv *args = jv_object(), *read = NULL;
	enum journal_op op;

	jv_set(args, "name", jv_string("before"));
	assert_int_equal(journal_begin(&f->host, A, JOURNAL_ROLLBACK, args, NULL), 0);
	assert_int_equal(journal_read(&f->host, A, &op, &read, NULL), 0);
	assert_int_equal(op, JOURNAL_ROLLBACK);
	assert_string_equal(jv_get_string(read, "name"), "before");
	assert_int_equal(journal_end(&f->host, A, NULL), 0);
}

/* It came back after a power cut, and the VM whose deletion had been refused was gone. */
static void what_is_cancelled_is_gone_from_the_disk(void **state)
{
	struct host_fixture *f = *state;

	assert_int_equal(journal_cancel(&f->host, A, NULL), 0);
	assert_int_equal(journal_begin(&f->host, A, JOURNAL_DELETE, NULL, NULL), 0);
	syncs = 0;
	assert_int_equal(journal_cancel(&f->host, A, NULL), 0);
	assert_int_equal(syncs, 1);
	assert_false(journal_is_there(&f->host, A));
}

static int count_one(void *data, const char *uuid, struct err *e)
{
	(void)e;
	assert_string_equal(uuid, A);
	++*(int *)data;
	return 0;
}

static void each_journal_is_visited_once(void **state)
{
	struct host_fixture *f = *state;
	int count = 0;

	assert_int_equal(journal_each(&f->host, count_one, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(journal_begin(&f->host, A, JOURNAL_CREATE, NULL, NULL), 0);
	assert_int_equal(journal_each(&f->host, count_one, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(journal_end(&f->host, A, NULL), 0);
}

static void a_full_disk_leaves_no_journal(void **state)
{
	struct host_fixture *f = *state;
	struct err e = { 0 };

	rename_errno = ENOSPC;
	assert_int_equal(journal_begin(&f->host, A, JOURNAL_CREATE, NULL, &e), -ENOSPC);
	rename_errno = 0;
	assert_non_null(strstr(e.msg, "journal of VM " A));
	assert_false(journal_is_there(&f->host, A));
}

/* A newer program may know how to go on; doing something else would lose data. */
static void an_unknown_operation_is_left_alone(void **state)
{
	struct host_fixture *f = *state;
	cleanup_close int dirfd = host_dir(&f->host, HOST_JOURNAL, 0700, NULL);
	struct unit_dir d = { .fd = dirfd };
	enum journal_op op;

	unit_write(&d, A ".json", "{\"v\": 1, \"op\": \"teleport\"}");
	assert_int_equal(journal_read(&f->host, A, &op, NULL, NULL), -EBADMSG);
	assert_true(journal_is_there(&f->host, A));
	assert_int_equal(journal_end(&f->host, A, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		host_test(what_is_begun_is_read_until_it_is_ended),
		host_test(what_a_change_takes_is_kept_with_it),
		host_test(what_is_cancelled_is_gone_from_the_disk),
		host_test(each_journal_is_visited_once),
		host_test(a_full_disk_leaves_no_journal),
		host_test(an_unknown_operation_is_left_alone),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
