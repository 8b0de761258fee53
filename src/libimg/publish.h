/* SPDX-License-Identifier: MIT */
/*
 * publish.h - hand an image to an IMGAPI server, or to a container registry (push.h).
 *
 *	import (manifest) ▶ file ▶ is it whole there? ▶ activate
 *	└────────── deleted there when one of these fails ──┘
 */
#pragma once

#include "base/err.h"
#include "libimg/imgapi.h"
#include "libimg/oci.h"
#include "libimg/source.h"

#include <stdint.h>

struct jv;

struct publish_request {
	const char *url; /* of the server */
	const struct jv *manifest;
	const char *name; /* of the file, for people */
	int fd;
	const char *agent;
	const struct source *registry; /* or NULL: URL is an IMGAPI */
	const struct oci_ref *ref;     /* of a registry: what it will be called there */
	const struct http_policy *policy;
	void (*say)(void *data, const char *line);
	void (*progress)(void *data, uint64_t done);
	void *data;
};

/* The requests are made in a helper. CODE gets the server's word, or one of ours. */
ATTR_MUST_CHECK int publish(const struct publish_request *req, char code[IMGAPI_CODE_MAX],
			    struct err *e);
