/* SPDX-License-Identifier: MIT */
/*
 * push.h - hand an image to a container registry.
 *
 *	is it there? (HEAD) ─yes──────────────────────────▶ next
 *	 └─no▶ POST ▶ Location ▶ PUT, or PATCH by the piece and PUT
 *
 * First the layer, then the configuration, the manifest with its tag last: what breaks
 * before leaves nothing that has a name.
 */
#pragma once

#include "liboci/oci_write.h"
#include "libsource/source_ops.h"

struct push_request {
	struct source_call *call;
	const char *repo, *tag;
	const struct jv *manifest; /* ours */
	const struct oci_file *file;
	int fd;
	void (*say)(void *data, const char *line);
	void (*progress)(void *data, uint64_t done);
	void *data;
};

/* What FD is, read in a helper. */
ATTR_MUST_CHECK int push_measure(int fd, struct oci_file *ret, struct err *e);

/* Runs in a helper. call->code says more of some errors. */
ATTR_MUST_CHECK int push_image(const struct push_request *req, struct err *e);
