/* SPDX-License-Identifier: MIT */
#include "liboci/oci_write.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "liboci/oci_private.h"
#include "libmanifest/manifest.h"

#include <string.h>

int oci_check_pushable(const struct jv *manifest, const struct oci_file *file, struct err *e)
{
	if (jv_get_string(manifest, "origin"))
		return err_set(e, -ENOTSUP,
			       "the image is only what differs from its origin %.36s, which a "
			       "registry cannot say; make a full one: imgadm create without -i",
			       jv_get_string(manifest, "origin"));
	if (manifest_is_disk(manifest))
		return 0;
	if (!file->is_tar)
		return err_set(e, -ENOTSUP,
			       "the file is no tar; registries have trees as tars alone");
	if (file->marker[0])
		return err_set(e, -ENOTSUP,
			       "the tree has '%s', and in a registry names that start with "
			       "'.wh.' say what is gone; rename it",
			       file->marker);
	if (file->compression == COMPRESSION_BZIP2 || file->compression == COMPRESSION_XZ)
		return err_set(e, -ENOTSUP,
			       "the file is packed with %s, which registries do not know; pack "
			       "it with gzip or zstd (imgadm create -c)",
			       compression_name(file->compression));
	return 0;
}

/* ---- the configuration ---------------------------------------------------- */

static void set_text(struct jv *v, const char *key, const char *text)
{
	if (text && *text)
		jv_set(v, key, jv_string(text));
}

/* "arm/v7" is two members. */
static void set_platform(struct jv *v, const struct jv *tags)
{
	const char *arch = jv_get_string(tags, "docker:architecture"), *slash;
	cleanup_free char *name = NULL;

	if (!arch || !*arch)
		arch = oci_machine();
	slash = strchr(arch, '/');
	name = slash ? xstrndup(arch, (size_t)(slash - arch)) : xstrdup(arch);
	jv_set(v, "architecture", jv_string(name));
	if (slash)
		jv_set(v, "variant", jv_string(slash + 1));
	jv_set(v, "os", jv_string("linux"));
}

static struct jv *rootfs(const char *diff_id)
{
	struct jv *v = jv_object(), *ids = jv_array();

	jv_push(ids, jv_string(diff_id));
	jv_set(v, "type", jv_string("layers"));
	jv_set(v, "diff_ids", ids);
	return v;
}

static struct jv *history(const char *created)
{
	struct jv *list = jv_array(), *one = jv_object();

	set_text(one, "created", created);
	jv_set(one, "created_by", jv_string("imgadm publish"));
	jv_push(list, one);
	return list;
}

char *oci_write_config(const struct jv *manifest, const struct oci_file *file)
{
	const char *created = jv_get_string(manifest, "published_at");
	const struct jv *tags = jv_get(manifest, "tags"), *runs = jv_get(tags, "docker:config");
	cleanup_jv struct jv *v = NULL;

	if (manifest_is_disk(manifest))
		return jv_dump(manifest, 0);
	v = jv_object();
	set_text(v, "created", created);
	set_platform(v, tags);
	jv_set(v, "config", jv_type(runs) == JV_OBJECT ? jv_copy(runs) : jv_object());
	jv_set(v, "rootfs", rootfs(file->diff_id));
	jv_set(v, "history", history(created));
	return jv_dump(v, 0);
}

/* ---- the manifest --------------------------------------------------------- */

static struct jv *descriptor(const char *type, const char *digest, uint64_t size)
{
	struct jv *v = jv_object();

	jv_set(v, "mediaType", jv_string(type));
	jv_set(v, "digest", jv_string(digest));
	jv_set(v, "size", jv_int((int64_t)size));
	return v;
}

static struct jv *layer(const struct oci_file *file, bool disk)
{
	bool plain = file->compression == COMPRESSION_NONE;
	cleanup_free char *type =
		xasprintf("%s%s%s", disk ? OCI_OWN_DISK : OCI "layer.v1.tar", plain ? "" : "+",
			  plain ? "" : compression_name(file->compression));

	return descriptor(type, file->digest, file->size);
}

static struct jv *annotations(const struct jv *manifest)
{
	static const char *const names[][2] = {
		{ "name", "org.opencontainers.image.title" },
		{ "version", "org.opencontainers.image.version" },
		{ "description", "org.opencontainers.image.description" },
		{ "homepage", "org.opencontainers.image.url" },
		{ "published_at", "org.opencontainers.image.created" },
	};
	cleanup_free char *text = jv_dump(manifest, 0);
	struct jv *v = jv_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		set_text(v, names[i][1], jv_get_string(manifest, names[i][0]));
	jv_set(v, OCI_OWN_KEY, jv_string(text));
	return v;
}

char *oci_write_manifest(const struct jv *manifest, const struct oci_file *file,
			 const char *config)
{
	bool disk = manifest_is_disk(manifest);
	cleanup_jv struct jv *v = jv_object();
	struct jv *layers = jv_array();
	char digest[OCI_DIGEST_MAX];

	oci_digest(config, strlen(config), digest);
	jv_push(layers, layer(file, disk));
	jv_set(v, "schemaVersion", jv_int(2));
	jv_set(v, "mediaType", jv_string(OCI "manifest.v1+json"));
	if (disk)
		jv_set(v, "artifactType", jv_string(OCI_OWN_DISK));
	jv_set(v, "config",
	       descriptor(disk ? OCI_OWN_MANIFEST : OCI "config.v1+json", digest,
			  strlen(config)));
	jv_set(v, "layers", layers);
	jv_set(v, "annotations", annotations(manifest));
	return jv_dump(v, 0);
}
