/* SPDX-License-Identifier: MIT */
/*
 * fuzz_record.c - what is skimmed of a record is what the parser sees of it.
 */
#include "base/jv.h"
#include "base/jv_skim.h"

#include "fuzz.h"

#include <string.h>

/* Every other name, by its length, so that both ways are gone. */
static bool wanted(const void *data, const char *name, size_t len)
{
	(void)data;
	(void)name;
	return len % 2;
}

static bool has_escaped_key(const uint8_t *data, size_t size)
{
	return memchr(data, '\\', size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_jv struct jv *whole = NULL, *few = NULL;
	cleanup_buf struct buf out = BUF_INIT;
	bool skimmed = jv_skim((const char *)data, size, wanted, NULL, &out);

	if (jv_parse((const char *)data, size, "input", &whole, NULL) < 0 ||
	    jv_type(whole) != JV_OBJECT)
		return 0;
	/* It is an object: so the skim must have seen one, and the same members in it. */
	if (!skimmed || jv_parse(buf_str(&out), out.len, "skimmed", &few, NULL) < 0)
		abort();
	for (void *it = jv_iter(few); it; it = jv_iter_next(few, it))
		if (!jv_equal(jv_iter_value(it), jv_get(whole, jv_iter_key(it))))
			abort();
	if (has_escaped_key(data, size))
		return 0;
	for (void *it = jv_iter(whole); it; it = jv_iter_next(whole, it))
		if (strlen(jv_iter_key(it)) % 2 != !!jv_get(few, jv_iter_key(it)))
			abort();
	return 0;
}
