/* SPDX-License-Identifier: MIT */
#include "libvm/frames.h"

#include "base/jv.h"
#include "libvm/transfer.h"

#include "unit.h"

#include <sys/mman.h>

#define ID "6c6c6c6c-0000-4000-8000-000000000001"

static int write_stream(void)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	cleanup_frames struct frames *f = frames_writer(fd);
	cleanup_jv struct jv *head = jv_object();
	struct err e = { 0 };

	jv_set(head, "id", jv_string(ID));
	assert_int_equal(frames_put_json(f, FRAME_HEAD, head, &e), 0);
	assert_int_equal(frames_put(f, FRAME_DATA, "some bytes", 10, &e), 0);
	assert_int_equal(frames_put_tail(f, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), (off_t)frames_bytes(f));
	return fd;
}

/* The result of reading FD to its TAIL, or to what is wrong. */
static int read_stream(int fd, struct err *e)
{
	cleanup_frames struct frames *f = frames_reader(fd);
	enum frame_kind kind = FRAME_HEAD;
	const uint8_t *data;
	size_t len;
	int r = 0;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while (r == 0 && kind != FRAME_TAIL)
		r = frames_get(f, &kind, &data, &len, e);
	return r;
}

static void what_is_written_can_be_read(void **state ATTR_UNUSED)
{
	cleanup_close int fd = write_stream();
	struct err e = { 0 };

	assert_int_equal(read_stream(fd, &e), 0);
}

static void it_can_be_cut_off_nowhere(void **state ATTR_UNUSED)
{
	cleanup_close int fd = write_stream();
	off_t size = lseek(fd, 0, SEEK_END);

	for (off_t at = size - 1; at >= 0; at--) {
		struct err e = { 0 };

		assert_int_equal(ftruncate(fd, at), 0);
		assert_int_equal(read_stream(fd, &e), -EPIPE);
		assert_true(e.msg[0]);
	}
}

static void no_bit_of_it_can_change(void **state ATTR_UNUSED)
{
	cleanup_close int fd = write_stream();
	off_t size = lseek(fd, 0, SEEK_END);

	for (off_t at = 0; at < size; at++) {
		struct err e = { 0 };
		uint8_t byte;

		if (at >= 12 && at < 16)
			continue; /* kept for later, and in the sum of TAIL */
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 0x20;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_true(read_stream(fd, &e) < 0);
		assert_true(e.msg[0]);
		byte ^= 0x20;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
}

static int take_head(const char *streams, const char *from)
{
	cleanup_transfer struct transfer t = { .count = 0 };
	cleanup_jv struct jv *head = jv_object();
	struct jv *list = NULL;
	struct err e = { 0 };

	assert_int_equal(jv_parse(streams, strlen(streams), "test", &list, &e), 0);
	jv_set(head, "id", jv_string(ID));
	jv_set(head, "uuid", jv_string(ID));
	jv_set(head, "incremental_from", from ? jv_string(from) : jv_null());
	jv_set(head, "streams", list);
	return transfer_from_json(head, &t, &e);
}

static void a_plan_is_checked_word_by_word(void **state ATTR_UNUSED)
{
#define NOW "{\"fs\":\"root\",\"snapshot\":null}"
	static const char *const bad[] = {
		"[]",
		"{}",
		"[{\"fs\":\"root\",\"snapshot\":\"a\"}]",
		"[{\"fs\":\"boot\"}," NOW "]",
		"[{\"fs\":\"root\",\"snapshot\":\"..\"}," NOW "]",
		"[{\"fs\":\"root\",\"snapshot\":\"a/b\"}," NOW "]",
		"[{\"fs\":\"root\",\"snapshot\":\"a\",\"created_at\":-1}," NOW "]",
		"[{\"fs\":\"root\",\"snapshot\":\"a\",\"after\":0}," NOW "]",
		"[{\"fs\":\"root\",\"snapshot\":\"a\",\"base\":\"b\"}," NOW "]",
		"[{\"fs\":\"data\",\"snapshot\":\"a\"},{\"fs\":\"root\",\"after\":0}]",
		"[" NOW "," NOW "]",
	};

	assert_int_equal(take_head("[" NOW "]", NULL), 0);
	assert_int_equal(take_head("[{\"fs\":\"root\",\"base\":\"b\"}]", "b"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(take_head(bad[i], NULL), -EBADMSG);
	assert_int_equal(take_head("[" NOW "]", "../x"), -EBADMSG);
}

static void a_token_says_where(void **state ATTR_UNUSED)
{
	struct transfer_point p = { .index = 3 }, q;
	cleanup_free char *start = transfer_token(ID, &p), *later = NULL;
	char id[UUID_STR];
	struct err e = { 0 };
	static const char *const bad[] = { "",         ":",          ID,       ID ":1",
					   ID ":1:5:", ID ":1:5:ab", "x:1:0:", ID ":-1:0:" };

	assert_int_equal(transfer_token_parse(start, id, &q, &e), 0);
	assert_true(q.index == 3 && q.offset == 0);
	transfer_chain(&p, "piece", 5);
	later = transfer_token(ID, &p);
	assert_int_equal(transfer_token_parse(later, id, &q, &e), 0);
	assert_true(q.index == 3 && q.offset == 5);
	assert_string_equal(q.chain, p.chain);
	assert_string_equal(id, ID);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(transfer_token_parse(bad[i], id, &q, &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(it_can_be_cut_off_nowhere),
		cmocka_unit_test(no_bit_of_it_can_change),
		cmocka_unit_test(a_plan_is_checked_word_by_word),
		cmocka_unit_test(a_token_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
