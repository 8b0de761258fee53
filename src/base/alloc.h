/* SPDX-License-Identifier: MIT */
/*
 * alloc.h - memory that is there, or the program is not.
 *
 * Running out of memory aborts. Whatever a user, a guest or a network can grow
 * is bounded before it reaches one of these.
 */
#pragma once

#include "base/macro.h"

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc_array(void *p, size_t count, size_t size); /* aborts on overflow as well */
char *xstrdup(const char *s);                             /* NULL gives NULL */
char *xstrndup(const char *s, size_t max);
char *xasprintf(const char *fmt, ...) ATTR_PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list ap) ATTR_PRINTF(1, 0);
