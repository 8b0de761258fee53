/* SPDX-License-Identifier: MIT */
#include "libvm/vm_index.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "librecord/record.h"
#include "base/jv_skim.h"
#include "libquery/vm_event.h"
#include "libvm/vm_object.h"
#include "libquery/vm_rows.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* So many lists of members are remembered. The first is never given up. */
#define VIEWS_MAX 4

/* What lists with filters look at most; as vminfo_vms() writes it. */
#define VIEW_LIST "uuid,type,brand,ram,max_physical_memory,state,failed,alias"

struct entry {
	char uuid[UUID_STR];
	char *text;
	size_t len;
	char *views[VIEWS_MAX]; /* NULL: not cut out yet */
	char *row;              /* of the default list */
	int64_t ram;            /* what that is sorted by; INT64_MAX: it has none */
	bool seen;              /* by the load that is under way */
};

struct vm_index {
	const struct host *host;
	vm_index_cb *cb;
	void *data;
	bool listening;
	struct entry **entries; /* in the order of their UUIDs */
	size_t count;
	size_t room;
	char *views[VIEWS_MAX];
	size_t next_view;
	struct vm_fields columns;
	struct jv *unreadable; /* an object: UUID -> true */
};

struct vm_index *vm_index_new(const struct host *h, vm_index_cb *cb, void *data)
{
	struct vm_index *ix = xcalloc(1, sizeof(*ix));

	*ix = (struct vm_index){ .host = h, .cb = cb, .data = data, .next_view = 1 };
	ix->views[0] = xstrdup(VIEW_LIST);
	ix->unreadable = jv_object();
	if (vm_fields_parse_order(VM_LIST_COLUMNS, &ix->columns, NULL) < 0)
		abort();
	return ix;
}

static void forget_views(struct entry *en)
{
	for (size_t i = 0; i < VIEWS_MAX; i++) {
		free(en->views[i]);
		en->views[i] = NULL;
	}
}

static void entry_free(struct entry *en)
{
	forget_views(en);
	free(en->text);
	free(en->row);
	free(en);
}

void vm_index_free(struct vm_index *ix)
{
	if (!ix)
		return;
	for (size_t i = 0; i < ix->count; i++)
		entry_free(ix->entries[i]);
	free(ix->entries);
	for (size_t i = 0; i < VIEWS_MAX; i++)
		free(ix->views[i]);
	vm_fields_done(&ix->columns);
	jv_unref(ix->unreadable);
	free(ix);
}

void vm_index_set_listening(struct vm_index *ix, bool on)
{
	ix->listening = on;
}

/* The place of UUID, or where it would be. */
static size_t place_of(const struct vm_index *ix, const char *uuid, bool *ret_there)
{
	size_t low = 0, high = ix->count;

	*ret_there = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(uuid, ix->entries[middle]->uuid);

		if (order == 0) {
			*ret_there = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct entry *find(const struct vm_index *ix, const char *uuid)
{
	bool there;
	size_t place = place_of(ix, uuid, &there);

	return there ? ix->entries[place] : NULL;
}

static struct entry *add(struct vm_index *ix, const char *uuid)
{
	struct entry *en = xcalloc(1, sizeof(*en));
	bool there;
	size_t place = place_of(ix, uuid, &there);

	if (ix->count == ix->room) {
		ix->room = ix->room ? ix->room * 2 : 64;
		ix->entries = xrealloc_array(ix->entries, ix->room, sizeof(struct entry *));
	}
	memmove(ix->entries + place + 1, ix->entries + place,
		(ix->count - place) * sizeof(struct entry *));
	memcpy(en->uuid, uuid, UUID_LEN);
	ix->entries[place] = en;
	ix->count++;
	return en;
}

static void drop(struct vm_index *ix, const char *uuid)
{
	bool there;
	size_t place = place_of(ix, uuid, &there);

	if (!there)
		return;
	entry_free(ix->entries[place]);
	ix->count--;
	memmove(ix->entries + place, ix->entries + place + 1,
		(ix->count - place) * sizeof(struct entry *));
}

/* Tell that UUID turned from TEXT (NULL: nothing) into VM (NULL: nothing). */
static void tell(struct vm_index *ix, const char *uuid, const char *text, size_t len,
		 struct jv *vm)
{
	cleanup_jv struct jv *before = NULL, *event = NULL;

	if (!ix->listening) {
		ix->cb(ix->data, NULL);
		return;
	}
	if (text && jv_parse(text, len, "index", &before, NULL) < 0)
		return;
	event = vm_event_new(uuid, before, vm);
	if (event)
		ix->cb(ix->data, event);
}

static void remove_vm(struct vm_index *ix, struct entry *en)
{
	char uuid[UUID_STR];

	(void)jv_del(ix->unreadable, en->uuid);
	memcpy(uuid, en->uuid, sizeof(uuid));
	tell(ix, uuid, en->text, en->len, NULL);
	drop(ix, uuid);
}

/* VM has been written down: it may get what only lists show. */
static void set_row(struct vm_index *ix, struct entry *en, struct jv *vm)
{
	cleanup_buf struct buf row = BUF_INIT;

	vm_object_add_computed(vm);
	vm_rows_add(&row, vm, &ix->columns, false);
	free(en->row);
	en->row = xstrndup(buf_str(&row), row.len);
	en->ram = jv_get_int(vm, "ram", INT64_MAX);
}

static void replace(struct vm_index *ix, const char *uuid, struct entry *en, struct jv *vm)
{
	char *text = jv_dump(vm, 0);

	if (en && strcmp(en->text, text) == 0) {
		free(text);
		return;
	}
	tell(ix, uuid, en ? en->text : NULL, en ? en->len : 0, vm);
	if (!en)
		en = add(ix, uuid);
	forget_views(en);
	free(en->text);
	en->text = text;
	en->len = strlen(text);
	set_row(ix, en, vm);
}

void vm_index_touch(struct vm_index *ix, const char *uuid)
{
	struct entry *en = find(ix, uuid);
	cleanup_jv struct jv *vm = NULL;
	int r;

	r = vm_object_load(ix->host, uuid, &vm, NULL);
	if (r == -ENOENT) {
		(void)jv_del(ix->unreadable, uuid);
		if (en)
			remove_vm(ix, en);
		return;
	}
	/* What it was stays for those who listen; who asks for lists reads the files. */
	if (r < 0) {
		jv_set(ix->unreadable, uuid, jv_bool(true));
		return;
	}
	(void)jv_del(ix->unreadable, uuid);
	replace(ix, uuid, en, vm);
}

static void drop_unseen(struct vm_index *ix)
{
	for (size_t i = ix->count; i-- > 0;)
		if (!ix->entries[i]->seen)
			remove_vm(ix, ix->entries[i]);
}

static const char *view_of(struct vm_index *ix, struct entry *en, size_t view);

int vm_index_load(struct vm_index *ix, struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count;
	int r = record_list(ix->host, &uuids, &count, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ix->count; i++)
		ix->entries[i]->seen = false;
	jv_unref(ix->unreadable);
	ix->unreadable = jv_object();
	for (size_t i = 0; i < count; i++) {
		struct entry *en;

		vm_index_touch(ix, uuids[i]);
		en = find(ix, uuids[i]);
		if (en) {
			en->seen = true;
			(void)view_of(ix, en, 0);
		}
	}
	drop_unseen(ix);
	/* Reading took many objects that are gone now. */
	(void)malloc_trim(0);
	return 0;
}

size_t vm_index_count(const struct vm_index *ix)
{
	return ix->count;
}

size_t vm_index_unreadable(const struct vm_index *ix)
{
	return jv_len(ix->unreadable);
}

const char *vm_index_get(const struct vm_index *ix, const char *uuid, size_t *ret_len)
{
	const struct entry *en = find(ix, uuid);

	if (!en)
		return NULL;
	*ret_len = en->len;
	return en->text;
}

static int by_ram(const void *pa, const void *pb)
{
	const struct entry *a = *(struct entry *const *)pa, *b = *(struct entry *const *)pb;

	if (a->ram != b->ram)
		return a->ram < b->ram ? -1 : 1;
	return strcmp(a->uuid, b->uuid);
}

void vm_index_rows(const struct vm_index *ix, struct buf *out)
{
	cleanup_free struct entry **sorted = xcalloc(ix->count + 1, sizeof(*sorted));

	if (ix->count)
		memcpy(sorted, ix->entries, ix->count * sizeof(*sorted));
	qsort(sorted, ix->count, sizeof(*sorted), by_ram);
	for (size_t i = 0; i < ix->count; i++)
		buf_adds(out, sorted[i]->row);
}

/* ---- views ------------------------------------------------------------------- */

static size_t find_view(struct vm_index *ix, const char *members)
{
	size_t view;

	for (view = 0; view < VIEWS_MAX; view++)
		if (ix->views[view] && strcmp(ix->views[view], members) == 0)
			return view;
	view = ix->next_view;
	ix->next_view = view + 1 < VIEWS_MAX ? view + 1 : 1;
	free(ix->views[view]);
	ix->views[view] = xstrdup(members);
	for (size_t i = 0; i < ix->count; i++) {
		free(ix->entries[i]->views[view]);
		ix->entries[i]->views[view] = NULL;
	}
	return view;
}

static bool is_member(const void *data, const char *name, size_t len)
{
	const char *members = data;

	if (len == 1 && *name == 'v')
		return true;
	for (const char *p = members; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == len && memcmp(p, name, len) == 0)
			return true;
		p += n;
	}
	return false;
}

static const char *view_of(struct vm_index *ix, struct entry *en, size_t view)
{
	cleanup_buf struct buf few = BUF_INIT;

	if (en->views[view])
		return en->views[view];
	/* It is text of our own making: it has the shape. */
	if (!jv_skim(en->text, en->len, is_member, ix->views[view], &few))
		return en->text;
	en->views[view] = xstrndup(buf_str(&few), few.len);
	return en->views[view];
}

void vm_index_dump(struct vm_index *ix, const char *members, struct buf *out)
{
	size_t view = members ? find_view(ix, members) : 0;

	buf_addc(out, '[');
	for (size_t i = 0; i < ix->count; i++) {
		struct entry *en = ix->entries[i];

		if (i)
			buf_addc(out, ',');
		if (members)
			buf_adds(out, view_of(ix, en, view));
		else
			buf_add(out, en->text, en->len);
	}
	buf_addc(out, ']');
}
