/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pool.c - what the host reads at boot from disks that anybody may have
 * written: a superblock, and a file with root's password.
 */
#include "platform/pool_find.h"
#include "platform/shadow.h"

#include "base/alloc.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_super(const uint8_t *data, size_t size)
{
	static unsigned char block[POOL_SUPER_LEN];
	static struct pool_found found;

	memset(block, 0, sizeof(block));
	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	memcpy(block + 0x40, "_BHRfS_M", 8);
	if (!pool_super_parse(block, &found.supers[0]) ||
	    strlen(found.supers[0].label) >= POOL_LABEL_MAX)
		abort();
	found.count = 1;
	(void)!pool_check(&found, "zones", NULL);
}

static void check_shadow(const char *text)
{
	char hash[SHADOW_HASH_MAX + 1], again[SHADOW_HASH_MAX + 1];
	cleanup_free char *changed = NULL;

	if (shadow_get_root(text, "input", hash, NULL) == 0 && !shadow_hash_is_valid(hash))
		abort();
	changed = shadow_set_root(text, "$6$new");
	if (shadow_get_root(changed, "input", again, NULL) < 0 || strcmp(again, "$6$new") != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);

	check_super(data, size);
	check_shadow(text);
	return 0;
}
