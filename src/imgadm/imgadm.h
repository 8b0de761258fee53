/* SPDX-License-Identifier: MIT */
/*
 * imgadm.h - what the commands of imgadm share.
 */
#pragma once

#include "base/cli.h"
#include "base/err.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/uses.h"
#include "libsource/source.h"
#include "libsys/host.h"

#define IMGADM_POOL "zones" /* the only one */

/* Exit status beyond cli.h's. */
#define EXIT_NOT_ROOT      2
#define EXIT_NOT_INSTALLED 3

int cmd_ancestry(struct cli_call *call, struct err *e);
int cmd_avail(struct cli_call *call, struct err *e);
int cmd_check(struct cli_call *call, struct err *e);
int cmd_create(struct cli_call *call, struct err *e);
int cmd_delete(struct cli_call *call, struct err *e);
int cmd_get(struct cli_call *call, struct err *e);
int cmd_import(struct cli_call *call, struct err *e);
int cmd_install(struct cli_call *call, struct err *e);
int cmd_list(struct cli_call *call, struct err *e);
int cmd_publish(struct cli_call *call, struct err *e);
int cmd_show(struct cli_call *call, struct err *e);
int cmd_sources(struct cli_call *call, struct err *e);
int cmd_update(struct cli_call *call, struct err *e);
int cmd_vacuum(struct cli_call *call, struct err *e);
int cmd_validate(struct cli_call *call, struct err *e);

/* ---- common.c ---- */

/* For struct cli_prog: what an error without a name of its own is called. */
const char *imgadm_error_name(int code, const char *message);
/* With -E, the record of wrong use; for struct cli_prog. */
void imgadm_misused(const struct cli_call *call, const char *message);

/*
 * Print "imgadm COMMAND: error (CODE): MESSAGE" and, with -E, the JSON record
 * that callers parse. Returns the exit status that goes with CODE.
 */
ATTR_MUST_CHECK int imgadm_fail(const struct cli_call *call, const char *code,
				const char *message);

/* What an error is called that came from this host alone: "NotSupported", ... */
const char *imgadm_local_code(int r);

/* The host of --root, and the checks that come first: root, -P. A positive result is final. */
ATTR_MUST_CHECK int imgadm_begin(const struct cli_call *call, struct host *ret_host);

/* The configured sources; the caller ends with sources_done(). */
ATTR_MUST_CHECK int imgadm_sources(const struct cli_call *call, const struct host *h,
				   struct sources *ret);

/* imgadm_fail() for "image U was not found". */
ATTR_MUST_CHECK int imgadm_not_installed(const struct cli_call *call, const char *uuid);

/* -ENOENT and friends of image_load(), reported; 0 when loaded. */
ATTR_MUST_CHECK int imgadm_load(const struct cli_call *call, const struct host *h,
				const char *uuid, struct image *ret_image);

/* "zones/USER", ... of who stands in the way of a delete. New. */
struct jv *imgadm_clone_names(const struct image_uses *c, const char *image);

/* A manifest from the file PATH, "-" being standard input. New. */
ATTR_MUST_CHECK int imgadm_load_json(const char *path, struct jv **ret, struct err *e);

/* { manifest, zpool, source }. New. */
struct jv *imgadm_describe(const struct image *img);

void imgadm_print_json(const struct jv *v);
