/* SPDX-License-Identifier: MIT */
/*
 * fuzz_mdata_frame.c - what is inside frames: the sum in front of one keeps a fuzzer
 * from getting there. "VERB PAYLOAD" is put into a good frame; so is a pair of words.
 * And base64 of anything comes back as what it was.
 */
#include "base/jv.h"
#include "libmdata/base64.h"
#include "libmdata/mdata.h"

#include "fuzz.h"

#include <string.h>

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

static void ask(struct jv *vm, const char *body, size_t len)
{
	const struct mdata_source source = { .data = vm, .vm = vm_of, .change = change };
	cleanup_buf struct buf line = BUF_INIT, out = BUF_INIT;

	buf_addf(&line, "V2 %zu %08x ", len, crc32_ieee(body, len));
	buf_add(&line, body, len);
	(void)mdata_answer(&source, line.data, line.len, &out);
	if (out.len > 0 && (out.data[out.len - 1] != '\n' || strncmp(out.data, "V2 ", 3) != 0))
		abort();
}

static void ask_put(struct jv *vm, const uint8_t *data, size_t size)
{
	cleanup_buf struct buf pair = BUF_INIT, body = BUF_INIT;
	size_t half = size / 2;

	base64_encode(&pair, data, half);
	buf_addc(&pair, ' ');
	base64_encode(&pair, data + half, size - half);
	buf_adds(&body, "0badcafe PUT ");
	base64_encode(&body, pair.data, pair.len);
	ask(vm, body.data, body.len);
}

static void round_trip(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf text = BUF_INIT, back = BUF_INIT, any = BUF_INIT;

	base64_encode(&text, data, size);
	base64_decode(&back, buf_str(&text), text.len);
	if (back.len != size || (size > 0 && memcmp(back.data, data, size) != 0))
		abort();
	base64_decode(&any, (const char *)data, size);
	if (any.len > size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char object[] = "{\"internal_metadata_namespaces\":[\"ns\"]}";
	cleanup_buf struct buf body = BUF_INIT;
	cleanup_jv struct jv *vm = NULL;

	if (jv_parse(object, sizeof(object) - 1, "fuzz", &vm, NULL) < 0)
		abort();
	buf_adds(&body, "0badcafe ");
	buf_add(&body, data, size);
	ask(vm, body.data, body.len);
	ask_put(vm, data, size);
	round_trip(data, size);
	return 0;
}
