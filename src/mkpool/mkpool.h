/* SPDX-License-Identifier: MIT */
/*
 * mkpool.h - make, mount and unmount the pool "zones" of a host.
 *
 * ROOT/etc/dais/pool.json says what the pool is on, so that it can be mounted
 * again after a reboot on hosts that are not platforms:
 *
 *	{ "file": "/srv/pool.img" }     or     { "devices": [ "/dev/vdb" ] }
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MKPOOL_DEVICES_MAX 16

struct jv;

struct mkpool {
	struct host host;
	bool force;
	bool quiet;
	uint64_t size; /* bytes; 0: not given */
	char *file;    /* absolute, or NULL */
	const char *devices[MKPOOL_DEVICES_MAX];
	size_t device_count;
	struct jv *answer; /* an object: what --json prints */
};

/* Each fills m->answer. */
ATTR_MUST_CHECK int mkpool_make(struct mkpool *m, struct err *e);
ATTR_MUST_CHECK int mkpool_mount(struct mkpool *m, struct err *e);
ATTR_MUST_CHECK int mkpool_unmount(struct mkpool *m, struct err *e);

/* Says what is being done, to people. */
void mkpool_say(const struct mkpool *m, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* ---- inspect.c ---- */

/* -EBUSY naming what it found when PATH, a device or file, holds data. */
ATTR_MUST_CHECK int mkpool_check_empty(const char *path, struct err *e);
/* -EBUSY when the block device PATH is mounted, swapped on, or part of something. */
ATTR_MUST_CHECK int mkpool_check_unused(const char *path, struct err *e);
/* -EBUSY naming a VM that runs. */
ATTR_MUST_CHECK int mkpool_check_no_vm_runs(const struct host *h, struct err *e);

/* ---- mount.c ---- */

/* The mount point's descriptor, made when absent. Refused when it is not mounted and not empty.
 */
ATTR_MUST_CHECK int mkpool_open_target(const struct mkpool *m, bool *ret_mounted,
				       struct err *e);
/* Attach (a file), mount, make the folders, remember. Undone when one fails. */
ATTR_MUST_CHECK int mkpool_bring_up(struct mkpool *m, struct err *e);
/* Is what is mounted the thing that M asks for, by pool.json? */
bool mkpool_is_same(const struct mkpool *m);
