/* SPDX-License-Identifier: MIT */
/*
 * source_ops.h - the kinds of sources: one row of operations each.
 *
 * Operations run in a helper process without rights (helper.h), one after
 * another, and may simply wait: others are asked by other processes. They use
 * call->policy for everything that they fetch. What they return is checked by the
 * caller, bounded by SOURCE_ANSWER_MAX as JSON text.
 *
 * A new kind is a new file with its row, and a line in source_types[].
 */
#pragma once

#include "base/err.h"
#include "libhttp/http.h"
#include "libsource/source.h"

#define SOURCE_ANSWER_MAX ((size_t)64 << 20)

struct source_call {
	const struct source *source;
	const struct http_policy *policy;
	char code[SOURCE_CODE_MAX]; /* set with an error that has a name of its own */
};

struct source_ops {
	const char *type; /* as in the file and in -t */
	bool lists;       /* is asked by `avail` */
	bool logs_in;     /* has a name and a password where there are any */
	bool signs;       /* a login is an HTTP Signature, source_auth.h */

	/* Is NAME something that this kind may have? A UUID, a repository, an alias. */
	bool (*takes)(const char *name);
	/* 0 when a server of this kind answers. */
	int (*ping)(struct source_call *call, struct err *e);
	/* All that the server has: an array of manifests. New. */
	int (*list)(struct source_call *call, struct jv **ret_manifests, struct err *e);
	/*
	 * One image, active or not. New:
	 *
	 *	"manifest"  its manifest
	 *	"files"     what to fetch, one object each: "url"; "headers", an array of lines;
	 *	            "size", "sha1", "sha256", "compression" where the manifest's
	 *	            files[0] lacks them: they are put there. It needs one of the hashes
	 *	"signed"    { "text", "signature" }: the bytes that the source's public_key has
	 *	            to have signed, and base64 of the signature; only needed with a key
	 *	"origins"   the same objects for its ancestors, nearest first; where it is
	 *	            absent, each origin is asked for by its uuid
	 *
	 * -ENOENT: the source has no such image.
	 */
	int (*get)(struct source_call *call, const char *name, struct jv **ret_image,
		   struct err *e);
};

extern const struct source_ops *const source_types[];   /* ends with NULL */
const struct source_ops *source_type(const char *name); /* NULL: there is none */
char *source_type_names(void);                          /* "imgapi, ..."; the caller frees */

extern const struct source_ops source_simplestreams_ops;
extern const struct source_ops source_imgapi_ops;
extern const struct source_ops source_docker_ops;
extern const struct source_ops source_oci_ops; /* the same by another name */

/* Sets call->code and returns the error. */
int source_fail(struct source_call *call, const char *code, int result, struct err *e,
		const char *fmt, ...) ATTR_PRINTF(5, 6);
