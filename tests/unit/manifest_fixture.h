/* SPDX-License-Identifier: MIT */
/*
 * manifest_fixture.h - manifests from strings, for the tests of the builder.
 */
#pragma once

#include "base/alloc.h"
#include "builder/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* A manifest, what is said about it, and what it prints. */
struct sheet {
	struct manifest m;
	struct report r;
	char *said;
	char *printed;
	size_t said_size;
};

static inline void sheet_init(struct sheet *s, bool lenient)
{
	memset(s, 0, sizeof(*s));
	s->r.out = open_memstream(&s->said, &s->said_size);
	s->r.lenient = lenient;
	assert_non_null(s->r.out);
}

/* As if FILE held TEXT. The copy has no byte to spare, so that the sanitizer sees a step too
 * far. */
static inline void sheet_parse(struct sheet *s, const char *file, const char *text)
{
	manifest_parse(&s->m, file, xstrdup(text), strlen(text), &s->r);
}

static inline const char *sheet_said(struct sheet *s)
{
	(void)fflush(s->r.out);
	return s->said;
}

static inline const char *sheet_printed(struct sheet *s)
{
	size_t size;
	FILE *out;

	free(s->printed);
	out = open_memstream(&s->printed, &size);
	assert_non_null(out);
	manifest_print(&s->m, out);
	(void)fclose(out);
	return s->printed;
}

static inline void sheet_done(struct sheet *s)
{
	(void)fclose(s->r.out);
	free(s->said);
	free(s->printed);
	manifest_done(&s->m);
}
