/* SPDX-License-Identifier: MIT */
#include "manifest_fixture.h"

#include "base/path.h"
#include "builder/output.h"
#include "builder/tar.h"

#include <fcntl.h>
#include <sys/stat.h>

struct fixture {
	char dir[32];
	int dirfd;
	char path[64]; /* DIR/out.tar */
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/archive-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	(void)snprintf(f->path, sizeof(f->path), "%s/out.tar", f->dir);
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->dirfd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = path_remove_tree(AT_FDCWD, f->dir, NULL);

	(void)close(f->dirfd);
	free(f);
	return r;
}

static bool is_there(const struct fixture *f, const char *name)
{
	return faccessat(f->dirfd, name, F_OK, 0) == 0;
}

/* One item of no content in an archive of its own; returns its bytes, which the caller frees.
 */
static char *archive_of(struct fixture *f, const struct tar_item *item, uint64_t mtime,
			size_t *ret_size)
{
	int fd = openat(f->dirfd, "one.tar", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct tar *t = tar_new(fd, mtime);
	char *data = xcalloc(1, 16384);
	ssize_t n;

	assert_int_equal(tar_add(t, item, -1, NULL), 0);
	assert_int_equal(tar_finish(t, NULL), 0);
	n = pread(fd, data, 16384, 0);
	assert_true(n > 0 && n % 512 == 0);
	*ret_size = (size_t)n;
	tar_free(t);
	(void)close(fd);
	return data;
}

static struct tar_item folder(const char *path)
{
	return (struct tar_item){
		.type = TAR_FOLDER,
		.path = path,
		.path_len = strlen(path),
		.mode = 0755,
	};
}

static void writes_a_plain_header_where_all_fits(void **state)
{
	cleanup_free char *data = NULL;
	struct tar_item item = folder("usr/bin");
	size_t size;

	item.mode = 07555;
	item.uid = 1;
	item.gid = 07777777;
	data = archive_of(*state, &item, 1000000000, &size);
	assert_int_equal(size, 3 * 512);
	assert_string_equal(data, "usr/bin/");
	assert_string_equal(data + 100, "0007555");
	assert_string_equal(data + 108, "0000001");
	assert_string_equal(data + 116, "7777777");
	assert_string_equal(data + 124, "00000000000");
	assert_string_equal(data + 136, "07346545000");
	assert_int_equal(data[156], '5');
	assert_memory_equal(data + 257, "ustar\00000", 8);
	assert_string_equal(data + 265, ""); /* no names of owners */
	assert_string_equal(data + 297, "");
}

static void splits_a_long_name_at_a_slash(void **state)
{
	cleanup_free char *data = NULL;
	char path[256];
	struct tar_item item;
	size_t size;

	/* 155 + 1 + 99 bytes, and the final slash of a folder. */
	memset(path, 'x', 255);
	path[155] = '/';
	path[255] = '\0';
	item = folder(path);
	data = archive_of(*state, &item, 0, &size);
	assert_int_equal(size, 3 * 512);
	assert_memory_equal(data, path + 156, 99);
	assert_int_equal(data[99], '/');
	assert_memory_equal(data + 345, path, 155);
}

static void tells_in_a_pax_header_what_does_not_fit(void **state)
{
	cleanup_free char *data = NULL;
	struct tar_item item = folder("u");
	char path[300];
	size_t size;

	memset(path, 'x', 255);
	path[255] = '\0';
	item = (struct tar_item){ .type = TAR_SYMLINK,
				  .path = path,
				  .path_len = 255,
				  .target = path,
				  .target_len = 101,
				  .uid = 010000000 };
	data = archive_of(*state, &item, 077777777777 + 1ULL, &size);
	assert_int_equal(data[156], 'x');
	assert_memory_equal(data + 512, "265 path=xxx", 12);
	assert_memory_equal(data + 512 + 265, "115 linkpath=xxx", 16);
	assert_memory_equal(data + 512 + 265 + 115, "15 uid=2097152\n20 mtime=8589934592\n",
			    35);
	assert_int_equal(data[1024 + 156], '2');
	assert_string_equal(data + 1024 + 108, "0000000");
}

/* The length of a pax record counts its own digits: 99 bytes and two digits are 101, so three.
 */
static void counts_the_digits_of_a_pax_record(void **state)
{
	char path[1024];

	for (size_t len = 256; len < 1010; len++) {
		cleanup_free char *data = NULL;
		struct tar_item item;
		size_t told;
		size_t size;

		memset(path, 'x', len);
		item = (struct tar_item){ .type = TAR_HARDLINK, .path = path, .path_len = len };
		data = archive_of(*state, &item, 0, &size);
		told = strtoul(data + 512, NULL, 10);
		assert_int_equal(data[512 + told - 1], '\n');
		assert_true(told % 512 == 0 || data[512 + told] == '\0');
	}
}

static void copies_contents_small_and_large(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 1, 511, 512, 513, 300000, 1 << 20, 3000001 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		int in = openat(f->dirfd, "in", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		int out = openat(f->dirfd, "o", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct tar_item item = {
			.type = TAR_FILE, .path = "a", .path_len = 1, .size = sizes[i]
		};
		struct tar *t = tar_new(out, 0);
		char *data = xmalloc(sizes[i]);
		struct stat st;

		memset(data, (int)i + 1, sizes[i]);
		assert_int_equal(write(in, data, sizes[i]), sizes[i]);
		(void)lseek(in, 0, SEEK_SET);
		assert_int_equal(tar_add(t, &item, in, NULL), 0);
		assert_int_equal(tar_finish(t, NULL), 0);
		assert_int_equal(fstat(out, &st), 0);
		assert_int_equal(st.st_size, 512 + (sizes[i] + 511) / 512 * 512 + 1024);
		memset(data, 0, sizes[i]);
		assert_int_equal(pread(out, data, sizes[i], 512), sizes[i]);
		assert_int_equal(data[0], i + 1);
		assert_int_equal(data[sizes[i] - 1], i + 1);
		free(data);
		tar_free(t);
		(void)close(in);
		(void)close(out);
	}
}

static void says_so_when_a_file_got_shorter(void **state)
{
	struct fixture *f = *state;

	for (size_t size = 100; size <= 1000000; size *= 10000) {
		int in = openat(f->dirfd, "in", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		int out = openat(f->dirfd, "o", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct tar_item item = {
			.type = TAR_FILE, .path = "a", .path_len = 1, .size = size
		};
		struct tar *t = tar_new(out, 0);
		struct err e = { 0 };

		assert_int_equal(write(in, "x", 1), 1);
		(void)lseek(in, 0, SEEK_SET);
		assert_int_equal(tar_add(t, &item, in, &e), -EIO);
		assert_string_equal(e.msg, "got shorter while it was read");
		tar_free(t);
		(void)close(in);
		(void)close(out);
	}
}

static void leaves_nothing_without_a_commit(void **state)
{
	struct fixture *f = *state;
	struct output o = OUTPUT_INIT;

	assert_int_equal(output_open(&o, f->path, NULL), 0);
	assert_true(is_there(f, ".out.tar.new"));
	output_done(&o);
	assert_false(is_there(f, ".out.tar.new"));
	assert_false(is_there(f, "out.tar"));
}

static void replaces_the_old_file_at_the_commit(void **state)
{
	struct fixture *f = *state;
	struct output o = OUTPUT_INIT;
	struct stat st;

	assert_int_equal(path_write_new(f->dirfd, "out.tar", "old", 0600, NULL), 0);
	assert_int_equal(output_open(&o, f->path, NULL), 0);
	assert_int_equal(write(o.fd, "newer", 5), 5);
	assert_int_equal(fstatat(f->dirfd, "out.tar", &st, 0), 0);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(output_commit(&o, NULL), 0);
	output_done(&o);
	assert_int_equal(fstatat(f->dirfd, "out.tar", &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	assert_false(is_there(f, ".out.tar.new"));
}

static void takes_over_what_a_killed_writer_left(void **state)
{
	struct fixture *f = *state;
	struct output o = OUTPUT_INIT;
	struct stat st;

	assert_int_equal(path_write_new(f->dirfd, ".out.tar.new", "half", 0600, NULL), 0);
	assert_int_equal(output_open(&o, f->path, NULL), 0);
	assert_int_equal(output_commit(&o, NULL), 0);
	output_done(&o);
	assert_int_equal(fstatat(f->dirfd, "out.tar", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
}

static void refuses_a_second_writer(void **state)
{
	struct fixture *f = *state;
	struct output first = OUTPUT_INIT;
	struct output second = OUTPUT_INIT;

	assert_int_equal(output_open(&first, f->path, NULL), 0);
	assert_int_equal(output_open(&second, f->path, NULL), -EBUSY);
	output_done(&second);
	assert_true(is_there(f, ".out.tar.new"));
	assert_int_equal(output_commit(&first, NULL), 0);
	output_done(&first);
}

static void refuses_to_replace_what_is_no_file(void **state)
{
	struct fixture *f = *state;
	struct output o = OUTPUT_INIT;
	struct err e = { 0 };

	assert_int_equal(symlinkat("x", f->dirfd, "out.tar"), 0);
	assert_int_equal(output_open(&o, f->path, &e), -EEXIST);
	assert_string_equal(e.msg, "'out.tar' exists and is not a regular file");
	output_done(&o);
	assert_int_equal(output_open(&o, "/dev/null", NULL), -EEXIST);
	output_done(&o);
	assert_int_equal(output_open(&o, "/tmp/", NULL), -EINVAL);
	output_done(&o);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_a_plain_header_where_all_fits),
		TEST(splits_a_long_name_at_a_slash),
		TEST(tells_in_a_pax_header_what_does_not_fit),
		TEST(counts_the_digits_of_a_pax_record),
		TEST(copies_contents_small_and_large),
		TEST(says_so_when_a_file_got_shorter),
		TEST(leaves_nothing_without_a_commit),
		TEST(replaces_the_old_file_at_the_commit),
		TEST(takes_over_what_a_killed_writer_left),
		TEST(refuses_a_second_writer),
		TEST(refuses_to_replace_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
