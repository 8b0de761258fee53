/* SPDX-License-Identifier: MIT */
#include "init/root.h"

#include "unit.h"

static void each_type_is_known_by_its_magic(void **state ATTR_UNUSED)
{
	unsigned char start[ROOT_MAGIC_LEN] = { 0 };
	enum root_type type;

	memcpy(start, "hsqs", 4);
	assert_int_equal(root_detect(start, sizeof(start), &type, NULL), 0);
	assert_int_equal(type, ROOT_SQUASHFS);

	memset(start, 0, sizeof(start));
	memcpy(start + 1024, "\xe2\xe1\xf5\xe0", 4);
	assert_int_equal(root_detect(start, sizeof(start), &type, NULL), 0);
	assert_int_equal(type, ROOT_EROFS);
}

static void anything_else_is_refused(void **state ATTR_UNUSED)
{
	unsigned char start[ROOT_MAGIC_LEN] = { 'h', 's', 'q' };
	enum root_type type;
	struct err e = { 0 };

	assert_int_equal(root_detect(start, sizeof(start), &type, &e), -ENOTSUP);
	assert_string_equal(e.msg, "the image is neither erofs nor squashfs");
}

static void a_short_file_is_not_read_beyond_its_end(void **state ATTR_UNUSED)
{
	enum root_type type;

	for (size_t len = 0; len < 4; len++) {
		unsigned char *start = malloc(len + !len);

		memcpy(start, "hsqs", len);
		assert_int_equal(root_detect(start, len, &type, NULL), -ENOTSUP);
		free(start);
	}
}

static void every_type_has_a_name(void **state ATTR_UNUSED)
{
	for (int t = 0; t < ROOT_TYPE_MAX_; t++)
		assert_non_null(root_type_to_string((enum root_type)t));
	assert_null(root_type_to_string(ROOT_TYPE_MAX_));
}

static void an_absent_image_is_said(void **state)
{
	struct unit_dir *d = *state;
	char image[64], base[64];
	struct err e = { 0 };

	(void)snprintf(image, sizeof(image), "%s/root.img", d->path);
	(void)snprintf(base, sizeof(base), "%s/base", d->path);
	assert_int_equal(root_mount(image, base, &e), -ENOENT);
	assert_non_null(strstr(e.msg, image));
	assert_int_equal(unlinkat(d->fd, "base/lower", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(d->fd, "base/root", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(d->fd, "base", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(each_type_is_known_by_its_magic),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(a_short_file_is_not_read_beyond_its_end),
		cmocka_unit_test(every_type_has_a_name),
		cmocka_unit_test_setup_teardown(an_absent_image_is_said, unit_dir_setup, unit_dir_teardown),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
