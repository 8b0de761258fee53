/* SPDX-License-Identifier: MIT */
/*
 * oci.c - indexes, manifests and configurations.
 */
#include "liboci/oci.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libdigest/digest.h"
#include "libmanifest/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OCI        "application/vnd.oci.image."
#define DOCKER     "application/vnd.docker."
#define LAYER_MAX  ((uint64_t)1 << 40)
#define LAYERS_MAX IMAGE_ORIGINS_MAX
#define NOBODY     "00000000-0000-0000-0000-000000000000"

static bool is_type(const char *type, const char *name)
{
	size_t n = strlen(name);

	return strncmp(type, name, n) == 0 && (!type[n] || type[n] == ';' || type[n] == ' ');
}

/* ---- kinds ---------------------------------------------------------------- */

static int refuse_kind(const char *type, struct err *e)
{
	if (strncmp(type, DOCKER "distribution.manifest.v1", 45) == 0)
		return err_set(e, -ENOTSUP,
			       "the image has a manifest of schema 1, which is no longer "
			       "read; push it again with a newer tool");
	return err_set(e, -ENOTSUP, "the registry sent '%.100s', which is no image", type);
}

int oci_read(const char *text, size_t len, const char *type, enum oci_kind *ret_kind,
	     struct jv **ret, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const char *own;
	int r = jv_parse(text, len, "manifest", &v, e);

	if (r < 0)
		return r;
	/* What the bytes say, which have a digest, goes before what the server says of them. */
	own = jv_get_string(v, "mediaType");
	if (own)
		type = own;
	if (jv_get_int(v, "schemaVersion", 0) == 1)
		return refuse_kind(DOCKER "distribution.manifest.v1", e);
	if (is_type(type, OCI "index.v1+json") ||
	    is_type(type, DOCKER "distribution.manifest.list.v2+json"))
		*ret_kind = OCI_INDEX;
	else if (is_type(type, OCI "manifest.v1+json") ||
		 is_type(type, DOCKER "distribution.manifest.v2+json"))
		*ret_kind = OCI_MANIFEST;
	else
		return refuse_kind(type, e);
	*ret = take_ptr(v);
	return 0;
}

int oci_read_descriptor(const struct jv *d, const char *what, uint64_t max,
			const char **ret_digest, uint64_t *ret_size, struct err *e)
{
	const char *digest = jv_get_string(d, "digest");
	int64_t size = jv_get_int(d, "size", -1);

	if (!digest || !oci_digest_is_valid(digest))
		return err_set(e, -EINVAL, "the %s has no digest of SHA-256", what);
	if (size < 0 || (uint64_t)size > max)
		return err_set(e, -EINVAL, "the size of the %s must be 0 to %llu bytes", what,
			       (unsigned long long)max);
	*ret_digest = digest;
	*ret_size = (uint64_t)size;
	return 0;
}

/* ---- one of many ---------------------------------------------------------- */

/* "arm/v7"; the variant that an architecture has anyway is left out. */
static char *platform_of(const struct jv *p)
{
	const char *arch = jv_get_string(p, "architecture");
	const char *variant = jv_get_string(p, "variant");

	if (!arch)
		arch = "unknown";
	if (!variant || !*variant || (strcmp(arch, "arm64") == 0 && strcmp(variant, "v8") == 0))
		return xstrdup(arch);
	return xasprintf("%s/%s", arch, variant);
}

/* 2: just it; 1: it will do; 0: no. */
static int match(const struct jv *p, const char *arch)
{
	const char *os = jv_get_string(p, "os");
	cleanup_free char *is = platform_of(p);
	size_t n = strcspn(arch, "/");

	if (!os || strcmp(os, "linux") != 0)
		return 0;
	if (strcmp(is, arch) == 0)
		return 2;
	/* Without a variant on one side: the plain one. */
	return strncmp(is, arch, n) == 0 && !is[n] && arch[n] ? 1 : 0;
}

int oci_choose(const struct jv *index, const char *arch, const struct jv **ret_descriptor,
	       struct err *e)
{
	const struct jv *list = jv_get(index, "manifests");
	cleanup_buf struct buf there = BUF_INIT;
	int best = 0;

	for (size_t i = 0; i < jv_len(list); i++) {
		const struct jv *d = jv_at(list, i), *p = jv_get(d, "platform");
		cleanup_free char *name = platform_of(p);
		/* One that does not say is what its own manifest will say. */
		int m = p ? match(p, arch) : jv_len(list) == 1;

		if (m > best) {
			best = m;
			*ret_descriptor = d;
		}
		if (strncmp(name, "unknown", 7) != 0 && there.len < 200)
			buf_addf(&there, "%s%s", there.len ? ", " : "", name);
	}
	if (best)
		return 0;
	return err_set(e, -ENOTSUP, "the image is not there for linux/%s (there is: %s)", arch,
		       there.len ? buf_str(&there) : "none");
}

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
	if (is_type(type, OCI "layer.v1.tar"))
		*ret = "none";
	else if (is_type(type, OCI "layer.v1.tar+gzip") ||
		 is_type(type, DOCKER "image.rootfs.diff.tar.gzip"))
		*ret = "gzip";
	else if (is_type(type, OCI "layer.v1.tar+zstd") ||
		 is_type(type, DOCKER "image.rootfs.diff.tar.zstd"))
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
	is = platform_of(p);
	m = match(p, image->arch);
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

const char *oci_error_code(int r)
{
	switch (r) {
	case -EINVAL:
	case -EBADMSG:
	case -E2BIG:
	case -ELOOP:
		return "InvalidDockerInfo";
	case -ENOTSUP:
		return "NotSupported";
	default:
		return NULL;
	}
}
