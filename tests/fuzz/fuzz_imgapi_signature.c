/* SPDX-License-Identifier: MIT */
/*
 * fuzz_imgapi_signature.c - who strangers say that they are: the first line is a date, the
 * rest is the Authorization of a request.
 */
#include "imgapi/writers.h"

#include "fuzz.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *rest = text, *date;
	struct signature_head h;

	if (!text)
		abort();
	memcpy(text, data, size);
	date = strsep(&rest, "\n");
	if (http_date_parse(date) < -1)
		abort();
	/* A login that is believed is a plain word: it is told in the log. */
	if (rest && signature_head_parse(rest, &h)) {
		if (!*h.login || *h.login == '.')
			abort();
		for (const char *p = h.login; *p; p++)
			if (!isgraph((unsigned char)*p) || *p == '/')
				abort();
	}
	free(text);
	return 0;
}
