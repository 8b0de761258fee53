/* SPDX-License-Identifier: MIT */
/*
 * oci.h - names and documents of container registries: what an image is called, and what its
 * index, manifest and configuration say. No network here; docker.c asks.
 *
 * Each layer becomes an image of ours. Its uuid are the first 32 digits of the SHA-256 of the
 * layers' digests, base first, with blanks between, so that it is the same on all hosts; its
 * origin is the layer below. The topmost has the names.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;

#define OCI_DIGEST_MAX   72                  /* "sha256:" and 64 digits, with the '\0' */
#define OCI_DOCUMENT_MAX ((uint64_t)4 << 20) /* what registries must take, and we do */

/* [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST] */
struct oci_ref {
	char *host; /* NULL: not said */
	char *repo;
	char *tag; /* NULL with a digest alone; "latest" where neither is said */
	char digest[OCI_DIGEST_MAX]; /* "" */
};

ATTR_MUST_CHECK int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *e);
void oci_ref_done(struct oci_ref *ref);
#define cleanup_oci_ref cleanup_with(oci_ref_done)

bool oci_digest_is_valid(const char *digest); /* "sha256:" and 64 digits */
/* -EBADMSG where DATA is not what DIGEST says; WHAT is for the message. */
ATTR_MUST_CHECK int oci_check_digest(const void *data, size_t len, const char *digest,
				     const char *what, struct err *e);
void oci_digest(const void *data, size_t len, char ret[static OCI_DIGEST_MAX]);

/* The name registries have for this machine's processor: "amd64". */
const char *oci_machine(void);

enum oci_kind { OCI_INDEX, OCI_MANIFEST };

/* What a registry sent as TYPE (its Content-Type). New. -ENOTSUP: of no kind that is an image.
 */
ATTR_MUST_CHECK int oci_read(const char *text, size_t len, const char *type,
			     enum oci_kind *ret_kind, struct jv **ret, struct err *e);

/*
 * The entry of INDEX for Linux on ARCH ("amd64", "arm64", or with a variant "arm/v7").
 * Borrowed. -ENOTSUP names those there are.
 */
ATTR_MUST_CHECK int oci_choose(const struct jv *index, const char *arch,
			       const struct jv **ret_descriptor, struct err *e);

/* A descriptor's digest (borrowed) and size, at most MAX. */
ATTR_MUST_CHECK int oci_read_descriptor(const struct jv *d, const char *what, uint64_t max,
					const char **ret_digest, uint64_t *ret_size,
					struct err *e);

struct oci_image {
	const struct jv *manifest; /* a registry's */
	const struct jv *config;
	const char *config_digest;
	const char *repo;   /* as people write it */
	const char *tag;    /* or NULL */
	const char *digest; /* of the manifest */
	const char *arch;   /* that was wanted */
};

/*
 * An array of { "manifest" (ours), "digest" of the layer }, the topmost first. Everything is
 * checked but the layers' bytes.
 */
ATTR_MUST_CHECK int oci_describe(const struct oci_image *image, struct jv **ret_layers,
				 struct err *e);

/*
 * A disk that `imgadm publish` put there: its manifest (oci_write.h) says so, its configuration
 * is one of our manifests. The same array, of one.
 */
bool oci_is_artifact(const struct jv *manifest);
ATTR_MUST_CHECK int oci_describe_disk(const struct oci_image *image, struct jv **ret_layers,
				      struct err *e);

/* "sha256:..." of COUNT digests, base first, as a uuid. */
void oci_layer_uuid(const char *const digests[], size_t count, char ret[static UUID_STR]);

/* ---- tokens ---- */

struct oci_challenge {
	bool bearer; /* or Basic */
	char realm[512];
	char service[256];
};

/* The value of WWW-Authenticate. -ENOTSUP: neither of the two. */
ATTR_MUST_CHECK int oci_read_challenge(const char *text, struct oci_challenge *ret,
				       struct err *e);
/* What a token server says. New. */
ATTR_MUST_CHECK int oci_read_token(const char *text, size_t len, char **ret_token,
				   struct err *e);
/* "CODE: message" of a registry's error, or why there is none; returns -EREMOTEIO and the like.
 */
int oci_read_error(const char *text, size_t len, int status, struct err *e);

/* What a document's error is called: "InvalidDockerInfo", ...; NULL: it is none of these. */
const char *oci_error_code(int r);
