/* SPDX-License-Identifier: MIT */
/*
 * accounts.h - the users and groups of the image, never those of this machine.
 *
 * They are the ones of the image's own etc/passwd and etc/group, which are
 * looked for in the search path as any other file of the image, or of files
 * that the caller names. A name of digits only is an id. "root" is 0 even in an
 * image that has no such file.
 */
#pragma once

#include "builder/manifest.h"
#include "builder/search.h"

struct account {
	const char *name;
	unsigned int id;
};

/* One of the two files. */
struct account_table {
	char *text; /* what the names point into; NULL: there is no such file */
	char *file; /* what the accounts were read from, for messages */
	struct account *list;
	size_t count;
};

struct accounts {
	struct account_table users;
	struct account_table groups;
};

void accounts_done(struct accounts *a);
#define cleanup_accounts cleanup_with(accounts_done)

/* PASSWD and GROUP may be NULL: the search path's. Without a file the table is empty. */
void accounts_load(struct accounts *a, const struct search *s, const char *passwd,
		   const char *group, struct report *r);

/* Set the ids of every folder and file of the merged M. An unknown name is an error, once. */
void accounts_resolve(struct accounts *a, struct manifest *m, struct report *r);
