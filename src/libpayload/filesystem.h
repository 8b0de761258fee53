/* SPDX-License-Identifier: MIT */
/*
 * filesystem.h - the entries of a VM's "filesystems": what they may say, and
 * whether the host has what they name. create, update and start ask the same.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>

struct jv;
struct problems;

/* How many are mounted at most. */
#define FILESYSTEMS_MAX 32

struct filesystem {
	const char *source; /* on the host; NULL: a tmpfs */
	const char *target; /* inside */
	char size[16];      /* of a tmpfs, "" for the kernel's default */
	bool read_only, no_suid, no_exec;
	bool devices; /* asked for, and not given */
};

/* *RET_FS borrows from ENTRY. The error names the member that is wrong. */
ATTR_MUST_CHECK int filesystem_parse(const struct jv *entry, struct filesystem *ret_fs,
				     struct err *e);

/* All entries of RECORD as they are written, without a look at the host. */
void filesystem_check(const struct jv *record, struct problems *ps);

/* Are the sources there, folders or files, with no link on the way? Says whose is not. */
ATTR_MUST_CHECK int filesystem_check_sources(const struct host *h, const struct jv *record,
					     struct err *e);

/* 1: a folder, 0: a file; or the error. */
ATTR_MUST_CHECK int filesystem_source_is_folder(const struct host *h, const char *source,
						struct err *e);

/*
 * The folder, or file, that FS is mounted on is there in the root ROOTFD afterwards,
 * made where it is not. No link is followed: one on the way is an error.
 */
ATTR_MUST_CHECK int filesystem_make_target(int rootfd, const struct filesystem *fs,
					   bool is_folder, struct err *e);
