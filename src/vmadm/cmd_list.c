/* SPDX-License-Identifier: MIT */
/*
 * list, lookup and get: read, choose, print.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libvm/prop.h"
#include "libvm/record.h"
#include "libvm/vm_object.h"
#include "libvm/vm_query.h"

#include <ctype.h>
#include <stdio.h>
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

/* NEEDS: what will be looked at besides the filters. */
static int load(struct cli_call *call, const char *action, struct vm_needs *needs,
		struct vm_list *ret_list, size_t *ret_count, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_filter struct vm_filter *filter = NULL;
	int count = cli_operands(call);
	cleanup_free const char **words = xcalloc((size_t)count + 1, sizeof(*words));
	int r;

	for (int i = 0; i < count; i++)
		words[i] = cli_operand(call, i);
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

static void pad(struct buf *b, size_t from, unsigned int width)
{
	/* Characters, not bytes: names may be in any script. */
	size_t shown = 0;

	for (size_t i = from; i < b->len; i++)
		shown += ((unsigned char)b->data[i] & 0xc0) != 0x80;
	for (; shown < width; shown++)
		buf_addc(b, ' ');
}

static void end_row(struct buf *b)
{
	size_t len = b->len;

	while (len > 0 && b->data[len - 1] == ' ')
		len--;
	(void)fwrite(b->data, 1, len, stdout);
	(void)fputc('\n', stdout);
	buf_reset(b);
}

/* Texts of a payload may be foreign: neither a terminal nor a reader of lines obeys them. */
static void add_shown(struct buf *b, const char *text)
{
	for (; *text; text++)
		buf_addc(b, iscntrl((unsigned char)*text) ? '?' : *text);
}

static void add_cell(struct buf *b, size_t column, const char *text, unsigned int width,
		     bool parsable)
{
	size_t from;

	if (column > 0)
		buf_adds(b, parsable ? ":" : "  ");
	from = b->len;
	add_shown(b, *text || parsable ? text : "-");
	if (!parsable)
		pad(b, from, width);
}

static void print_header(const struct vm_fields *fields, bool parsable)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < fields->count; i++)
		add_cell(&b, i, fields->items[i].header, fields->items[i].width, parsable);
	end_row(&b);
}

static void print_rows(struct jv *const *vms, size_t count, const struct vm_fields *fields,
		       bool parsable)
{
	cleanup_buf struct buf b = BUF_INIT;
	char text[32];

	for (size_t i = 0; i < count; i++) {
		for (size_t f = 0; f < fields->count; f++)
			add_cell(&b, f,
				 vm_value_text(vm_value(vms[i], fields->items[f].key), text),
				 fields->items[f].width, parsable);
		if (b.len == 0) /* one empty cell */
			buf_addc(&b, ' ');
		end_row(&b);
	}
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
	size_t count;
	int r;

	r = vm_fields_parse_order(columns ? columns : "uuid,type,ram,state,alias", &fields, e);
	if (r == 0)
		r = vm_fields_parse_sort(sort ? sort : "ram,uuid", &order, e);
	if (r < 0)
		return r;
	vm_fields_need(&fields, &needs);
	vm_fields_need(&order, &needs);
	r = load(call, "filter", &needs, &list, &count, e);
	if (r < 0)
		return r;
	vm_sort(list.vms, count, &order);
	if (cli_has(call, "json")) {
		print_rows_json(list.vms, count, &fields);
		return 0;
	}
	if (cli_has(call, "header") || (!parsable && !cli_has(call, "no-header")))
		print_header(&fields, parsable);
	print_rows(list.vms, count, &fields, parsable);
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

	if (columns && !cli_has(call, "json"))
		return err_set(e, -EINVAL, "Cannot specify -o without -j");
	/* Whole objects are printed with -j alone; -o may name any member of them. */
	if (cli_has(call, "json"))
		needs.all = true;
	r = load(call, "lookup", &needs, &list, &count, e);
	if (r < 0)
		return r;
	if (cli_has(call, "unique") && count != 1)
		return err_set(e, -ENOENT, "Requested unique lookup but found %zu results.",
			       count);
	if (cli_has(call, "json")) {
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
		r = vm_object_load(&v.host, v.uuid, &vm, e);
	if (r == 0)
		print_json(vm);
	return r;
}
