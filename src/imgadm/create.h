/* SPDX-License-Identifier: MIT */
/*
 * create.h - what the files of 'imgadm create' share.
 */
#pragma once

#include "imgadm/target.h"

#include "base/uuid.h"
#include "libimgfile/compression.h"
#include "libimgfile/extract.h"
#include "libimgfile/pack.h"

struct creation {
	struct cli_call *call;
	const struct host *host;
	struct session session;
	struct target target; /* of -p; its url is NULL without */
	struct jv *record;    /* of the VM */
	struct jv *manifest;  /* of the image-to-be */
	struct image origin;  /* of the VM; its manifest is NULL when it is not installed */
	char uuid[UUID_STR];  /* of the image-to-be */
	enum compression compression;
	bool incremental;
};

/* ---- create_manifest.c ---- */

/*
 * What -m says and FIELD=VALUE, what the origin passes on, and what follows from the VM;
 * checked, but for its file. 0, or a status that was reported.
 */
ATTR_MUST_CHECK int create_make_manifest(struct creation *c);
/* files[0], once it is known. */
void create_set_file(struct creation *c, const struct pack_result *file);

/* ---- create_vm.c ---- */

/* The record of the VM that the first operand names: a UUID, or an alias. 0, or a status. */
ATTR_MUST_CHECK int create_load_vm(struct creation *c);

/* ---- create_output.c ---- */

/* The file that is written, without a name until it is whole; with -p it never gets one. */
struct output {
	char *prefix; /* path of both files, without what tells them apart; NULL with -p */
	char *dir, *name;
	int dirfd, fd;
	bool named; /* where nameless files are not to be had */
};

#define OUTPUT_INIT                   \
	{                             \
		.dirfd = -1, .fd = -1 \
	}

ATTR_MUST_CHECK int output_begin(const struct creation *c, struct output *ret, struct err *e);
/* Gives both files their names: in the place of what had them. */
ATTR_MUST_CHECK int output_end(const struct creation *c, struct output *o, struct err *e);
void output_done(struct output *o);
#define cleanup_output cleanup_with(output_done)
