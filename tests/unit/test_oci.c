/* SPDX-License-Identifier: MIT */
#include "liboci/oci.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/path.h"
#include "libformat/tar/layer.h"
#include "libsource/registry.h"
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define ONES "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "sha256:2222222222222222222222222222222222222222222222222222222222222222"

/* HOST REPO TAG DIGEST, or "bad". */
static char *shown(const char *text)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (oci_ref_parse(text, &ref, NULL) < 0)
		return xstrdup("bad");
	return xasprintf("%s %s %s %.10s", ref.host ? ref.host : "-", ref.repo,
			 ref.tag ? ref.tag : "-", ref.digest[0] ? ref.digest : "-");
}

static void names_are_taken_apart(void **state)
{
	static const char *const pairs[][2] = {
		{ "alpine", "- alpine latest -" },
		{ "library/alpine:3.20", "- library/alpine 3.20 -" },
		{ "localhost/x", "localhost x latest -" },
		{ "host:5000/a/b:t", "host:5000 a/b t -" },
		{ "quay.io/a__b/c-d", "quay.io a__b/c-d latest -" },
		{ "a@" ONES, "- a - sha256:111" },
		{ "a:t@" ONES, "- a t sha256:111" },
		{ "[::1]:5000/a", "[::1]:5000 a latest -" },
		{ "", "bad" },
		{ "A", "bad" },
		{ "a//b", "bad" },
		{ "a/", "bad" },
		{ "/a", "bad" },
		{ "-a", "bad" },
		{ "a..b", "bad" },
		{ "a___b", "bad" },
		{ "a_-b", "bad" },
		{ "a:", "bad" },
		{ "a:.t", "bad" },
		{ "a@sha256:12", "bad" },
		{ "a@md5:11111111111111111111111111111111", "bad" },
		{ "a b", "bad" },
		{ "host.x y/a", "bad" },
		{ "../a", "bad" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_free char *got = shown(pairs[i][0]);

		assert_string_equal(got, pairs[i][1]);
	}
}

static void a_layer_has_its_uuid_from_all_below(void **state)
{
	const char *const up[] = { ONES, TWOS }, *const down[] = { TWOS, ONES };
	char a[UUID_STR], b[UUID_STR], c[UUID_STR];

	(void)state;
	oci_layer_uuid(up, 1, a);
	oci_layer_uuid(up, 2, b);
	oci_layer_uuid(down, 2, c);
	assert_true(uuid_is_valid(a));
	assert_string_not_equal(a, b);
	assert_string_not_equal(b, c);
}

static void challenges_are_read(void **state)
{
	struct oci_challenge c;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
		oci_read_challenge("Bearer realm=\"https://a/t\",service=\"s \\\"x\\\"\","
				   "scope=\"repository:a:pull,push\"",
				   &c, &e),
		0);
	assert_true(c.bearer);
	assert_string_equal(c.realm, "https://a/t");
	assert_string_equal(c.service, "s \"x\"");
	assert_int_equal(oci_read_challenge("basic realm=\"x\"", &c, &e), 0);
	assert_false(c.bearer);
	assert_int_equal(oci_read_challenge("Negotiate", &c, &e), -ENOTSUP);
	assert_int_equal(oci_read_challenge("", &c, &e), -ENOTSUP);
	assert_int_equal(oci_read_challenge("Bearer service=\"x\"", &c, &e), -EPROTO);
	assert_int_equal(oci_read_challenge("Bearer realm=\"https://a", &c, &e), -EPROTO);
}

static char *login(const char *text, const char *host)
{
	char *got = NULL;
	struct err e = { 0 };

	if (registry_read_login(text, strlen(text), host, &got, &e) < 0)
		return xstrdup("bad");
	return got ? got : xstrdup("none");
}

static void a_password_is_for_one_host(void **state)
{
	static const char file[] =
		"{\"auths\":{\"a.example:5000\":{\"auth\":\"dTpw\"},"
		"\"https://index.docker.io/v1/\":{\"username\":\"h\",\"password\":\"q\"},"
		"\"b.example\":{\"auth\":\"!\"},\"c.example\":{}}}";
	static const char *const pairs[][2] = {
		{ "a.example:5000", "u:p" }, { "a.example", "none" },
		{ "a.example:50", "none" },  { "docker.io", "h:q" },
		{ "b.example", "bad" },      { "c.example", "none" },
		{ "example", "none" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_free char *got = login(file, pairs[i][0]);

		assert_string_equal(got, pairs[i][1]);
	}
}

static void an_index_has_one_for_each_processor(void **state)
{
	static const char text[] =
		"{\"manifests\":[{\"n\":0,\"platform\":{\"os\":\"unknown\",\"architecture\":"
		"\"unknown\"}},{\"n\":1,\"platform\":{\"os\":\"windows\",\"architecture\":"
		"\"amd64\"}},{\"n\":2,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\","
		"\"variant\":\"v8\"}},{\"n\":3,\"platform\":{\"os\":\"linux\",\"architecture\":"
		"\"arm\",\"variant\":\"v6\"}},{\"n\":4,\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"arm\",\"variant\":\"v7\"}}]}";
	static const struct {
		const char *arch;
		int n; /* -1: none */
	} cases[] = { { "arm64", 2 },
		      { "arm/v7", 4 },
		      { "arm/v6", 3 },
		      { "amd64", -1 },
		      { "unknown", -1 } };
	cleanup_jv struct jv *v = NULL;

	(void)state;
	assert_int_equal(jv_parse(text, strlen(text), "index", &v, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct jv *one = NULL;
		int r = oci_choose(v, cases[i].arch, &one, NULL);

		assert_int_equal(r, cases[i].n < 0 ? -ENOTSUP : 0);
		assert_int_equal(r < 0 ? -1 : jv_get_int(one, "n", -2), cases[i].n);
	}
}

static void markers_are_known(void **state)
{
	static const struct {
		const char *name;
		int result;
		enum layer_name kind;
	} cases[] = {
		{ "a/b", 0, LAYER_PLAIN },
		{ "a/.wh.b", 0, LAYER_WHITEOUT },
		{ ".wh..wh..opq", 0, LAYER_OPAQUE },
		{ ".wh..wh.plnk/1", 0, LAYER_IGNORED },
		{ ".wh.", -EINVAL, 0 },
		{ "a/.wh..", -EINVAL, 0 },
		{ ".wh...", -EINVAL, 0 },
		{ ".wh.a/b", -EINVAL, 0 },
		{ ".wh...a", 0, LAYER_WHITEOUT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *target = NULL;
		enum layer_name kind;

		assert_int_equal(layer_classify(cases[i].name, &kind, &target, NULL),
				 cases[i].result);
		if (cases[i].result == 0)
			assert_int_equal(kind, cases[i].kind);
	}
}

static void make(int fd, const char *name)
{
	assert_int_equal(file_write_atomic(fd, name, "x", 1, NULL), 0);
}

static void what_the_layer_brought_stays(void **state)
{
	char path[] = "/tmp/dais-layer-XXXXXX";
	struct layer *l = layer_new();
	int top, sub;

	(void)state;
	assert_non_null(mkdtemp(path));
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(top, "d", 0700), 0);
	sub = openat(top, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		cleanup_free char *name = xasprintf("n%d", i);

		assert_int_equal(layer_add(l, sub, name, NULL), 0);
	}
	make(sub, "n2999");
	make(sub, "old");
	make(top, "n1");
	assert_int_equal(layer_take_away(l, top, "d", NULL), 0);
	assert_int_equal(faccessat(sub, "n2999", F_OK, 0), 0);
	assert_int_equal(faccessat(sub, "old", F_OK, 0), -1);
	assert_int_equal(layer_take_away(l, top, "n1", NULL), 0);
	assert_int_equal(faccessat(top, "n1", F_OK, 0), -1);
	assert_int_equal(layer_remove_tree(top, "d", NULL), 0);
	assert_int_equal(faccessat(top, "d", F_OK, 0), -1);
	(void)close(sub);
	(void)close(top);
	layer_free(l);
	assert_int_equal(path_remove_tree(AT_FDCWD, path, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(a_layer_has_its_uuid_from_all_below),
		cmocka_unit_test(challenges_are_read),
		cmocka_unit_test(a_password_is_for_one_host),
		cmocka_unit_test(an_index_has_one_for_each_processor),
		cmocka_unit_test(markers_are_known),
		cmocka_unit_test(what_the_layer_brought_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
