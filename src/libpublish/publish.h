/* SPDX-License-Identifier: MIT */
/*
 * publish.h - hand an image to an IMGAPI server, or to a container registry (push.h).
 *
 *	import (manifest) ▶ file ▶ is it whole there? ▶ activate
 *	└────────── deleted there when one of these fails ──┘
 *
 * What a publish that was killed left there, not activated, the next one goes on with.
 */
#pragma once

#include "base/err.h"
#include "liboci/oci.h"
#include "libsource/imgapi.h"
#include "libsource/source.h"

#include <stdint.h>

struct jv;

struct publish_request {
	const struct source *server; /* an IMGAPI, or a registry */
	const struct oci_ref *ref;   /* of a registry: what it will be called there; or NULL */
	const struct http_policy *policy;
	const struct jv *manifest;
	const char *name; /* of the file, for people */
	int fd;
	void (*say)(void *data, const char *line);
	void (*progress)(void *data, uint64_t done);
	void *data;
};

/*
 * The requests are made in helpers, signed where the server has a login. CODE gets the server's
 * word, or one of ours.
 */
ATTR_MUST_CHECK int publish(const struct publish_request *req, char code[IMGAPI_CODE_MAX],
			    struct err *e);
