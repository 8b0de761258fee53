/* SPDX-License-Identifier: MIT */
/*
 * fuzz_mdata.c - lines of a guest. Whatever they are, the object stays one, hidden
 * metadata stays hidden, and an answer ends with a newline.
 */
#include "base/jv.h"
#include "libmdata/mdata.h"

#include "fuzz.h"

#include <string.h>

static const char object[] =
	"{\"alias\":\"a\",\"nics\":[{\"mac\":\"02:00:00:00:00:01\",\"ips\":[\"192.0.2.7/24\"]}],"
	"\"routes\":{\"10.0.0.0/8\":\"nics[0]\"},\"tags\":{\"t\":1},"
	"\"customer_metadata\":{\"k\":\".v\"},\"internal_metadata\":{\"a_pw\":\"p\","
	"\"hidden\":\"DO-NOT-TELL\"},\"internal_metadata_namespaces\":[\"ns\"]}";

static const struct jv *vm_of(void *data, struct err *e)
{
	(void)e;
	return data;
}

static int change(void *data, const char *key, const char *value, struct err *e)
{
	bool changed;

	return mdata_change(data, key, value, &changed, e);
}

static void check(const struct jv *vm, const struct buf *out)
{
	const struct jv *internal = jv_get(vm, "internal_metadata");

	if (strcmp(jv_get_string(internal, "hidden"), "DO-NOT-TELL") != 0)
		abort();
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		abort();
	if (out->len > 0 && strstr(out->data, "DO-NOT-TELL"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct mdata_source source = { .vm = vm_of, .change = change };
	cleanup_jv struct jv *vm = NULL;

	if (jv_parse(object, sizeof(object) - 1, "fuzz", &vm, NULL) < 0)
		abort();
	source.data = vm;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		cleanup_buf struct buf out = BUF_INIT;
		size_t len = (size_t)((newline ? newline : end) - at);

		(void)mdata_answer(&source, at, len, &out);
		check(vm, &out);
		at += len + 1;
	}
	return 0;
}
