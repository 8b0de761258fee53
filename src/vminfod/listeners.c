/* SPDX-License-Identifier: MIT */
/*
 * listeners.c - who wants to be told of every change.
 *
 * Each has a queue of texts, shared between all that have it in theirs. A listener
 * with an empty queue is suspended: it costs nothing until something happens. One
 * that does not read has a queue that grows, up to a bound; then it is cut off, and
 * sees the stream end. A listener that goes away is noticed at once.
 */
#include "vminfod/vminfod.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/uuid.h"
#include "libquery/vm_event.h"
#include "libvm/vm_index.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define QUEUE_MAX   1024              /* events */
#define BYTES_MAX   ((size_t)8 << 20) /* of them; "ready" does not count */
#define BLOCK_BYTES 32768

struct text {
	unsigned int refs;
	size_t len;
	char data[];
};

struct item {
	struct item *next;
	struct text *text;
	size_t bytes; /* that count */
};

struct listener {
	struct listener *next;
	struct listeners *all;
	struct MHD_Connection *connection;
	struct event_source *hangup;
	int fd; /* MHD's */
	struct item *first, **last;
	size_t count, bytes;
	size_t offset; /* in the first text */
	bool suspended;
	bool cut; /* no more for this one */
};

struct listeners {
	struct event *loop;
	struct http_service *service;
	struct listener *first;
	size_t count;
	bool woken;
};

struct listeners *listeners_new(struct event *loop, struct http_service *service)
{
	struct listeners *ls = xcalloc(1, sizeof(*ls));

	ls->loop = loop;
	ls->service = service;
	return ls;
}

void listeners_free(struct listeners *ls)
{
	free(ls);
}

size_t listeners_count(const struct listeners *ls)
{
	return ls->count;
}

bool listeners_woken(struct listeners *ls)
{
	bool woken = ls->woken;

	ls->woken = false;
	return woken;
}

static struct text *text_new(const struct jv *event)
{
	cleanup_free char *line = jv_dump(event, 0);
	size_t len = strlen(line) + 1;
	struct text *t = xmalloc(sizeof(*t) + len);

	t->refs = 1;
	t->len = len;
	memcpy(t->data, line, len);
	t->data[len - 1] = '\n';
	return t;
}

static void text_unref(struct text *t)
{
	if (--t->refs == 0)
		free(t);
}

static void drop_first(struct listener *l)
{
	struct item *item = l->first;

	l->first = item->next;
	if (!l->first)
		l->last = &l->first;
	l->count--;
	l->bytes -= item->bytes;
	l->offset = 0;
	text_unref(item->text);
	free(item);
}

static void wake(struct listener *l)
{
	if (!l->suspended)
		return;
	l->suspended = false;
	l->all->woken = true;
	MHD_resume_connection(l->connection);
}

/* Where it is blocked in the middle of a write, only this ends it. */
static void cut_off(struct listener *l)
{
	l->cut = true;
	(void)shutdown(l->fd, SHUT_RDWR);
	wake(l);
}

static void push(struct listener *l, struct text *t, size_t bytes)
{
	struct item *item = xcalloc(1, sizeof(*item));

	item->text = t;
	item->bytes = bytes;
	t->refs++;
	*l->last = item;
	l->last = &item->next;
	l->count++;
	l->bytes += bytes;
	wake(l);
}

static void tell(struct listener *l, struct text *t)
{
	if (l->cut)
		return;
	if (l->count < QUEUE_MAX && (l->bytes == 0 || l->bytes + t->len <= BYTES_MAX)) {
		push(l, t, t->len);
		return;
	}
	log_warning("a listener does not read: ending its stream");
	cut_off(l);
}

void listeners_tell(void *listeners, const struct jv *event)
{
	struct listeners *ls = listeners;
	struct text *t;

	if (!event || !ls->first)
		return;
	t = text_new(event);
	for (struct listener *l = ls->first; l; l = l->next)
		tell(l, t);
	text_unref(t);
}

/* ---- one stream --------------------------------------------------------------- */

static ssize_t on_read(void *data, uint64_t pos ATTR_UNUSED, char *out, size_t max)
{
	struct listener *l = data;
	size_t n;

	if (l->cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!l->first) {
		l->suspended = true;
		MHD_suspend_connection(l->connection);
		return 0;
	}
	n = l->first->text->len - l->offset;
	if (n > max)
		n = max;
	memcpy(out, l->first->text->data + l->offset, n);
	l->offset += n;
	if (l->offset == l->first->text->len)
		drop_first(l);
	return (ssize_t)n;
}

static void on_free(void *data)
{
	struct listener *l = data;
	struct listener **at = &l->all->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	l->all->count--;
	if (l->all->service->index && l->all->count == 0)
		vm_index_set_listening(l->all->service->index, false);
	event_source_free(l->hangup);
	while (l->first)
		drop_first(l);
	free(l);
}

/* A suspended connection is not looked at by the library. */
static int on_hangup(void *data, uint32_t events ATTR_UNUSED)
{
	struct listener *l = data;

	event_source_free(l->hangup);
	l->hangup = NULL;
	cut_off(l);
	http_turn(l->all->service);
	return 0;
}

static struct text *ready_text(struct vm_index *ix)
{
	cleanup_jv struct jv *event = jv_object();
	cleanup_buf struct buf vms = BUF_INIT;
	char uuid[UUID_STR], date[VM_DATE_STR];

	uuid_generate_random(uuid);
	vm_date_now(date);
	vm_index_dump(ix, NULL, &vms);
	jv_set(event, "type", jv_string("ready"));
	jv_set(event, "date", jv_string(date));
	jv_set(event, "uuid", jv_string(uuid));
	jv_set(event, "vms", jv_string(buf_str(&vms)));
	return text_new(event);
}

struct MHD_Response *listeners_add(struct listeners *ls, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct listener *l;
	struct text *ready;
	struct err e;

	if (ls->count == LISTENERS_MAX || !info)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	*l = (struct listener){
		.next = ls->first,
		.all = ls,
		.connection = connection,
		.fd = info->connect_fd,
	};
	l->last = &l->first;
	ls->first = l;
	ls->count++;
	vm_index_set_listening(ls->service->index, true);
	(void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	if (event_add_io(ls->loop, l->fd, EPOLLRDHUP, on_hangup, l, &l->hangup, &e) < 0)
		log_warning("%s", e.msg);
	ready = ready_text(ls->service->index);
	push(l, ready, 0);
	text_unref(ready);
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, l,
						 on_free);
}

void listeners_end(struct listeners *ls)
{
	for (struct listener *l = ls->first; l; l = l->next)
		cut_off(l);
}
