/* SPDX-License-Identifier: MIT */
/*
 * fuzz_jv.c - whatever parses comes back the same when printed and parsed again,
 * and what does not parse leaves a message of one printable line.
 */
#include "base/jv.h"

#include "fuzz.h"

#include <string.h>

static void check_round_trip(const struct jv *v, int indent)
{
	cleanup_free char *text = jv_dump(v, indent);
	cleanup_jv struct jv *again = NULL;

	if (jv_parse(text, strlen(text), "again", &again, NULL) < 0 || !jv_equal(v, again))
		abort();
}

static void check_message(const struct err *e)
{
	if (e->code != -EINVAL || strncmp(e->msg, "input:", 6) != 0)
		abort();
	for (const char *c = e->msg; *c; c++)
		if ((unsigned char)*c < ' ')
			abort();
}

static void walk(const struct jv *v)
{
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it))
		if (!jv_string_is_valid(jv_iter_key(it)))
			abort();
	for (size_t i = 0; jv_type(v) == JV_ARRAY && i < jv_len(v); i++)
		if (!jv_at(v, i))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_jv struct jv *copy = NULL;
	cleanup_jv struct jv *v = NULL;
	struct err e = { 0 };

	if (jv_parse((const char *)data, size, "input", &v, &e) < 0) {
		check_message(&e);
		return 0;
	}
	walk(v);
	check_round_trip(v, 0);
	check_round_trip(v, 2);
	copy = jv_copy(v);
	if (!jv_equal(v, copy))
		abort();
	return 0;
}
