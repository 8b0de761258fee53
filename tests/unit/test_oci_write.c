/* SPDX-License-Identifier: MIT */
#include "liboci/oci_write.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libhttp/http.h"
#include "unit.h"

#include <string.h>

#define ONES "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static struct jv *parse(const char *text)
{
	struct err e = { 0 };
	struct jv *v = NULL;

	assert_int_equal(jv_parse(text, strlen(text), "test", &v, &e), 0);
	return v;
}

static const struct oci_file zstd = { .compression = COMPRESSION_ZSTD,
				      .is_tar = true,
				      .size = 1234,
				      .digest = ONES,
				      .diff_id = TWOS };

static const struct jv *first_layer(const struct jv *manifest)
{
	return jv_at(jv_get(manifest, "layers"), 0);
}

/* What is written is what our own reader takes for an image of one layer. */
static void what_is_written_is_read(void **state)
{
	cleanup_jv struct jv *ours =
		parse("{\"name\":\"n\",\"type\":\"zone-dataset\",\"published_at\":"
		      "\"2024-01-02T03:04:05Z\",\"tags\":{\"docker:architecture\":\"arm/v7\","
		      "\"docker:config\":{\"Cmd\":[\"/bin/sh\"]}}}");
	cleanup_free char *config = oci_write_config(ours, &zstd);
	cleanup_free char *text = oci_write_manifest(ours, &zstd, config);
	cleanup_jv struct jv *v = NULL, *c = parse(config), *layers = NULL;
	struct oci_image image = { .config = c,
				   .config_digest = ONES,
				   .repo = "r",
				   .tag = "t",
				   .digest = TWOS,
				   .arch = "arm/v7" };
	enum oci_kind kind = OCI_INDEX;
	struct err e = { 0 };
	const struct jv *file;

	(void)state;
	assert_int_equal(oci_read(text, strlen(text), "", &kind, &v, &e), 0);
	assert_int_equal(kind, OCI_MANIFEST);
	image.manifest = v;
	assert_int_equal(oci_describe(&image, &layers, &e), 0);
	assert_int_equal(jv_len(layers), 1);
	file = jv_at(jv_get(jv_get(jv_at(layers, 0), "manifest"), "files"), 0);
	assert_string_equal(jv_get_string(file, "compression"), "zstd");
	assert_string_equal(jv_get_string(file, "uncompressedDigest"), TWOS);
	assert_int_equal(jv_get_int(file, "size", 0), 1234);
	assert_string_equal(jv_get_string(c, "architecture"), "arm");
	assert_string_equal(jv_get_string(c, "variant"), "v7");
}

static void the_configuration_is_the_one_named(void **state)
{
	cleanup_jv struct jv *ours = parse("{\"type\":\"lx-dataset\"}");
	cleanup_free char *config = oci_write_config(ours, &zstd);
	cleanup_free char *text = oci_write_manifest(ours, &zstd, config);
	cleanup_jv struct jv *v = parse(text);
	const struct jv *d = jv_get(v, "config");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(oci_check_digest(config, strlen(config), jv_get_string(d, "digest"),
					  "configuration", &e),
			 0);
	assert_int_equal(jv_get_int(d, "size", 0), (int64_t)strlen(config));
	assert_null(jv_get(v, "artifactType"));
}

static void disks_are_artifacts(void **state)
{
	cleanup_jv struct jv *ours = parse("{\"name\":\"d\",\"type\":\"zvol\"}");
	const struct oci_file file = { .compression = COMPRESSION_XZ, .digest = ONES };
	cleanup_free char *config = oci_write_config(ours, &file);
	cleanup_free char *text = oci_write_manifest(ours, &file, config);
	cleanup_jv struct jv *v = parse(text), *back = parse(config);

	(void)state;
	assert_int_equal(oci_check_pushable(ours, &file, NULL), 0);
	assert_true(jv_equal(ours, back));
	assert_string_equal(jv_get_string(v, "artifactType"), OCI_OWN_DISK);
	assert_string_equal(jv_get_string(first_layer(v), "mediaType"), OCI_OWN_DISK "+xz");
	assert_string_equal(jv_get_string(jv_get(v, "config"), "mediaType"), OCI_OWN_MANIFEST);
}

static void what_registries_cannot_have_is_refused(void **state)
{
	cleanup_jv struct jv *tree = parse("{\"type\":\"zone-dataset\"}");
	cleanup_jv struct jv *part = parse("{\"type\":\"zone-dataset\",\"origin\":\"x\"}");
	struct oci_file file = zstd;

	(void)state;
	assert_int_equal(oci_check_pushable(tree, &file, NULL), 0);
	assert_int_equal(oci_check_pushable(part, &file, NULL), -ENOTSUP);
	file.compression = COMPRESSION_BZIP2;
	assert_int_equal(oci_check_pushable(tree, &file, NULL), -ENOTSUP);
	file = zstd;
	(void)snprintf(file.marker, sizeof(file.marker), "a/.wh.b");
	assert_int_equal(oci_check_pushable(tree, &file, NULL), -ENOTSUP);
	file = zstd;
	file.is_tar = false;
	assert_int_equal(oci_check_pushable(tree, &file, NULL), -ENOTSUP);
}

static void addresses_are_put_together(void **state)
{
	static const char *const rows[][3] = {
		{ "https://h/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?s=2",
		  "https://h/v2/a/blobs/uploads/1?s=2" },
		{ "https://h:5/v2/a/", "b", "https://h:5/v2/a/b" },
		{ "https://h/v2/", "https://other:1/x", "https://other:1/x" },
		{ "https://h/v2/", "//other/x", "https://other/x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *is = http_resolve(rows[i][0], rows[i][1]);

		assert_non_null(is);
		assert_string_equal(is, rows[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_configuration_is_the_one_named),
		cmocka_unit_test(disks_are_artifacts),
		cmocka_unit_test(what_registries_cannot_have_is_refused),
		cmocka_unit_test(addresses_are_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
