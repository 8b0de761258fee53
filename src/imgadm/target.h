/* SPDX-License-Identifier: MIT */
/*
 * target.h - where images are published to: an IMGAPI, or docker://HOST/REPOSITORY.
 *
 * Who we are there, whom to trust and through which proxy stands in the source that has
 * this server, when there is one.
 */
#pragma once

#include "imgadm/session.h"

#include "liboci/oci.h"

struct target {
	const char *url;             /* as it was given */
	const struct source *server; /* of the sources, or own */
	struct sources sources;
	struct source own;
	struct oci_ref ref;
	bool is_registry;
};

/* 0, or a status that was reported. H stays open as long as T is used. */
ATTR_MUST_CHECK int target_find(struct cli_call *call, const struct host *h, const char *url,
				struct target *ret);
void target_done(struct target *t); /* also zeroed memory */
#define cleanup_target cleanup_with(target_done)

/* Hand it over, and say so. FD has the file; NAME is what people call it. 0, or a status. */
ATTR_MUST_CHECK int target_publish(struct session *s, const struct target *t,
				   const struct jv *manifest, int fd, const char *name);
