/* SPDX-License-Identifier: MIT */
/*
 * install.h - put an image into the pool, and take one out.
 *
 *	lock ─ is it there? ─ begin (partial) ─ read, hash, unpack ─ sizes and
 *	hashes right? ─ manifest, meta ─ commit (one rename)
 *
 * Whatever fails leaves the partial image destroyed; a kill leaves it, without
 * its lock, for the next install or delete of any image to clean.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct jv;

enum install_outcome {
	INSTALL_DONE,
	INSTALL_WAS_THERE,
	INSTALL_CAME_MEANWHILE, /* somebody else did it while we waited for the lock */
};

struct install_request {
	const struct jv *manifest; /* checked; see manifest_load() */
	const char *file;
	uint64_t max_bytes; /* of the unpacked files; 0: the default, see docs/images.md */
	/* Called with the bytes of the file read so far. May be NULL. */
	void (*progress)(void *data, uint64_t done);
	/* A line for people: what is left out, what is waited for. May be NULL. */
	void (*note)(void *data, const char *line);
	/* The work begins, FILE has TOTAL bytes: not called when the image is there. May be
	 * NULL. */
	void (*begin)(void *data, uint64_t total);
	void *data;
	/* When it becomes non-zero the work is given up (-EINTR) and cleaned. May be NULL. */
	const volatile sig_atomic_t *cancel;
};

/*
 * -EBADMSG: size or hash is not the manifest's; -EINVAL: the archive is refused;
 * the rest is the system's.
 */
ATTR_MUST_CHECK int image_install(const struct host *h, const struct install_request *req,
				  enum install_outcome *ret_outcome, struct err *e);

/* -ENOENT: not installed; -EBUSY: a VM uses it, and which. */
ATTR_MUST_CHECK int image_delete(const struct host *h, const char *uuid, struct err *e);

/* What the rules ask beyond manifest_check() before a file can be installed. -EINVAL. */
ATTR_MUST_CHECK int image_check_installable(const struct jv *manifest, struct err *e);
