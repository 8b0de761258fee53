/* SPDX-License-Identifier: MIT */
/*
 * fuzz_manifest.c - any bytes as a manifest, in both modes; what is accepted
 * must print to something that is accepted again, and prints the same.
 */
#include "base/alloc.h"
#include "builder/manifest.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text and length of the merged manifest; NULL when it is refused. */
static char *merge(const char *text, size_t len, bool lenient, bool whole, size_t *ret_len)
{
	cleanup_manifest struct manifest m = { 0 };
	struct report r = { .lenient = lenient };
	char *copy = xmalloc(len + 1);
	char *printed = NULL;
	FILE *out;

	memcpy(copy, text, len);
	copy[len] = '\0';
	manifest_parse(&m, "m", copy, len, &r);
	manifest_merge(&m, whole, &r);
	if (r.errors > 0)
		return NULL;
	out = open_memstream(&printed, ret_len);
	assert(out);
	manifest_print(&m, out);
	(void)fclose(out);
	return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int mode = 0; mode < 4; mode++) {
		size_t len = 0;
		size_t again_len = 0;
		cleanup_free char *again = NULL;
		cleanup_free char *once =
			merge((const char *)data, size, mode & 1, mode & 2, &len);

		if (!once)
			continue;
		again = merge(once, len, false, mode & 2, &again_len);
		assert(again && len == again_len && memcmp(once, again, len) == 0);
	}
	return 0;
}
