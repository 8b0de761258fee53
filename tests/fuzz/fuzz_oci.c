/* SPDX-License-Identifier: MIT */
/*
 * fuzz_oci.c - what a registry answers, and what stands in an auth file: names have their form,
 * what is described is a manifest of ours, and nothing is read beyond its end. A
 * manifest and its configuration are two texts with a '\0' between.
 */
#include "libmanifest/manifest.h"
#include "liboci/oci.h"
#include "libsource/registry.h"

#include "base/jv.h"
#include "base/uuid.h"

#include "fuzz.h"

#include <string.h>

#define ZEROS "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void check_names(const char *text)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	struct oci_challenge c;
	struct err e = { 0 };

	if (oci_ref_parse(text, &ref, &e) == 0 &&
	    (!ref.repo[0] || (!ref.tag && !ref.digest[0]) || strpbrk(ref.repo, " ?#%\n\r")))
		abort();
	if (oci_read_challenge(text, &c, &e) == 0 && c.bearer && !c.realm[0])
		abort();
}

static void check_texts(const char *text, size_t len)
{
	cleanup_free char *token = NULL, *login = NULL;
	struct err e = { 0 };

	if (oci_read_token(text, len, &token, &e) == 0 && strpbrk(token, " \r\n"))
		abort();
	if (oci_read_error(text, len, 500, &e) >= 0 || !e.msg[0])
		abort();
	(void)(registry_read_login(text, len, "127.0.0.1:5000", &login, &e) < 0);
}

static void check_layers(const struct jv *layers)
{
	struct manifest_problems *problems = calloc(1, sizeof(*problems));

	if (!problems || jv_len(layers) == 0)
		abort();
	for (size_t i = 0; i < jv_len(layers); i++) {
		const struct jv *m = jv_get(jv_at(layers, i), "manifest");
		const char *uuid = jv_get_string(m, "uuid");

		if (!uuid || !uuid_is_valid(uuid) ||
		    !oci_digest_is_valid(jv_get_string(jv_at(layers, i), "digest")))
			abort();
		(void)manifest_check(m, MANIFEST_MINIMAL, problems);
	}
	free(problems);
}

static void check_manifest(const char *text, size_t len, const char *second, size_t second_len)
{
	cleanup_jv struct jv *manifest = NULL, *config = NULL, *layers = NULL;
	const struct jv *one = NULL;
	enum oci_kind kind;
	struct err e = { 0 };
	struct oci_image image = { .config_digest = ZEROS,
				   .repo = "a/b",
				   .tag = "latest",
				   .digest = ZEROS,
				   .arch = "amd64" };

	if (oci_read(text, len, "application/vnd.oci.image.manifest.v1+json", &kind, &manifest,
		     &e) < 0)
		return;
	if (oci_choose(manifest, "arm/v7", &one, &e) == 0 && !one)
		abort();
	if (jv_parse(second, second_len, "config", &config, &e) < 0)
		return;
	image.manifest = manifest;
	image.config = config;
	if ((oci_is_artifact(manifest) ? oci_describe_disk(&image, &layers, &e)
				       : oci_describe(&image, &layers, &e)) == 0)
		check_layers(layers);
	else if (!e.msg[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *copy = malloc(size + 1);
	size_t first;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	copy[size] = '\0';
	first = strlen(copy);
	check_names(copy);
	check_texts(copy, first);
	check_manifest(copy, first, copy + first, first < size ? size - first : 0);
	if (first < size)
		check_manifest(copy, first, copy + first + 1, size - first - 1);
	return 0;
}
