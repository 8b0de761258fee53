/* SPDX-License-Identifier: MIT */
/*
 * oci_disk.c - a disk in a registry, as `imgadm publish` puts it there (oci_write.h): the
 * configuration is a manifest of ours, the one layer the image's file.
 */
#include "base/alloc.h"
#include "base/jv.h"
#include "libmanifest/manifest.h"
#include "liboci/oci.h"
#include "liboci/oci_write.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DISK_MAX ((uint64_t)1 << 40)

bool oci_is_artifact(const struct jv *manifest)
{
	const char *type = jv_get_string(jv_get(manifest, "config"), "mediaType");

	return type && strcmp(type, OCI_OWN_MANIFEST) == 0;
}

/* How it is packed shows in its bytes; the kind says that it is a disk. */
static bool is_disk_layer(const struct jv *layer)
{
	const char *type = jv_get_string(layer, "mediaType");
	size_t n = strlen(OCI_OWN_DISK);

	return type && strncmp(type, OCI_OWN_DISK, n) == 0 && (!type[n] || type[n] == '+');
}

static int check_manifest(const struct jv *m, struct err *e)
{
	struct manifest_problems *problems;
	int r;

	if (jv_type(m) != JV_OBJECT)
		return err_set(e, -EINVAL, "the configuration is no manifest: not an object");
	problems = xcalloc(1, sizeof(*problems));
	r = manifest_check(m, MANIFEST_MINIMAL, problems) ? 0
							  : manifest_problems_set(problems, e);

	free(problems);
	if (r < 0)
		return err_wrap(e, r, "the configuration is no manifest of a disk");
	if (!manifest_is_disk(m))
		return err_set(e, -EINVAL,
			       "the artifact is a disk, its manifest is of the type '%.64s'",
			       jv_get_string(m, "type"));
	if (jv_get(m, "origin"))
		return err_set(e, -ENOTSUP,
			       "the disk is only what differs from an origin, which a "
			       "registry cannot say");
	return 0;
}

/* The registry's word on the file against our manifest's, which gets the digest. */
static int check_file(struct jv *m, const char *digest, uint64_t size, struct err *e)
{
	struct jv *file = jv_at(jv_get(m, "files"), 0);
	const char *sha256 = jv_get_string(file, "sha256"), *hex = strchr(digest, ':') + 1;
	int64_t said = jv_get_int(file, "size", -1);

	if (said < 0 || (uint64_t)said != size)
		return err_set(e, -EBADMSG,
			       "the manifest says that the file has %lld bytes, the registry "
			       "%llu",
			       (long long)said, (unsigned long long)size);
	if (sha256 && strcasecmp(sha256, hex) != 0)
		return err_set(e, -EBADMSG,
			       "the manifest says that the file has the sha256 '%.64s', the "
			       "registry '%s'",
			       sha256, hex);
	if (!sha256)
		jv_set(file, "sha256", jv_string(hex));
	return 0;
}

int oci_describe_disk(const struct oci_image *image, struct jv **ret_layers, struct err *e)
{
	const struct jv *layers = jv_get(image->manifest, "layers");
	cleanup_jv struct jv *m = NULL;
	const char *digest;
	struct jv *one;
	uint64_t size;
	int r;

	if (jv_len(layers) != 1 || !is_disk_layer(jv_at(layers, 0)))
		return err_set(e, -ENOTSUP, "the artifact is not one disk ('%s')",
			       OCI_OWN_DISK);
	r = oci_read_descriptor(jv_at(layers, 0), "disk", DISK_MAX, &digest, &size, e);
	if (r == 0)
		r = check_manifest(image->config, e);
	if (r < 0)
		return r;
	m = jv_copy(image->config);
	r = check_file(m, digest, size, e);
	if (r < 0)
		return r;
	one = jv_object();
	jv_set(one, "digest", jv_string(digest));
	jv_set(one, "manifest", take_ptr(m));
	*ret_layers = jv_array();
	jv_push(*ret_layers, one);
	return 0;
}
