/* SPDX-License-Identifier: MIT */
#include "builder/report.h"

#include <stdarg.h>

static void ATTR_PRINTF(4, 0) print(const struct report *r, struct place at, const char *prefix,
				    const char *fmt, va_list ap)
{
	fprintf(r->out, "%s:", at.file);
	if (at.line)
		fprintf(r->out, "%u:", at.line);
	if (at.column)
		fprintf(r->out, "%u:", at.column);
	fprintf(r->out, " %s", prefix);
	vfprintf(r->out, fmt, ap);
	fputc('\n', r->out);
}

void report_error(struct report *r, struct place at, const char *fmt, ...)
{
	va_list ap;

	if (r->errors++ >= REPORT_ERRORS_SHOWN || !r->out)
		return;
	va_start(ap, fmt);
	print(r, at, "", fmt, ap);
	va_end(ap);
}

void report_warning(struct report *r, struct place at, const char *fmt, ...)
{
	va_list ap;

	r->warnings++;
	if (!r->out)
		return;
	va_start(ap, fmt);
	print(r, at, "warning: ", fmt, ap);
	va_end(ap);
}
