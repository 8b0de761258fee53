/* SPDX-License-Identifier: MIT */
/*
 * fuzz_imgapi.c - what a server answers: a list has only images that can be asked for, an
 * image is the one that was asked for, and an error is text that a terminal may get. A
 * signature that is made up is none.
 */
#include "libdigest/signature.h"
#include "libsource/imgapi.h"

#include "base/jv.h"
#include "base/uuid.h"
#include "libhttp/http.h"

#include "fuzz.h"

#include <string.h>

#define UUID "7c7a5f2e-0d0b-4a53-9a0e-aaaaaaaaaaaa"

static const char key[] = "untrusted comment: minisign public key 1\n"
			  "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";

static void check_list(const char *text, size_t len)
{
	cleanup_jv struct jv *list = NULL;
	struct err e = { 0 };

	if (imgapi_read_list(text, len, &list, &e) < 0)
		return;
	for (size_t i = 0; i < jv_len(list); i++)
		if (!uuid_is_valid(jv_get_string(jv_at(list, i), "uuid")))
			abort();
}

static void check_image(const char *text, size_t len)
{
	cleanup_jv struct jv *m = NULL;
	struct err e = { 0 };

	if (imgapi_read_image(text, len, UUID, &m, &e) == 0 &&
	    strcmp(jv_get_string(m, "uuid"), UUID) != 0)
		abort();
}

static void check_error(const char *text, size_t len)
{
	char code[IMGAPI_CODE_MAX];
	struct err e = { 0 };

	if (imgapi_read_error(text, len, 500, code, &e) >= 0 || !code[0] || !e.msg[0])
		abort();
	for (const char *p = e.msg; *p; p++)
		if ((unsigned char)*p < ' ' && strncmp(p, "\n    ", 5) != 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	cleanup_free char *copy = malloc(size + 1);
	uint64_t first, last, total;
	struct err e = { 0 };

	if (!copy)
		abort();
	memcpy(copy, data, size);
	copy[size] = '\0';
	check_list(text, size);
	check_image(text, size);
	check_error(text, size);
	(void)(imgapi_read_ping(text, size, &e) < 0);
	if (http_parse_content_range(copy, &first, &last, &total) &&
	    (first > last || last >= total))
		abort();
	if (signature_check(key, "x", 1, data, size, &e) == 0)
		abort();
	return 0;
}
