/* SPDX-License-Identifier: MIT */
/*
 * fuzz_imgapi_query.c - what strangers ask the server of images: the input's lines are a
 * range, tags, then "KEY=VALUE" parameters.
 */
#include "base/jv.h"
#include "imgapi/query.h"
#include "imgapi/range.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] =
	"{\"uuid\":\"00000001-1111-4222-8333-444444444444\",\"name\":\"a\","
	"\"state\":\"active\",\"published_at\":\"2026-01-01\","
	"\"tags\":{\"n\":7},\"channels\":[\"dev\"]}";

static void check_range(const char *text)
{
	uint64_t from = 0, len = 0;

	if (range_parse(text, 1000, &from, &len) == RANGE_PART &&
	    (len == 0 || from >= 1000 || len > 1000 - from))
		abort();
}

static void check_query(char *rest)
{
	struct jv *m = NULL, *list = NULL;
	struct query q;
	struct err e = { 0 };
	char *line;
	int r = 0;

	if (jv_parse(sample, sizeof(sample) - 1, "sample", &m, NULL) < 0)
		abort();
	query_init(&q);
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (value)
			*value++ = '\0';
		r = query_add(&q, line, value, &e);
	}
	if (r == 0)
		r = query_run(&q, &m, 1, &list, &e);
	if (r < 0 ? r != -EINVAL || !*e.msg || !*q.wrong : jv_len(list) > 1)
		abort();
	jv_unref(list);
	jv_unref(m);
	query_done(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text, *line;

	if (!text)
		abort();
	line = strsep(&rest, "\n");
	check_range(line);
	line = strsep(&rest, "\n");
	if (line)
		(void)range_tag_is_in(line, "ab", true);
	if (rest)
		check_query(rest);
	free(text);
	return 0;
}
