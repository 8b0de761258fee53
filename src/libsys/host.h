/* SPDX-License-Identifier: MIT */
/*
 * host.h - where things are on a host, below one root folder.
 *
 * The root is "/" on a platform and on a server that has the programs
 * installed; --root DIR gives tests and trials a host of their own.
 *
 *	ROOT/etc/dais/          nictags.json, host settings
 *	ROOT/etc/zones/         UUID.json, one record a VM: the truth
 *	ROOT/etc/zones/.journal/   UUID.json while a change is under way
 *	ROOT/etc/zones/.claims/    symbolic links NAME -> UUID, see librecord/claim.h
 *	ROOT/zones/             the pool "zones", mounted
 *	ROOT/zones/UUID/        a VM: root/ (its file system), logs/
 *	ROOT/zones/images/UUID/ an image: manifest.json, rootfs/
 *	ROOT/run/dais/UUID/     a running VM: state.json, zoneadmd.sock, metadata/metadata.sock
 *	ROOT/run/dais/lock/     UUID, send.UUID, image.UUID: a file each, never unlinked
 *	ROOT/var/log/dais/      logs that are not a VM's
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

#define HOST_ETC     "etc/dais"
#define HOST_RECORDS "etc/zones"
#define HOST_JOURNAL "etc/zones/.journal"
#define HOST_CLAIMS  "etc/zones/.claims"
#define HOST_POOL    "zones"
#define HOST_IMAGES  "zones/images"
#define HOST_RUN     "run/dais"
#define HOST_LOCKS   "run/dais/lock"
#define HOST_LOG     "var/log/dais"

struct host {
	char *root; /* absolute, no final slash; "" for "/" */
	int fd;     /* the root folder */
};

/* ROOT is NULL for "/". The folder must exist; nothing is made. */
ATTR_MUST_CHECK int host_open(struct host *ret_host, const char *root, struct err *e);
void host_close(struct host *h);

/* Open DIR (one of HOST_*), making it with MODE if it is absent. Returns the descriptor. */
ATTR_MUST_CHECK int host_dir(const struct host *h, const char *dir, mode_t mode, struct err *e);

/* Same, but -ENOENT when it is absent: for programs that only look. */
ATTR_MUST_CHECK int host_dir_existing(const struct host *h, const char *dir, struct err *e);

/* "ROOT/DIR/NAME" as text, for programs and libraries that take paths. The caller frees. */
char *host_path(const struct host *h, const char *dir, const char *name);
