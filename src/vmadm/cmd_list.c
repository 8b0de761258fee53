/* SPDX-License-Identifier: MIT */
/*
 * list, lookup and get: read, choose, print.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libpayload/prop.h"
#include "librecord/record.h"
#include "libvm/vm_object.h"
#include "libquery/vm_query.h"
#include "libquery/vm_rows.h"
#include "libquery/vminfo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The VMs that the operands choose, moved to the front of LIST; their number. */
static size_t choose(const struct vm_filter *filter, struct vm_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct jv *vm = list->vms[i];

		if (!vm_filter_match(filter, vm))
			continue;
		list->vms[i] = list->vms[count];
		list->vms[count++] = vm;
	}
	return count;
}

/* "0", "1", "1.5": the original stops at these before it looks for a key of that name. */
static bool is_small_number(const char *word)
{
	char *end;
	double n = strtod(word, &end);

	return isdigit((unsigned char)*word) && !*end && n < 2;
}

/* NEEDS: what will be looked at besides the filters. */
static int load(struct cli_call *call, const char *action, struct vm_needs *needs,
		struct vm_list *ret_list, size_t *ret_count, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_filter struct vm_filter *filter = NULL;
	int count = cli_operands(call);
	cleanup_free const char **words = xcalloc((size_t)count + 1, sizeof(*words));
	int r;

	for (int i = 0; i < count; i++) {
		words[i] = cli_operand(call, i);
		if (is_small_number(words[i]))
			return cli_wrong_use(call, "Bad arguments: unable to split %s",
					     words[i]);
	}
	r = vm_filter_new(words, (size_t)count, action, &filter, e);
	if (r == 0)
		r = vmadm_begin(&v, call, e);
	if (r < 0)
		return r;
	vm_filter_need(filter, needs);
	r = vm_list_load(&v.host, needs, ret_list, e);
	if (r < 0)
		return r;
	if (ret_list->unreadable)
		fprintf(stderr, "warning: %zu records cannot be read; one of them: %s\n",
			ret_list->unreadable, ret_list->error.msg);
	*ret_count = choose(filter, ret_list);
	return 0;
}

static void print_text(const struct buf *text)
{
	(void)fwrite(buf_str(text), 1, text->len, stdout);
}

/* The list that is asked for most is kept ready where vminfod runs. */
static int print_default(struct cli_call *call, const struct vm_fields *fields)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_buf struct buf header = BUF_INIT, rows = BUF_INIT;
	int r;

	r = vmadm_begin(&v, call, NULL);
	if (r == 0)
		r = vminfo_rows(&v.host, &rows, NULL);
	if (r < 0)
		return r;
	if (cli_has(call, "header") || !cli_has(call, "no-header"))
		vm_rows_header(&header, fields, false);
	print_text(&header);
	print_text(&rows);
	return 0;
}

static struct jv *borrow(const struct jv *value)
{
	return jv_copy(value);
}

static void print_json(const struct jv *value)
{
	cleanup_free char *text = jv_dump(value, 2);

	puts(text);
}

static void print_rows_json(struct jv *const *vms, size_t count, const struct vm_fields *fields)
{
	cleanup_jv struct jv *rows = jv_array();

	for (size_t i = 0; i < count; i++) {
		struct jv *row = jv_object();

		for (size_t f = 0; f < fields->count; f++) {
			const struct jv *value = vm_value(vms[i], fields->items[f].key);

			jv_set(row, fields->items[f].key, value ? borrow(value) : jv_null());
		}
		jv_push(rows, row);
	}
	print_json(rows);
}

int cmd_list(struct cli_call *call, struct err *e)
{
	cleanup_vm_list struct vm_list list = { 0 };
	cleanup_vm_fields struct vm_fields fields = { .count = 0 }, order = { .count = 0 };
	const char *columns = cli_get(call, "columns"), *sort = cli_get(call, "sort");
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	bool parsable = cli_has(call, "parsable");
	cleanup_buf struct buf text = BUF_INIT;
	size_t count;
	int r;

	r = vm_fields_parse_order(columns ? columns : VM_LIST_COLUMNS, &fields, e);
	if (r == 0)
		r = vm_fields_parse_sort(sort ? sort : VM_LIST_SORT, &order, e);
	if (r < 0)
		return r;
	if (!columns && !sort && !parsable && !vmadm_wants_json(call) &&
	    cli_operands(call) == 0 && print_default(call, &fields) == 0)
		return 0;
	vm_fields_need(&fields, &needs);
	vm_fields_need(&order, &needs);
	r = load(call, "filter", &needs, &list, &count, e);
	if (r != 0)
		return r;
	vm_sort(list.vms, count, &order);
	if (vmadm_wants_json(call)) {
		print_rows_json(list.vms, count, &fields);
		return 0;
	}
	if (cli_has(call, "header") || (!parsable && !cli_has(call, "no-header")))
		vm_rows_header(&text, &fields, parsable);
	for (size_t i = 0; i < count; i++)
		vm_rows_add(&text, list.vms[i], &fields, parsable);
	print_text(&text);
	return 0;
}

/* The members of VM that the words of COLUMNS name; NULL when it has none of them. */
static struct jv *select_members(const struct jv *vm, const char *columns)
{
	struct jv *out = jv_object();

	for (void *it = jv_iter(vm); it; it = jv_iter_next(vm, it)) {
		const char *key = jv_iter_key(it);
		size_t len = strlen(key);

		for (const char *word = columns; *word; word += *word == ',') {
			size_t n = strcspn(word, ",");

			if (n == len && memcmp(word, key, n) == 0)
				jv_set(out, key, borrow(jv_iter_value(it)));
			word += n;
		}
	}
	if (jv_len(out))
		return out;
	jv_unref(out);
	return NULL;
}

static void print_found(struct jv *const *vms, size_t count, const char *columns)
{
	cleanup_jv struct jv *found = jv_array();

	for (size_t i = 0; i < count; i++) {
		struct jv *vm = columns ? select_members(vms[i], columns) : jv_ref(vms[i]);

		if (vm)
			jv_push(found, vm);
	}
	print_json(found);
}

int cmd_lookup(struct cli_call *call, struct err *e)
{
	cleanup_vm_list struct vm_list list = { 0 };
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	const char *columns = cli_get(call, "columns");
	size_t count;
	int r;

	if (columns && !vmadm_wants_json(call))
		return err_set(e, -EINVAL, "Cannot specify -o without -j");
	/* Whole objects are printed with -j alone; -o may name any member of them. */
	if (vmadm_wants_json(call))
		needs.all = true;
	r = load(call, "lookup", &needs, &list, &count, e);
	if (r != 0)
		return r;
	if (cli_has(call, "unique") && count != 1)
		return err_set(e, -ENOENT, "Requested unique lookup but found %zu results.",
			       count);
	if (vmadm_wants_json(call)) {
		print_found(list.vms, count, columns);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		puts(jv_get_string(list.vms[i], "uuid"));
	return 0;
}

int cmd_get(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_jv struct jv *vm = NULL;
	int r;

	r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_find(&v, call, e);
	if (r == 0)
		r = vm_object_get(&v.host, v.uuid, &vm, e);
	if (r == 0)
		print_json(vm);
	return r;
}
