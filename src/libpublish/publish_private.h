/* SPDX-License-Identifier: MIT */
/*
 * publish_private.h - what publish.c (the caller, and what its helpers say) and
 * publish_imgapi.c (the requests to an IMGAPI, in helpers) share.
 */
#pragma once

#include "liboci/oci_write.h"
#include "libpublish/publish.h"

/* One helper each: a signature is good for minutes, a transfer may take hours. */
enum publish_step {
	PUBLISH_PUSH, /* all of it, to a registry */
	PUBLISH_IMPORT,
	PUBLISH_FILE,
	PUBLISH_ACTIVATE,
	PUBLISH_TAKE_BACK,
};

struct talk {
	const struct publish_request *req;
	const struct jv *file; /* files[0] */
	const char *uuid;
	enum publish_step step;
	int outfd;
	uint64_t told;
	struct oci_file packed; /* for a registry */
	char code[IMGAPI_CODE_MAX];
};

/* A line for the user; takes LINE. */
void talk_say(struct talk *t, char *line);
/* For http_send; DATA is the talk. */
void talk_progress(void *data, uint64_t done);

/* One step of those with an IMGAPI. */
ATTR_MUST_CHECK int publish_to_imgapi(struct talk *t, struct err *e);
