/* SPDX-License-Identifier: MIT */
#include "init/verify.h"

#include "unit.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_digest_is_read_as_sha256sum_writes_it(void **state ATTR_UNUSED)
{
	static const char *const good[] = { ABC, ABC "\n", ABC "  root.img\n", ABC "\r\n" };
	unsigned char hash[VERIFY_HASH_LEN];
	char hex[2 * VERIFY_HASH_LEN + 1];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(verify_parse_hash(good[i], strlen(good[i]), "x", hash, NULL),
				 0);
		verify_hash_to_hex(hash, hex);
		assert_string_equal(hex, ABC);
	}
}

static void capitals_are_digits_as_well(void **state ATTR_UNUSED)
{
	unsigned char hash[VERIFY_HASH_LEN];
	char text[] = ABC, hex[2 * VERIFY_HASH_LEN + 1];

	for (char *p = text; *p; p++)
		*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	assert_int_equal(verify_parse_hash(text, strlen(text), "x", hash, NULL), 0);
	verify_hash_to_hex(hash, hex);
	assert_string_equal(hex, ABC);
}

static void anything_else_is_refused_and_says_where(void **state ATTR_UNUSED)
{
	static const char *const bad[] = { "", "ba78", ABC "0", ABC "x", "x" ABC, " " ABC };
	unsigned char hash[VERIFY_HASH_LEN] = { 7 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = { 0 };

		assert_int_equal(verify_parse_hash(bad[i], strlen(bad[i]), "/file", hash, &e),
				 -EINVAL);
		assert_string_equal(e.msg, "/file: not a SHA-256 digest (64 hex digits)");
		assert_int_equal(hash[0], 7);
	}
}

static void the_digest_is_of_the_whole_file(void **state)
{
	struct unit_dir *d = *state;
	int fd = openat(d->fd, "image", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	unsigned char hash[VERIFY_HASH_LEN];
	char hex[2 * VERIFY_HASH_LEN + 1];

	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(verify_digest(fd, hash, NULL), 0);
	verify_hash_to_hex(hash, hex);
	assert_string_equal(hex, ABC);

	/* Three chunks and a bit: 3 MiB of zeros and "abc". */
	assert_int_equal(pwrite(fd, "\0\0\0", 3, 0), 3);
	assert_int_equal(pwrite(fd, "abc", 3, 3 << 20), 3);
	assert_int_equal(verify_digest(fd, hash, NULL), 0);
	verify_hash_to_hex(hash, hex);
	assert_string_equal(hex,
			    "22c2e759be690681fe4e5b9156b44a6aabd51011c9668725c57a4aeaee28e865");
	(void)close(fd);
	(void)unlinkat(d->fd, "image", 0);
}

static void a_difference_names_both_and_the_source(void **state ATTR_UNUSED)
{
	unsigned char want[VERIFY_HASH_LEN] = { 0 }, got[VERIFY_HASH_LEN] = { 0 };
	struct err e = { 0 };

	assert_int_equal(verify_compare(want, got, "x", &e), 0);
	got[VERIFY_HASH_LEN - 1] = 1;
	assert_int_equal(verify_compare(want, got, "the option", &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "0001, but the option says 0000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(a_digest_is_read_as_sha256sum_writes_it),
		cmocka_unit_test(capitals_are_digits_as_well),
		cmocka_unit_test(anything_else_is_refused_and_says_where),
		cmocka_unit_test_setup_teardown(the_digest_is_of_the_whole_file, unit_dir_setup, unit_dir_teardown),
		cmocka_unit_test(a_difference_names_both_and_the_source),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
