/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *check(void *p)
{
	static const char text[] = "out of memory\n";

	if (p)
		return p;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *xmalloc(size_t size)
{
	return check(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc_array(void *p, size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return check(reallocarray(p, count, size));
}

char *xstrdup(const char *s)
{
	return s ? check(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t max)
{
	return s ? check(strndup(s, max)) : NULL;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *text = NULL;
	int len = vasprintf(&text, fmt, ap);

	return check(len < 0 ? NULL : text);
}

char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}
