/* SPDX-License-Identifier: MIT */
/*
 * leftovers.h - what dead commands left among the images.
 */
#pragma once

#include "base/err.h"
#include "base/uuid.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stdint.h>

#define LEFTOVER_DAYS 7

/*
 * Remove downloads that nobody will go on with: those of images that are installed (a
 * kill between the two), and those that nobody touched for LEFTOVER_DAYS. Every import
 * and delete begins with it.
 */
void image_clean_downloads(const struct host *h);

enum leftover_kind {
	LEFTOVER_PARTIAL,    /* an image begun or half deleted, nobody's now */
	LEFTOVER_DOWNLOAD,   /* bytes that the next import of the image goes on with */
	LEFTOVER_UNREADABLE, /* an image whose manifest cannot be read; `update` mends it */
};

struct leftover {
	enum leftover_kind kind;
	char name[256];   /* a UUID, or another name where none belongs */
	uint64_t bytes;   /* of a download */
	const char *text; /* what it is */
	bool removed;
};

/*
 * Tell each of them to FOUND; with REPAIR, remove partial images and downloads first. What
 * somebody works on is left alone. Returns how many are left, or a negative errno.
 */
ATTR_MUST_CHECK int image_leftovers(const struct host *h, bool repair,
				    void (*found)(void *data, const struct leftover *l),
				    void *data, struct err *e);
