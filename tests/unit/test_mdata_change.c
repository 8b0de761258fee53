/* SPDX-License-Identifier: MIT */
#include "base/jv.h"
#include "libmdata/bucket.h"
#include "libmdata/channel.h"
#include "libmdata/mdata.h"

#include "unit.h"

#include <sys/mman.h>

static struct jv *parse(const char *text)
{
	struct jv *v;

	assert_int_equal(jv_parse(text, strlen(text), "test", &v, NULL), 0);
	return v;
}

static void test_view_hides(void **state)
{
	struct jv *vm = parse("{\"alias\":\"a\",\"internal_metadata\":{\"secret\":\"s\","
			      "\"root_pw\":\"p\",\"ns:k\":\"v\",\"operator-script\":\"o\"},"
			      "\"internal_metadata_namespaces\":[\"ns\"]}");
	struct jv *view = mdata_view(vm);
	const struct jv *internal = jv_get(view, "internal_metadata");

	(void)state;
	assert_string_equal(jv_get_string(view, "alias"), "a");
	assert_int_equal(jv_len(internal), 3);
	assert_null(jv_get(internal, "secret"));
	assert_string_equal(jv_get_string(internal, "operator-script"), "o");
	/* What it was made of is what it was. */
	assert_int_equal(jv_len(jv_get(vm, "internal_metadata")), 4);
	jv_unref(view);
	jv_unref(vm);
}

static void test_change_says_whether(void **state)
{
	struct jv *vm = parse("{}");
	bool changed = false;

	(void)state;
	assert_int_equal(mdata_change(vm, "k", NULL, &changed, NULL), 0);
	assert_false(changed);
	assert_int_equal(mdata_change(vm, "k", "v", &changed, NULL), 0);
	assert_true(changed);
	assert_int_equal(mdata_change(vm, "k", "v", &changed, NULL), 0);
	assert_false(changed);
	assert_int_equal(mdata_change(vm, "k", NULL, &changed, NULL), 0);
	assert_true(changed);
	assert_int_equal(mdata_change(vm, "sdc:k", "v", &changed, NULL), -EPERM);
	jv_unref(vm);
}

static void test_change_is_bounded(void **state)
{
	struct jv *vm = parse("{}");
	char *key = calloc(1, MDATA_KEY_MAX + 2), *value = calloc(1, MDATA_VALUE_MAX + 2);
	bool changed;

	(void)state;
	memset(key, 'k', MDATA_KEY_MAX);
	memset(value, 'v', MDATA_VALUE_MAX);
	assert_int_equal(mdata_change(vm, key, value, &changed, NULL), 0);
	value[MDATA_VALUE_MAX] = 'v';
	assert_int_equal(mdata_change(vm, key, value, &changed, NULL), -EINVAL);
	key[MDATA_KEY_MAX] = 'k';
	assert_int_equal(mdata_change(vm, key, "v", &changed, NULL), -EINVAL);
	free(key);
	free(value);
	jv_unref(vm);
}

static void test_bucket(void **state)
{
	struct bucket b;

	(void)state;
	bucket_init(&b, 10, 3, 1000);
	bucket_take(&b, 2, 1000);
	assert_int_equal(bucket_wait_ms(&b, 1000), 0);
	bucket_take(&b, 1, 1000);
	assert_int_equal(bucket_wait_ms(&b, 1000), 100);
	assert_int_equal(bucket_wait_ms(&b, 1099), 1);
	assert_int_equal(bucket_wait_ms(&b, 1100), 0);
	/* In debt: what it cost was known afterwards. */
	bucket_take(&b, 5, 1100);
	assert_int_equal(bucket_wait_ms(&b, 1100), 500);
	/* Full is full, however long nobody asked. */
	assert_int_equal(bucket_wait_ms(&b, INT64_C(1) << 50), 0);
	bucket_take(&b, 3, INT64_C(1) << 50);
	assert_int_not_equal(bucket_wait_ms(&b, INT64_C(1) << 50), 0);
}

static void test_channel(void **state)
{
	int ends[2], passed = -1, file = memfd_create("test", MFD_CLOEXEC);
	char *data = calloc(1, CHANNEL_MESSAGE_MAX + 1);
	struct err e;

	(void)state;
	assert_int_equal(channel_make(ends, NULL), 0);
	assert_int_equal(channel_send(ends[0], "V", 1, file, NULL), 0);
	assert_int_equal(channel_receive(ends[1], data, CHANNEL_MESSAGE_MAX, &passed, NULL), 1);
	assert_string_equal(data, "V");
	assert_true(passed >= 0);
	/* The largest message passes; a longer one is told to be so. */
	memset(data, 'x', CHANNEL_MESSAGE_MAX);
	assert_int_equal(channel_send(ends[1], data, CHANNEL_MESSAGE_MAX - 1, -1, NULL), 0);
	assert_int_equal(channel_receive(ends[0], data, CHANNEL_MESSAGE_MAX, NULL, NULL),
			 CHANNEL_MESSAGE_MAX - 1);
	assert_int_equal(channel_send(ends[1], "long", 4, -1, NULL), 0);
	assert_int_equal(channel_receive(ends[0], data, 3, NULL, &e), -EMSGSIZE);
	(void)close(ends[1]);
	assert_int_equal(channel_receive(ends[0], data, CHANNEL_MESSAGE_MAX, NULL, &e),
			 -ECONNRESET);
	(void)close(ends[0]);
	(void)close(passed);
	(void)close(file);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view_hides),
		cmocka_unit_test(test_change_says_whether),
		cmocka_unit_test(test_change_is_bounded),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
