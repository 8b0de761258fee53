/* SPDX-License-Identifier: MIT */
/*
 * The copy of all VMs that vminfod keeps: what it takes in, tells and answers.
 */
#include "libvm/vm_index.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libvm/vm_object.h"
#include "libquery/vm_query.h"
#include "libquery/vm_rows.h"

#include "host_fixture.h"

#define A "aaaaaaaa-1111-4222-8333-444444444444"
#define B "bbbbbbbb-1111-4222-8333-444444444444"
#define C "cccccccc-1111-4222-8333-444444444444"

struct heard {
	char types[256];
	unsigned int silent;
};

static void on_change(void *data, const struct jv *event)
{
	struct heard *h = data;
	size_t len = strlen(h->types);

	if (!event) {
		h->silent++;
		return;
	}
	(void)snprintf(h->types + len, sizeof(h->types) - len, "%s%s:%.1s", len ? " " : "",
		       jv_get_string(event, "type"), jv_get_string(event, "uuid"));
}

static void write_text(struct host_fixture *f, const char *uuid, const char *text)
{
	cleanup_close int fd = host_dir(&f->host, "etc/zones", 0700, NULL);
	cleanup_close int file = -1;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s.json", uuid);
	file = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
}

static void write_record(struct host_fixture *f, const char *uuid, const char *alias, int ram)
{
	cleanup_free char *text =
		xasprintf("{ \"v\": 1, \"uuid\": \"%s\", \"brand\": \"lx\", \"alias\": \"%s\", "
			  "\"max_physical_memory\": %d, \"idmap_base\": 1073741824 }",
			  uuid, alias, ram);

	write_text(f, uuid, text);
}

static void remove_record(struct host_fixture *f, const char *uuid)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "etc/zones/%s.json", uuid);
	assert_int_equal(unlinkat(f->host.fd, name, 0), 0);
}

static void changes_are_told_once_and_in_order(void **state)
{
	struct host_fixture *f = *state;
	struct heard h = { "", 0 };
	struct vm_index *ix = vm_index_new(&f->host, on_change, &h);
	size_t len;

	write_record(f, B, "b", 256);
	assert_int_equal(vm_index_load(ix, NULL), 0);
	assert_int_equal(h.silent, 1);
	vm_index_set_listening(ix, true);
	write_record(f, A, "a", 512);
	vm_index_touch(ix, A);
	vm_index_touch(ix, A);
	write_record(f, B, "other", 256);
	vm_index_touch(ix, B);
	vm_index_touch(ix, C);
	remove_record(f, A);
	write_record(f, C, "c", 1024);
	assert_int_equal(vm_index_load(ix, NULL), 0);
	remove_record(f, B);
	vm_index_touch(ix, B);
	assert_string_equal(h.types, "create:a modify:b create:c delete:a delete:b");
	assert_int_equal(vm_index_count(ix), 1);
	assert_null(vm_index_get(ix, A, &len));
	assert_non_null(vm_index_get(ix, C, &len));
	vm_index_free(ix);
	remove_record(f, C);
}

static void what_cannot_be_read_stays_as_it_was(void **state)
{
	struct host_fixture *f = *state;
	struct heard h = { "", 0 };
	struct vm_index *ix = vm_index_new(&f->host, on_change, &h);
	size_t len;

	write_record(f, A, "a", 256);
	assert_int_equal(vm_index_load(ix, NULL), 0);
	vm_index_set_listening(ix, true);
	write_text(f, A, "{");
	vm_index_touch(ix, A);
	assert_int_equal(vm_index_unreadable(ix), 1);
	assert_non_null(vm_index_get(ix, A, &len));
	assert_int_equal(vm_index_load(ix, NULL), 0);
	assert_int_equal(vm_index_unreadable(ix), 1);
	assert_int_equal(vm_index_count(ix), 1);
	write_record(f, A, "a", 256);
	vm_index_touch(ix, A);
	assert_int_equal(vm_index_unreadable(ix), 0);
	write_text(f, A, "{");
	vm_index_touch(ix, A);
	remove_record(f, A);
	vm_index_touch(ix, A);
	assert_int_equal(vm_index_unreadable(ix), 0);
	assert_int_equal(vm_index_count(ix), 0);
	vm_index_free(ix);
}

/* What is asked for, from the files and from the copy. */
static void views_are_what_the_files_hold(void **state)
{
	struct host_fixture *f = *state;
	struct heard h = { "", 0 };
	struct vm_index *ix = vm_index_new(&f->host, on_change, &h);

	write_record(f, B, "two", 256);
	write_record(f, A, "one", 512);
	assert_int_equal(vm_index_load(ix, NULL), 0);
	for (int round = 0; round < 6; round++) {
		cleanup_buf struct buf b = BUF_INIT;
		char members[32];

		(void)snprintf(members, sizeof(members), "uuid,alias%.*s", round, ",,,,,,");
		vm_index_dump(ix, members, &b);
		assert_string_equal(buf_str(&b),
				    "[{\"v\":1,\"uuid\":\"" A "\",\"alias\":\"one\"},"
				    "{\"v\":1,\"uuid\":\"" B "\",\"alias\":\"two\"}]");
	}
	vm_index_free(ix);
	remove_record(f, A);
	remove_record(f, B);
}

static void the_rows_are_those_of_a_list(void **state)
{
	struct host_fixture *f = *state;
	struct heard h = { "", 0 };
	struct vm_index *ix = vm_index_new(&f->host, on_change, &h);
	cleanup_buf struct buf rows = BUF_INIT, list_rows = BUF_INIT;
	cleanup_vm_fields struct vm_fields columns = { .count = 0 }, order = { .count = 0 };
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	cleanup_vm_list struct vm_list list = { 0 };

	write_record(f, A, "one", 512);
	write_record(f, B, "two", 256);
	write_record(f, C, "three", 512);
	assert_int_equal(vm_index_load(ix, NULL), 0);
	vm_index_rows(ix, &rows);

	assert_int_equal(vm_fields_parse_order(VM_LIST_COLUMNS, &columns, NULL), 0);
	assert_int_equal(vm_fields_parse_sort(VM_LIST_SORT, &order, NULL), 0);
	vm_fields_need(&columns, &needs);
	vm_fields_need(&order, &needs);
	assert_int_equal(vm_list_load(&f->host, &needs, &list, NULL), 0);
	vm_sort(list.vms, list.count, &order);
	for (size_t i = 0; i < list.count; i++)
		vm_rows_add(&list_rows, list.vms[i], &columns, false);
	assert_int_equal(list.count, 3);
	assert_string_equal(buf_str(&rows), buf_str(&list_rows));
	vm_index_free(ix);
	remove_record(f, A);
	remove_record(f, B);
	remove_record(f, C);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(changes_are_told_once_and_in_order),
		host_test(what_cannot_be_read_stays_as_it_was),
		host_test(views_are_what_the_files_hold),
		host_test(the_rows_are_those_of_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
