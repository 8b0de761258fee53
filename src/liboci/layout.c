/* SPDX-License-Identifier: MIT */
#include "liboci/layout.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "liboci/oci_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define INDEXES_MAX 3 /* in one another */
#define REF_NAME    "org.opencontainers.image.ref.name"

int layout_ref_parse(const char *text, struct layout_ref *ret, struct err *e)
{
	const char *slash = strrchr(text, '/');
	const char *colon = strchr(slash ? slash : text, ':');

	*ret = (struct layout_ref){ 0 };
	if (!*text || colon == text || (colon && !colon[1]))
		return err_set(e, -EINVAL, "'oci:%.200s' is not oci:DIR[:TAG]", text);
	ret->dir = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	ret->tag = colon ? xstrdup(colon + 1) : NULL;
	return 0;
}

void layout_ref_done(struct layout_ref *ref)
{
	free(ref->dir);
	free(ref->tag);
	*ref = (struct layout_ref){ 0 };
}

char *layout_blob(const struct layout_ref *ref, const char *digest)
{
	return xasprintf("%s/blobs/sha256/%s", ref->dir, strchr(digest, ':') + 1);
}

/* ---- documents ------------------------------------------------------------ */

struct reading {
	const struct layout_ref *ref;
	const char *arch;
	char digest[OCI_DIGEST_MAX]; /* of the manifest */
	struct jv *manifest;
	struct jv *config;
};

/* What the descriptor D stands for, as text. New. */
static int read_blob(const struct reading *r, const struct jv *d, const char *what, char **ret,
		     size_t *ret_len, const char **ret_digest, struct err *e)
{
	cleanup_free char *path = NULL, *text = NULL;
	const char *digest;
	uint64_t size;
	int x = oci_read_descriptor(d, what, OCI_DOCUMENT_MAX, &digest, &size, e);

	if (x < 0)
		return x;
	path = layout_blob(r->ref, digest);
	x = file_read_all(AT_FDCWD, path, OCI_DOCUMENT_MAX, &text, ret_len, e);
	if (x == 0)
		x = oci_check_digest(text, *ret_len, digest, what, e);
	if (x < 0)
		return x;
	*ret = take_ptr(text);
	if (ret_digest)
		*ret_digest = digest;
	return 0;
}

static bool has_tag(const struct jv *d, const char *tag)
{
	const char *name = jv_get_string(jv_get(d, "annotations"), REF_NAME);

	return name && strcmp(name, tag) == 0;
}

static int refuse(const struct reading *r, const struct jv *list, struct err *e)
{
	cleanup_buf struct buf there = BUF_INIT;

	for (size_t i = 0; i < jv_len(list) && there.len < 200; i++) {
		const char *name =
			jv_get_string(jv_get(jv_at(list, i), "annotations"), REF_NAME);

		if (name)
			buf_addf(&there, "%s%.100s", there.len ? ", " : "", name);
	}
	if (r->ref->tag)
		return err_set(e, -ENOENT, "'%s' has no tag '%s' (there is: %s)", r->ref->dir,
			       r->ref->tag, there.len ? buf_str(&there) : "none");
	return err_set(e, -ENOENT, "'%s' has %zu images; say which: oci:%s:TAG (there is: %s)",
		       r->ref->dir, jv_len(list), r->ref->dir,
		       there.len ? buf_str(&there) : "none");
}

/* The entry of index.json: by its tag, the only one, or one of several processors' alone. */
static int choose_tagged(const struct reading *r, const struct jv *index,
			 const struct jv **ret_one, struct err *e)
{
	const struct jv *list = jv_get(index, "manifests");
	const char *tag = r->ref->tag;

	for (size_t i = 0; tag && i < jv_len(list); i++)
		if (has_tag(jv_at(list, i), tag)) {
			*ret_one = jv_at(list, i);
			return 0;
		}
	if (tag || jv_len(list) != 1)
		return refuse(r, list, e);
	*ret_one = jv_at(list, 0);
	return 0;
}

/* From the entry D through indexes to the manifest of one image. */
static int read_manifest(struct reading *r, const struct jv *d, struct err *e)
{
	cleanup_jv struct jv *held = NULL;

	for (int i = 0; i <= INDEXES_MAX; i++) {
		const char *type = jv_get_string(d, "mediaType"), *digest;
		cleanup_free char *text = NULL;
		cleanup_jv struct jv *v = NULL;
		enum oci_kind kind = OCI_INDEX;
		size_t len;
		int x = read_blob(r, d, "manifest", &text, &len, &digest, e);

		if (x == 0) {
			(void)snprintf(r->digest, sizeof(r->digest), "%s", digest);
			x = oci_read(text, len, type ? type : "", &kind, &v, e);
		}
		if (x == 0 && kind == OCI_MANIFEST) {
			r->manifest = take_ptr(v);
			return 0;
		}
		if (x == 0)
			x = oci_choose(v, r->arch, &d, e);
		if (x < 0)
			return x;
		jv_unref(held);
		held = take_ptr(v);
	}
	return err_set(e, -ELOOP, "there are more than %d indexes in one another", INDEXES_MAX);
}

static int read_config(struct reading *r, struct err *e)
{
	const struct jv *d = jv_get(r->manifest, "config");
	const char *type = jv_get_string(d, "mediaType");
	cleanup_free char *text = NULL;
	size_t len;
	int x;

	if (!oci_is_artifact(r->manifest) &&
	    (!type || (strcmp(type, OCI "config.v1+json") != 0 &&
		       strcmp(type, "application/vnd.docker.container.image.v1+json") != 0)))
		return err_set(e, -ENOTSUP, "it is '%.100s', not an image of a system",
			       type ? type : "nothing that says what it is");
	x = read_blob(r, d, "configuration", &text, &len, NULL, e);
	return x < 0 ? x : jv_parse(text, len, "configuration", &r->config, e);
}

static int describe(const struct reading *r, struct jv **ret, struct err *e)
{
	const char *digest = jv_get_string(jv_get(r->manifest, "config"), "digest");
	const char *slash = strrchr(r->ref->dir, '/');
	const struct oci_image image = { .manifest = r->manifest,
					 .config = r->config,
					 .config_digest = digest,
					 .repo = slash && slash[1] ? slash + 1 : r->ref->dir,
					 .tag = r->ref->tag,
					 .digest = r->digest,
					 .arch = r->arch };

	return oci_is_artifact(r->manifest) ? oci_describe_disk(&image, ret, e)
					    : oci_describe(&image, ret, e);
}

/* ---- the whole ------------------------------------------------------------ */

static int load(const struct layout_ref *ref, const char *name, struct jv **ret, struct err *e)
{
	cleanup_free char *path = xasprintf("%s/%s", ref->dir, name);

	return jv_load(AT_FDCWD, path, OCI_DOCUMENT_MAX, ret, e);
}

static int check_version(const struct layout_ref *ref, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const char *version;
	int x = load(ref, "oci-layout", &v, e);

	if (x == -ENOENT)
		return err_set(e, x, "'%s' is no OCI layout: it has no file 'oci-layout'",
			       ref->dir);
	if (x < 0)
		return x;
	version = jv_get_string(v, "imageLayoutVersion");
	if (!version || strncmp(version, "1.", 2) != 0)
		return err_set(e, -ENOTSUP, "'%s' is a layout of version '%.20s'; 1 is read",
			       ref->dir, version ? version : "");
	return 0;
}

int layout_read(const struct layout_ref *ref, const char *arch, struct jv **ret_layers,
		struct err *e)
{
	struct reading r = { .ref = ref, .arch = arch ? arch : oci_machine() };
	cleanup_jv struct jv *index = NULL;
	const struct jv *one = NULL;
	int x = check_version(ref, e);

	if (x == 0)
		x = load(ref, "index.json", &index, e);
	if (x == 0)
		x = choose_tagged(&r, index, &one, e);
	if (x == 0)
		x = read_manifest(&r, one, e);
	if (x == 0)
		x = read_config(&r, e);
	if (x == 0)
		x = describe(&r, ret_layers, e);
	jv_unref(r.manifest);
	jv_unref(r.config);
	return x;
}
