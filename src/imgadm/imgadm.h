/* SPDX-License-Identifier: MIT */
/*
 * imgadm.h - what the commands of imgadm share.
 */
#pragma once

#include "base/cli.h"
#include "base/err.h"
#include "base/jv.h"
#include "libimg/image.h"
#include "libstore/store.h"
#include "libsys/host.h"

#define IMGADM_POOL "zones" /* the only one */

/* Exit status beyond cli.h's. */
#define EXIT_NOT_ROOT      2
#define EXIT_NOT_INSTALLED 3

int cmd_delete(struct cli_call *call, struct err *e);
int cmd_get(struct cli_call *call, struct err *e);
int cmd_install(struct cli_call *call, struct err *e);
int cmd_list(struct cli_call *call, struct err *e);
int cmd_show(struct cli_call *call, struct err *e);

/* ---- common.c ---- */

/*
 * Print "imgadm COMMAND: error (CODE): MESSAGE" and, with -E, the JSON record
 * that callers parse. Returns the exit status that goes with CODE.
 */
ATTR_MUST_CHECK int imgadm_fail(const struct cli_call *call, const char *code,
				const char *message);

/* The host of --root, and the checks that come first: root, -P. A positive result is final. */
ATTR_MUST_CHECK int imgadm_begin(const struct cli_call *call, struct host *ret_host);

/* imgadm_fail() for "image U was not found". */
ATTR_MUST_CHECK int imgadm_not_installed(const struct cli_call *call, const char *uuid);

/* -ENOENT and friends of image_load(), reported; 0 when loaded. */
ATTR_MUST_CHECK int imgadm_load(const struct cli_call *call, const struct host *h,
				const char *uuid, struct image *ret_image);

/* Which VMs are clones of which image; empty without a pool. */
struct imgadm_clones {
	struct store_clone_of *items;
	size_t count;
};
ATTR_MUST_CHECK int imgadm_clones_load(const struct host *h, struct imgadm_clones *ret,
				       struct err *e);
void imgadm_clones_done(struct imgadm_clones *c);
#define cleanup_clones cleanup_with(imgadm_clones_done)
size_t imgadm_clones_of(const struct imgadm_clones *c, const char *image);
/* "zones/VM", ... New. */
struct jv *imgadm_clone_names(const struct imgadm_clones *c, const char *image);

/* { manifest, zpool, source }. New. */
struct jv *imgadm_describe(const struct image *img);

void imgadm_print_json(const struct jv *v);
