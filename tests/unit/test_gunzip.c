/* SPDX-License-Identifier: MIT */
#include "libimgfile/compress.h"
#include "libimgfile/decompress.h"

#include "base/alloc.h"

#include "unit.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct bytes {
	uint8_t *data;
	size_t len;
};

static void bytes_done(struct bytes *b)
{
	free(b->data);
}
#define cleanup_bytes cleanup_with(bytes_done)

static int as_file(const void *data, size_t len)
{
	int fd = memfd_create("bytes", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static struct bytes of_file(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	struct bytes b = { .data = xmalloc((size_t)len + 1), .len = (size_t)len };

	assert_int_equal(pread(fd, b.data, b.len, 0), len);
	return b;
}

static struct bytes gzip(const void *data, size_t len)
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);
	cleanup_close int in = as_file(data, len);
	cleanup_close int out = as_file("", 0);

	assert_int_equal(compress_stream(COMPRESSION_GZIP, in, out, d, NULL), 0);
	return of_file(out);
}

static struct bytes joined(const struct bytes *a, const void *data, size_t len)
{
	struct bytes b = { .data = xmalloc(a->len + len + 1), .len = a->len + len };

	memcpy(b.data, a->data, a->len);
	memcpy(b.data + a->len, data, len);
	return b;
}

static int gunzip_fd(int in, struct bytes *ret, struct err *e)
{
	cleanup_close int out = as_file("", 0);
	int r = decompress(COMPRESSION_GZIP, in, out, NULL, e);

	*ret = of_file(out);
	return r;
}

static void gives(const void *data, size_t len, const void *want, size_t want_len)
{
	cleanup_close int in = as_file(data, len);
	cleanup_bytes struct bytes got = { 0 };
	struct err e = { 0 };

	if (gunzip_fd(in, &got, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(got.len, want_len);
	assert_memory_equal(got.data, want, want_len);
}

static void is_damaged(const void *data, size_t len, const char *why)
{
	cleanup_close int in = as_file(data, len);
	cleanup_bytes struct bytes got = { 0 };
	struct err e = { 0 };

	assert_int_equal(gunzip_fd(in, &got, &e), -EINVAL);
	if (!strstr(e.msg, "the gzip data is damaged: ") || !strstr(e.msg, why))
		fail_msg("'%s' does not say '%s'", e.msg, why);
}

/* More than any buffer, and not all of one kind: noise, runs, text. */
static struct bytes much(void)
{
	struct bytes b = { .data = xmalloc(3 << 20), .len = 3 << 20 };
	uint32_t x = 1;

	for (size_t i = 0; i < b.len; i++) {
		x = x * 1664525 + 1013904223;
		b.data[i] = (i >> 18) % 3 == 0 ? (uint8_t)(x >> 24)
			    : (i >> 18) % 3 == 1
				    ? 0
				    : "some text that comes back"[(x >> 29) + i % 16];
	}
	return b;
}

static void what_was_packed_comes_out(void **state ATTR_UNUSED)
{
	cleanup_bytes struct bytes plain = much();

	for (size_t len = 0; len <= plain.len; len = len * 5 + 1) {
		cleanup_bytes struct bytes z = gzip(plain.data, len);

		gives(z.data, z.len, plain.data, len);
	}
}

/* Also of different lengths, so that headers and trailers lie across the blocks that are read.
 */
static void members_follow_one_another(void **state ATTR_UNUSED)
{
	cleanup_bytes struct bytes plain = much();
	cleanup_bytes struct bytes noise = gzip(plain.data, 256 << 10);
	cleanup_bytes struct bytes small = gzip("small", 5);
	cleanup_bytes struct bytes want = { .data = xmalloc((256 << 10) + 10) };

	for (size_t len = 0; len < 40; len++) {
		size_t whole = (256 << 10) - 20 - (noise.len - (256 << 10)) - small.len - len;
		cleanup_bytes struct bytes first = gzip(plain.data, whole);
		cleanup_bytes struct bytes two = joined(&first, small.data, small.len);
		cleanup_bytes struct bytes three = joined(&two, small.data, small.len);

		memcpy(want.data, plain.data, whole);
		memcpy(want.data + whole, "smallsmall", 10);
		gives(three.data, three.len, want.data, whole + 10);
	}
}

static void it_may_come_byte_by_byte(void **state ATTR_UNUSED)
{
	cleanup_bytes struct bytes one = gzip("one, ", 5);
	cleanup_bytes struct bytes two = gzip("two", 3);
	cleanup_bytes struct bytes both = joined(&one, two.data, two.len);
	cleanup_bytes struct bytes got = { 0 };
	struct err e = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	for (size_t i = 0; i < both.len; i++)
		assert_int_equal(send(fds[1], both.data + i, 1, MSG_DONTWAIT), 1);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(gunzip_fd(fds[0], &got, &e), 0);
	assert_int_equal(got.len, 8);
	assert_memory_equal(got.data, "one, two", 8);
	assert_int_equal(close(fds[0]), 0);
}

static void headers_have_optional_parts(void **state ATTR_UNUSED)
{
	static const char parts[] = "\x1f\x8b\x08\x1e\0\0\0\0\0\x03"
				    "\x03\0xyz"
				    "name\0"
				    "comment\0"
				    "\x12\x34"; /* its own checksum, which nobody looks at */
	cleanup_bytes struct bytes z = gzip("text", 4);
	const struct bytes head = { (uint8_t *)parts, sizeof(parts) - 1 };
	cleanup_bytes struct bytes b = joined(&head, z.data + 10, z.len - 10);

	assert_int_equal(z.data[3], 0);
	gives(b.data, b.len, "text", 4);
	for (size_t len = 0; len < head.len; len++)
		is_damaged(b.data, len, "its header is not one of gzip, or ends too early");
	b.data[3] |= 0x20;
	is_damaged(b.data, b.len, "its header is not one of gzip");
}

static void what_ends_too_early_is_refused(void **state ATTR_UNUSED)
{
	cleanup_bytes struct bytes z = gzip("one, ", 5);
	cleanup_bytes struct bytes both = joined(&z, z.data, z.len);

	for (size_t len = 10; len < z.len; len++)
		is_damaged(z.data, len, "truncated gzip input");
	for (size_t len = z.len + 10; len < both.len; len++)
		is_damaged(both.data, len, "truncated gzip input");
	gives(both.data, both.len, "one, one, ", 10);
}

static void what_follows_is_left_alone(void **state ATTR_UNUSED)
{
	static const char *const after[] = { "garbage", "\x1f", "\x1f\x8b", "\x1f\x8b\x08",
					     "\x1f\x8b\x07nothing that is known" };
	static const uint8_t zeros[1024];
	cleanup_bytes struct bytes z = gzip("text", 4);
	cleanup_bytes struct bytes padded = joined(&z, zeros, sizeof(zeros));

	gives(padded.data, padded.len, "text", 4);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		cleanup_bytes struct bytes b = joined(&z, after[i], strlen(after[i]));

		gives(b.data, b.len, "text", 4);
	}
}

/* Bits that only fill up a byte say nothing; no other flip goes by. */
static void damage_is_refused(void **state ATTR_UNUSED)
{
	static const char text[] = "a text, another text, and a third text";
	cleanup_bytes struct bytes z = gzip(text, sizeof(text));
	size_t trailer = z.len - 8, gone_by = 0;

	for (size_t bit = 10 * 8; bit < z.len * 8; bit++) {
		cleanup_bytes struct bytes got = { 0 };
		cleanup_close int in = -1;
		struct err e = { 0 };
		int r;

		z.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		in = as_file(z.data, z.len);
		r = gunzip_fd(in, &got, &e);
		if (bit / 8 >= trailer)
			is_damaged(z.data, z.len, "its checksum is another");
		else if (r == 0)
			gone_by++;
		else
			assert_int_equal(r, -EINVAL);
		if (r == 0)
			gives(z.data, z.len, text, sizeof(text));
		z.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_in_range(gone_by, 0, 7);
	gives(z.data, z.len, text, sizeof(text));
}

static void errors_of_files_are_told(void **state ATTR_UNUSED)
{
	cleanup_bytes struct bytes z = gzip("text", 4);
	cleanup_close int in = as_file(z.data, z.len);
	struct err e = { 0 };

	assert_int_equal(decompress(COMPRESSION_GZIP, -1, in, NULL, &e), -EBADF);
	assert_non_null(strstr(e.msg, "cannot read the gzip data"));
	e = (struct err){ 0 };
	assert_int_equal(decompress(COMPRESSION_GZIP, in, -1, NULL, &e), -EBADF);
	assert_non_null(strstr(e.msg, "cannot hand the archive on"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(members_follow_one_another),
		cmocka_unit_test(it_may_come_byte_by_byte),
		cmocka_unit_test(headers_have_optional_parts),
		cmocka_unit_test(what_ends_too_early_is_refused),
		cmocka_unit_test(what_follows_is_left_alone),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(errors_of_files_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
