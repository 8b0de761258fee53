/* SPDX-License-Identifier: MIT */
#include "libquery/vm_event.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libquery/vm_diff.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ALIAS_MAX  30 /* characters; of a longer one are shown */
#define ALIAS_KEPT 27 /* these, and "..." */
#define ZONE_KEPT  8

void vm_date(const struct timespec *t, char ret[static VM_DATE_STR])
{
	char second[48];
	struct tm tm;

	(void)gmtime_r(&t->tv_sec, &tm);
	(void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret, VM_DATE_STR, "%.19s.%03uZ", second,
		       (unsigned int)(t->tv_nsec / 1000000) % 1000);
}

void vm_date_now(char ret[static VM_DATE_STR])
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	vm_date(&t, ret);
}

struct jv *vm_event_new(const char *uuid, const struct jv *before, struct jv *after)
{
	cleanup_jv struct jv *changes = before && after ? vm_diff(before, after) : NULL;
	char date[VM_DATE_STR];
	struct jv *event;

	if ((!before && !after) || (changes && jv_len(changes) == 0))
		return NULL;
	event = jv_object();
	vm_date_now(date);
	jv_set(event, "type", jv_string(!before ? "create" : !after ? "delete" : "modify"));
	jv_set(event, "date", jv_string(date));
	jv_set(event, "zonename", jv_string(uuid));
	jv_set(event, "uuid", jv_string(uuid));
	if (after)
		jv_set(event, "vm", jv_ref(after));
	if (changes)
		jv_set(event, "changes", take_ptr(changes));
	return event;
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

/* Aliases may be in any script: characters are counted, not bytes. */
static size_t bytes_of(const char *text, size_t characters)
{
	size_t i = 0;

	for (; text[i]; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && characters-- == 0)
			break;
	return i;
}

static void add_alias(struct buf *out, const char *alias)
{
	size_t most = bytes_of(alias, ALIAS_MAX);

	if (!alias[most])
		buf_adds(out, alias);
	else
		buf_addf(out, "%.*s...", (int)bytes_of(alias, ALIAS_KEPT), alias);
}

/* "2026-01-02T03:04:05.678Z" or "03:04:05.678Z" */
static const char *shown_date(const struct jv *event, bool full)
{
	const char *date = or_dash(jv_get_string(event, "date"));
	const char *time = strchr(date, 'T');

	return full || !time ? date : time + 1;
}

/* The event is text from a payload in part, and neither a terminal nor a reader obeys that. */
static void disarm(struct buf *out, size_t from)
{
	for (size_t i = from; i < out->len; i++)
		if (iscntrl((unsigned char)out->data[i]))
			out->data[i] = '?';
}

static void add_base(const struct jv *event, bool full, struct buf *out)
{
	const char *zone = or_dash(jv_get_string(event, "zonename"));

	buf_addf(out, "[%s] %.*s ", shown_date(event, full),
		 full ? (int)strlen(zone) : ZONE_KEPT, zone);
	add_alias(out, or_dash(jv_get_string(jv_get(event, "vm"), "alias")));
	buf_addf(out, " %s", or_dash(jv_get_string(event, "type")));
}

static char *value_text(const struct jv *change, const char *name)
{
	const struct jv *value = jv_get(change, name);

	return value ? jv_dump(value, 0) : xstrdup("null");
}

static void add_change(const struct jv *change, struct buf *out)
{
	cleanup_free char *before = value_text(change, "oldValue");
	cleanup_free char *after = value_text(change, "newValue");

	buf_addf(out, ": %s %s :: ", or_dash(jv_get_string(change, "prettyPath")),
		 or_dash(jv_get_string(change, "action")));
	buf_adds(out, before);
	buf_adds(out, " -> ");
	buf_adds(out, after);
}

static void end_line(struct buf *out, size_t from)
{
	disarm(out, from);
	buf_addc(out, '\n');
}

void vm_event_text(const struct jv *event, bool full, struct buf *out)
{
	const struct jv *changes = jv_get(event, "changes");
	const char *type = or_dash(jv_get_string(event, "type"));
	size_t from = out->len;

	if (strcmp(type, "ready") == 0) {
		buf_addf(out, "[%s] ready", shown_date(event, full));
		if (full)
			buf_addf(out, " (uuid %s)", or_dash(jv_get_string(event, "uuid")));
		end_line(out, from);
		return;
	}
	for (size_t i = 0; i < jv_len(changes); i++) {
		from = out->len;
		add_base(event, full, out);
		add_change(jv_at(changes, i), out);
		end_line(out, from);
	}
	if (jv_len(changes))
		return;
	add_base(event, full, out);
	end_line(out, from);
}
