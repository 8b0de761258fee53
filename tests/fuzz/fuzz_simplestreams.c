/* SPDX-License-Identifier: MIT */
/*
 * fuzz_simplestreams.c - whatever an index or a list of products is, it is refused with a
 * reason, or its images have a uuid, a place below the server's, and a hash.
 */
#include "libsource/simplestreams.h"

#include "base/jv.h"
#include "base/uuid.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define BASE "http://server"

static void check_image(const struct jv *image)
{
	const struct jv *m = jv_get(image, "manifest");
	const char *url = jv_get_string(jv_at(jv_get(image, "files"), 0), "url");
	const char *hash = jv_get_string(jv_at(jv_get(m, "files"), 0), "sha256");
	const char *uuid = jv_get_string(m, "uuid");

	if (!uuid || !uuid_is_valid(uuid) || !url ||
	    strncmp(url, BASE "/", sizeof(BASE)) != 0 || strstr(url, "..") || !hash ||
	    strlen(hash) != 64)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_jv struct jv *paths = NULL, *images = jv_array();
	struct err e = { 0 };
	int r = simplestreams_read_index((const char *)data, size, &paths, &e);

	if (r < 0 && (e.code != r || !e.msg[0]))
		abort();
	for (int all = 0; all < 2; all++) {
		r = simplestreams_read_products((const char *)data, size, BASE, "amd64", all,
						images, &e);
		if (r < 0 && (e.code != r || !e.msg[0]))
			abort();
	}
	for (size_t i = 0; i < jv_len(images); i++)
		check_image(jv_at(images, i));
	if (simplestreams_find(images, "tiny/one") && jv_len(images) == 0)
		abort();
	return 0;
}
