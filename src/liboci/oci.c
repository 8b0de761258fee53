/* SPDX-License-Identifier: MIT */
/*
 * oci.c - indexes, and which kind a document is; oci_describe.c has what manifests say.
 */
#include "liboci/oci_private.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"

#include <stdio.h>
#include <string.h>

/* ---- kinds ---------------------------------------------------------------- */

bool oci_is_type(const char *type, const char *name)
{
	size_t n = strlen(name);

	return strncmp(type, name, n) == 0 && (!type[n] || type[n] == ';' || type[n] == ' ');
}

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
	if (oci_is_type(type, OCI "index.v1+json") ||
	    oci_is_type(type, DOCKER "distribution.manifest.list.v2+json"))
		*ret_kind = OCI_INDEX;
	else if (oci_is_type(type, OCI "manifest.v1+json") ||
		 oci_is_type(type, DOCKER "distribution.manifest.v2+json"))
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

char *oci_platform_of(const struct jv *p)
{
	const char *arch = jv_get_string(p, "architecture");
	const char *variant = jv_get_string(p, "variant");

	if (!arch)
		arch = "unknown";
	if (!variant || !*variant || (strcmp(arch, "arm64") == 0 && strcmp(variant, "v8") == 0))
		return xstrdup(arch);
	return xasprintf("%s/%s", arch, variant);
}

int oci_platform_match(const struct jv *p, const char *arch)
{
	const char *os = jv_get_string(p, "os");
	cleanup_free char *is = oci_platform_of(p);
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
		cleanup_free char *name = oci_platform_of(p);
		/* One that does not say is what its own manifest will say. */
		int m = p ? oci_platform_match(p, arch) : jv_len(list) == 1;

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

/* ---- errors ---------------------------------------------------------------- */

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
