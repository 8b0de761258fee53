/* SPDX-License-Identifier: MIT */
#include "libpayload/problems.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024

void problems_done(struct problems *ps)
{
	for (size_t i = 0; i < ps->count; i++) {
		free(ps->items[i].name);
		free(ps->items[i].pointer);
		free(ps->items[i].text);
	}
	free(ps->items);
	*ps = (struct problems){ 0 };
}

/* Payloads come from anywhere, terminals obey control characters. */
static char *printable(const char *text)
{
	char *copy = xstrndup(text, TEXT_MAX);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return copy;
}

void problems_add(struct problems *ps, enum problem_kind kind, const char *name,
		  const char *pointer, const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct problem *p;
	va_list ap;

	if (ps->count == PROBLEMS_MAX) {
		ps->more = true;
		return;
	}
	if (ps->count == 0)
		ps->items = xcalloc(PROBLEMS_MAX, sizeof(*ps->items));
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	p = &ps->items[ps->count++];
	p->kind = kind;
	p->name = printable(name);
	p->pointer = printable(pointer);
	p->text = printable(text);
}

static bool refuses(const struct problem *p)
{
	return p->kind == PROBLEM_VALUE || p->kind == PROBLEM_MISSING ||
	       p->kind == PROBLEM_RULE;
}

bool problems_has(const struct problems *ps, enum problem_kind kind, const char *name)
{
	for (size_t i = 0; i < ps->count; i++)
		if (ps->items[i].kind == kind &&
		    (!name || strcmp(ps->items[i].name, name) == 0))
			return true;
	return false;
}

bool problems_fatal(const struct problems *ps)
{
	for (size_t i = 0; i < ps->count; i++)
		if (refuses(&ps->items[i]))
			return true;
	return false;
}

static bool seen_before(const struct problems *ps, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (ps->items[i].kind == ps->items[index].kind &&
		    strcmp(ps->items[i].name, ps->items[index].name) == 0)
			return true;
	return false;
}

char *problems_names(const struct problems *ps, enum problem_kind kind)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < ps->count; i++) {
		if (ps->items[i].kind != kind || seen_before(ps, i))
			continue;
		if (b.len)
			buf_addc(&b, ',');
		buf_adds(&b, ps->items[i].name);
	}
	return xstrdup(buf_str(&b));
}

/* The first rule that is broken; where that is an unknown NIC tag, all those that are unknown.
 */
static bool in_summary(const struct problems *ps, const struct problem *p)
{
	const struct problem *first = NULL;

	if (p->kind != PROBLEM_RULE || problems_has(ps, PROBLEM_VALUE, NULL) ||
	    problems_has(ps, PROBLEM_MISSING, NULL))
		return false;
	for (size_t i = 0; i < ps->count && !first; i++)
		if (ps->items[i].kind == PROBLEM_RULE)
			first = &ps->items[i];
	if (p == first)
		return true;
	return first && strcmp(first->name, "nic_tag") == 0 && strcmp(p->name, "nic_tag") == 0;
}

char *problems_summary(const struct problems *ps)
{
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_free char *names = NULL;

	if (problems_has(ps, PROBLEM_VALUE, NULL)) {
		names = problems_names(ps, PROBLEM_VALUE);
		return xasprintf("Invalid value(s) for: %s", names);
	}
	if (problems_has(ps, PROBLEM_MISSING, NULL)) {
		names = problems_names(ps, PROBLEM_MISSING);
		return xasprintf("Missing required properties: %s", names);
	}
	for (size_t i = 0; i < ps->count; i++) {
		if (!in_summary(ps, &ps->items[i]))
			continue;
		if (b.len)
			buf_addc(&b, '\n');
		buf_adds(&b, ps->items[i].text);
	}
	return xstrdup(buf_str(&b));
}

char *problems_details(const struct problems *ps)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < ps->count; i++) {
		const struct problem *p = &ps->items[i];

		if (!refuses(p))
			continue;
		if (in_summary(ps, p)) {
			if (*p->pointer)
				buf_addf(&b, "  at %s\n", p->pointer);
		} else {
			buf_addf(&b, "  %s: %s\n", p->pointer, p->text);
		}
	}
	if (ps->more)
		buf_addf(&b, "  and more; %d are shown\n", PROBLEMS_MAX);
	return xstrdup(buf_str(&b));
}

void problems_move(struct problems *ps, size_t first, const char *from, const char *to)
{
	size_t len = strlen(from);

	for (size_t i = first; i < ps->count; i++) {
		char *old = ps->items[i].pointer;

		if (strncmp(old, from, len) != 0)
			continue;
		ps->items[i].pointer = xasprintf("%s%s", to, old + len);
		free(old);
	}
}
