/* SPDX-License-Identifier: MIT */
#include "libsource/source_ops.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct source_ops *const source_types[] = {
	&source_imgapi_ops,
	&source_docker_ops,
	&source_oci_ops,
	&source_simplestreams_ops,
	NULL,
};

const struct source_ops *source_type(const char *name)
{
	for (size_t i = 0; source_types[i]; i++)
		if (strcmp(source_types[i]->type, name) == 0)
			return source_types[i];
	return NULL;
}

char *source_type_names(void)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; source_types[i]; i++)
		buf_addf(&b, "%s%s", i ? ", " : "", source_types[i]->type);
	return buf_take(&b);
}

int source_fail(struct source_call *call, const char *code, int result, struct err *e,
		const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(call->code, sizeof(call->code), "%s", code);
	return err_set(e, result, "%s", text);
}
