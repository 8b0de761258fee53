/* SPDX-License-Identifier: MIT */
/*
 * zap.h - the tables of names of ZFS: folders, and its own properties.
 *
 * All entries are visited, in no order; hashes are not looked at. Memory: one block.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZAP_NAME_MAX 1023

struct zap_entry {
	const char *name;
	const unsigned char *value; /* COUNT numbers of INT_LEN bytes, big-endian */
	unsigned int int_len;
	unsigned int count;
};

typedef int zap_fn(void *data, const struct zap_entry *entry, struct err *e);

/* FD holds the table's blocks, in byte order BIG. Ends with the first that EACH returns below
 * 0. */
ATTR_MUST_CHECK int zap_each(int fd, uint32_t block_size, bool big, zap_fn *each, void *data,
			     struct err *e);
/* Of one block alone, when it is in memory. */
ATTR_MUST_CHECK int zap_each_micro(const unsigned char *block, size_t len, bool big,
				   zap_fn *each, void *data, struct err *e);

/* The first number of the value; 0 when there is none. */
uint64_t zap_number(const struct zap_entry *entry);
