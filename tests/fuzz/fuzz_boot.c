/* SPDX-License-Identifier: MIT */
/*
 * fuzz_boot.c - what early userspace reads: the boot options, the list of
 * modules, a digest, the start of an image, and the firmware's UUID.
 */
#include "init/identity.h"
#include "init/modules.h"
#include "init/root.h"
#include "init/verify.h"
#include "libboot/cmdline.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct cmdline c;
static struct modules m;

static void check_cmdline(const char *text, size_t size)
{
	struct err e = { 0 };
	int r = cmdline_parse(&c, text, size, &e);

	if (r < 0 && (e.code != r || e.msg[0] == '\0'))
		abort();
	if (r < 0)
		return;
	for (size_t i = 0; i < c.count; i++) {
		/* Another of the same name may come later; one of them is found. */
		if (!cmdline_get(&c, c.words[i].name))
			abort();
		(void)cmdline_is_true(&c, c.words[i].name);
	}
}

static void check_modules(const char *text, size_t size)
{
	struct err e = { 0 };
	int r = modules_parse(&m, text, size, "input", &e);

	if (r < 0 && (e.code != r || strncmp(e.msg, "input:", 6) != 0))
		abort();
	for (size_t i = 0; r == 0 && i < m.count; i++) {
		if (strchr(m.names[i], '/') || strlen(m.names[i]) < 4)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	unsigned char hash[VERIFY_HASH_LEN];
	char hex[2 * VERIFY_HASH_LEN + 1], id[IDENTITY_LEN + 1];
	enum root_type type;

	check_cmdline(text, size);
	check_modules(text, size);
	if (verify_parse_hash(text, size, "input", hash, NULL) == 0) {
		verify_hash_to_hex(hash, hex);
		if (strncasecmp(hex, text, sizeof(hex) - 1) != 0)
			abort();
	}
	if (root_detect(data, size, &type, NULL) == 0 && !root_type_to_string(type))
		abort();
	if (identity_from_uuid(text, size, id) && strlen(id) != IDENTITY_LEN)
		abort();
	return 0;
}
