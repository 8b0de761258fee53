/* SPDX-License-Identifier: MIT */
/*
 * oci_describe.c - the layers of a registry's manifest as images of ours.
 */
#include "liboci/oci_private.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libdigest/digest.h"
#include "libmanifest/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LAYER_MAX  ((uint64_t)1 << 40)
#define LAYERS_MAX IMAGE_ORIGINS_MAX
#define NOBODY     "00000000-0000-0000-0000-000000000000"

/* ---- layers --------------------------------------------------------------- */

void oci_layer_uuid(const char *const digests[], size_t count, char ret[static UUID_STR])
{
	cleanup_digest struct digest *d = digest_new(DIGEST_SHA256);
	char hex[DIGEST_HEX_MAX];

	for (size_t i = 0; i < count; i++) {
		if (i)
			digest_add(d, " ", 1);
		digest_add(d, digests[i], strlen(digests[i]));
	}
	digest_hex(d, hex);
	(void)snprintf(ret, UUID_STR, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		       hex + 16, hex + 20);
}

/* How the layer is packed, for its manifest; what it is shows in its bytes. */
static int compression_of(const struct jv *layer, size_t i, const char **ret, struct err *e)
{
	const char *type = jv_get_string(layer, "mediaType");

	if (!type)
		return err_set(e, -EINVAL, "layer %zu has no mediaType", i + 1);
	if (strstr(type, "nondistributable") || strstr(type, "foreign") ||
	    jv_len(jv_get(layer, "urls")) > 0)
		return err_set(e, -ENOTSUP,
			       "layer %zu is not in the registry ('%.100s'); such layers are "
			       "not fetched from elsewhere",
			       i + 1, type);
	if (oci_is_type(type, OCI "layer.v1.tar"))
		*ret = "none";
	else if (oci_is_type(type, OCI "layer.v1.tar+gzip") ||
		 oci_is_type(type, DOCKER "image.rootfs.diff.tar.gzip"))
		*ret = "gzip";
	else if (oci_is_type(type, OCI "layer.v1.tar+zstd") ||
		 oci_is_type(type, DOCKER "image.rootfs.diff.tar.zstd"))
		*ret = "zstd";
	else
		return err_set(e, -ENOTSUP, "layer %zu is of the kind '%.100s', not a tar",
			       i + 1, type);
	return 0;
}

static struct jv *files_of(const char *digest, uint64_t size, const char *diff_id,
			   const char *compression)
{
	struct jv *file = jv_object(), *files = jv_array();

	jv_set(file, "size", jv_int((int64_t)size));
	jv_set(file, "compression", jv_string(compression));
	jv_set(file, "digest", jv_string(digest));
	jv_set(file, "uncompressedDigest", jv_string(diff_id));
	jv_push(files, file);
	return files;
}

/* ---- our manifests -------------------------------------------------------- */

struct describe {
	const struct oci_image *image;
	const struct jv *layers;
	const struct jv *diff_ids;
	const char *digests[LAYERS_MAX];
	char chain[OCI_DIGEST_MAX];
};

/* The ChainID of one more layer. */
static void extend_chain(struct describe *d, const char *diff_id)
{
	cleanup_free char *text = NULL;

	if (!d->chain[0]) {
		(void)snprintf(d->chain, sizeof(d->chain), "%s", diff_id);
		return;
	}
	text = xasprintf("%s %s", d->chain, diff_id);
	oci_digest(text, strlen(text), d->chain);
}

/* "2024-01-02T03:04:05.678901234Z": what is finer than ms, our manifests do not have. */
static struct jv *published(const char *created)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	cleanup_free char *text = NULL;
	const char *rest;
	size_t i = 0;

	for (; shape[i]; i++)
		if (!created[i] || (shape[i] == 'd' ? !isdigit((unsigned char)created[i])
						    : created[i] != shape[i]))
			return NULL;
	rest = created + i;
	rest += strspn(rest, ".0123456789");
	if (strcmp(rest, "Z") != 0)
		return NULL;
	text = xasprintf("%.19s.000Z", created);
	return jv_string(text);
}

static struct jv *config_of(const struct jv *config)
{
	static const char *const keys[] = { "Cmd",        "Entrypoint", "Env",
					    "WorkingDir", "User",       "StopSignal" };
	const struct jv *from = jv_get(config, "config");
	struct jv *v = jv_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (jv_get(from, keys[i]) && jv_type(jv_get(from, keys[i])) != JV_NULL)
			jv_set(v, keys[i], jv_copy(jv_get(from, keys[i])));
	return v;
}

static struct jv *tags_of(const struct describe *d, bool top)
{
	const char *arch = jv_get_string(d->image->config, "architecture");
	struct jv *t = jv_object();

	jv_set(t, "docker:repo", jv_string(d->image->repo));
	jv_set(t, "docker:id", jv_string(top ? d->image->config_digest : d->chain));
	jv_set(t, "docker:architecture", jv_string(arch ? arch : ""));
	jv_set(t, "docker:chain_id", jv_string(d->chain));
	if (!top)
		return t;
	jv_set(t, "docker:digest", jv_string(d->image->digest));
	if (d->image->tag) {
		cleanup_free char *key = xasprintf("docker:tag:%s", d->image->tag);

		jv_set(t, key, jv_bool(true));
	}
	jv_set(t, "docker:config", config_of(d->image->config));
	return t;
}

static struct jv *manifest_of(const struct describe *d, size_t i, bool top)
{
	const char *created = jv_get_string(d->image->config, "created");
	char uuid[UUID_STR], version[13];
	struct jv *m = jv_object(), *when = created ? published(created) : NULL;

	oci_layer_uuid(d->digests, i + 1, uuid);
	(void)snprintf(version, sizeof(version), "%.12s",
		       (top ? d->image->config_digest : d->chain) + strlen("sha256:"));
	jv_set(m, "v", jv_int(2));
	jv_set(m, "uuid", jv_string(uuid));
	jv_set(m, "owner", jv_string(NOBODY));
	jv_set(m, "name", jv_string("docker-layer"));
	jv_set(m, "version", jv_string(version));
	jv_set(m, "state", jv_string("active"));
	jv_set(m, "disabled", jv_bool(false));
	jv_set(m, "public", jv_bool(true));
	if (when)
		jv_set(m, "published_at", when);
	jv_set(m, "type", jv_string("docker"));
	jv_set(m, "os", jv_string("linux"));
	if (i > 0) {
		oci_layer_uuid(d->digests, i, uuid);
		jv_set(m, "origin", jv_string(uuid));
	}
	jv_set(m, "tags", tags_of(d, top));
	return m;
}

static int describe_layer(struct describe *d, size_t i, struct jv **ret, struct err *e)
{
	const struct jv *layer = jv_at(d->layers, i);
	const char *diff_id = jv_as_string(jv_at(d->diff_ids, i)), *compression = NULL;
	struct jv *m, *one;
	uint64_t size;
	char what[32];
	int r;

	(void)snprintf(what, sizeof(what), "layer %zu", i + 1);
	r = oci_read_descriptor(layer, what, LAYER_MAX, &d->digests[i], &size, e);
	if (r == 0)
		r = compression_of(layer, i, &compression, e);
	if (r == 0 && (!diff_id || !oci_digest_is_valid(diff_id)))
		r = err_set(e, -EINVAL,
			    "/rootfs/diff_ids/%zu of the configuration is no digest", i);
	if (r < 0)
		return r;
	extend_chain(d, diff_id);
	m = manifest_of(d, i, i + 1 == jv_len(d->layers));
	jv_set(m, "files", files_of(d->digests[i], size, diff_id, compression));
	one = jv_object();
	jv_set(one, "digest", jv_string(d->digests[i]));
	jv_set(one, "manifest", m);
	*ret = one;
	return 0;
}

static int check_config(const struct oci_image *image, struct err *e)
{
	const char *os = jv_get_string(image->config, "os");
	struct jv *p = jv_object();
	cleanup_free char *is = NULL;
	int m;

	jv_set(p, "os", jv_string("linux"));
	for (size_t i = 0; i < 2; i++) {
		static const char *const keys[] = { "architecture", "variant" };
		const char *v = jv_get_string(image->config, keys[i]);

		if (v)
			jv_set(p, keys[i], jv_string(v));
	}
	is = oci_platform_of(p);
	m = oci_platform_match(p, image->arch);
	jv_unref(p);
	if (!os || strcmp(os, "linux") != 0)
		return err_set(e, -ENOTSUP, "the image is for the system '%.64s', not linux",
			       os ? os : "");
	if (!m && strncmp(is, image->arch, strcspn(image->arch, "/")) != 0)
		return err_set(
			e, -ENOTSUP,
			"the image is for linux/%.64s, not linux/%s; --arch takes it all "
			"the same",
			is, image->arch);
	return 0;
}

/* The topmost comes first. */
static struct jv *reversed(struct jv *list[], size_t count)
{
	struct jv *v = jv_array();

	while (count > 0)
		jv_push(v, list[--count]);
	return v;
}

int oci_describe(const struct oci_image *image, struct jv **ret_layers, struct err *e)
{
	struct describe d = { .image = image,
			      .layers = jv_get(image->manifest, "layers"),
			      .diff_ids = jv_get(jv_get(image->config, "rootfs"), "diff_ids") };
	size_t count = jv_len(d.layers), made = 0;
	struct jv *list[LAYERS_MAX];
	int r = check_config(image, e);

	if (r == 0 && (count == 0 || count > LAYERS_MAX))
		r = err_set(e, count ? -E2BIG : -ENOTSUP,
			    "the image has %zu layers; 1 to %d can be installed", count,
			    LAYERS_MAX);
	if (r == 0 && jv_len(d.diff_ids) != count)
		r = err_set(e, -EINVAL,
			    "the image has %zu layers, its configuration %zu of them", count,
			    jv_len(d.diff_ids));
	for (; r == 0 && made < count; made += r == 0)
		r = describe_layer(&d, made, &list[made], e);
	if (r == 0) {
		*ret_layers = reversed(list, made);
		return 0;
	}
	while (made > 0)
		jv_unref(list[--made]);
	return r;
}
