/* SPDX-License-Identifier: MIT */
/*
 * fuzz_image_manifest.c - a manifest that is taken has what everybody relies on,
 * and is taken again as it is stored; one that is not leaves a printable line.
 */
#include "libimg/install.h"
#include "libmanifest/manifest.h"

#include "base/jv.h"
#include "base/uuid.h"

#include "fuzz.h"

#include <string.h>

static void check_message(const struct err *e, int code)
{
	if (e->code != code || !e->msg[0])
		abort();
	for (const char *c = e->msg; *c; c++)
		if ((unsigned char)*c < ' ')
			abort();
}

static void check_again(const struct jv *m)
{
	cleanup_free char *text = jv_dump(m, 2);
	cleanup_jv struct jv *again = NULL;

	if (manifest_parse(text, strlen(text), "again", &again, NULL) < 0 ||
	    !jv_equal(m, again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest_problems problems;
	cleanup_jv struct jv *m = NULL;
	struct err e = { 0 };
	int r = manifest_parse((const char *)data, size, "input", &m, &e);

	if (r < 0) {
		check_message(&e, r);
		return 0;
	}
	if (!uuid_is_valid(jv_get_string(m, "uuid")) || !jv_get(m, "name") ||
	    !jv_get(m, "type"))
		abort();
	check_again(m);
	for (int mode = MANIFEST_MINIMAL; mode <= MANIFEST_PRIVATE; mode++)
		(void)manifest_check(m, (enum manifest_mode)mode, &problems);
	r = image_check_installable(m, &e);
	if (r < 0)
		check_message(&e, r);
	return 0;
}
