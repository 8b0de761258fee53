/* SPDX-License-Identifier: MIT */
/*
 * zone_files.h - the files that a new zone finds in its root: its name, its
 * resolver, and how its DHCP interfaces are run. docs/base-image.md lists them.
 *
 * The root comes from an image that anybody may have made: every name is reached
 * without following a link, and what stands at it is removed before it is
 * written, so nothing outside the root can be touched.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct jv;

/*
 * Write them below ROOTFD for RECORD; again is fine. FIRST_BOOT: the file that
 * says so as well. Not durable: see store_sync().
 */
ATTR_MUST_CHECK int zone_files_write(int rootfd, const struct jv *record, bool first_boot,
				     struct err *e);

/* Only /etc/resolv.conf, when RECORD has resolvers. Also in the root of a machine that runs. */
ATTR_MUST_CHECK int zone_files_write_resolvers(int rootfd, const struct jv *record,
					       struct err *e);

/* The texts, for tests. The caller frees. NULL: the file is not written. */
char *zone_file_hosts(const struct jv *record);
char *zone_file_resolv_conf(const struct jv *record);
char *zone_file_network(const struct jv *nic);
