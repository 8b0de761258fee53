/* SPDX-License-Identifier: MIT */
/*
 * manifest.h - what an image holds: the entries of one or more manifests.
 *
 *	manifest_read() each file ──▶ manifest_merge() ──▶ manifest_find(), sorted[], ...
 *
 * The format is in manifest(5). The same grammar holds for every command and in
 * both modes; leniency only concerns what several lines say about one path.
 *
 * Entries point into the text that they were read from, which the manifest owns.
 */
#pragma once

#include "builder/report.h"

#include <sys/types.h>

#define MANIFEST_FILE_MAX ((size_t)64 << 20)

enum kind { KIND_FOLDER, KIND_FILE, KIND_SYMLINK, KIND_HARDLINK };

struct entry {
	enum kind kind;
	const char *key; /* the second word as written: "usr/bin/", "bin=usr/bin" */
	size_t path_len; /* of the path at its start, without a final slash */

	/* Folders and files; NULL for links. */
	const char *mode_text;
	const char *user;
	const char *group;
	mode_t mode;
	uid_t uid; /* set by accounts_resolve() */
	gid_t gid;

	/* Links; NULL for the others. */
	const char *target;
	const struct entry *link; /* a hard link's file in the end, set by a whole merge */

	struct place at;
};

struct manifest {
	struct entry *entries; /* in the order of the lines */
	size_t count;
	size_t cap;

	/* After manifest_merge(): one entry a path, in byte order of the path. */
	struct entry **sorted;
	size_t sorted_count;

	char **texts;
	size_t text_count;
};

void manifest_done(struct manifest *m);
#define cleanup_manifest cleanup_with(manifest_done)

/* "%.*s" of an entry's path. */
#define ENTRY_PATH(e) (int)(e)->path_len, (e)->key

char kind_letter(enum kind kind);

/*
 * Add the entries of FILE to M. A file that cannot be read, that has a bad
 * line, or that has no entry at all is an error. FILE must outlive M.
 */
void manifest_read(struct manifest *m, const char *file, struct report *r);

/* The same for LEN bytes of TEXT, with a '\0' behind them: M owns and changes TEXT. */
void manifest_parse(struct manifest *m, const char *file, char *text, size_t len,
		    struct report *r);

/* For manifest_parse(): a zeroed entry at the end, valid until the next call. */
struct entry *manifest_add(struct manifest *m);

/*
 * Bring all entries together: one a path. The same folder said twice in the
 * same words is fine; all else said twice is an error. When r->lenient, it is a
 * warning and the later line wins, except where a link meets something else
 * under its name: that stays an error.
 *
 * An entry below something that is no folder is an error. With WHOLE, when M
 * is all that an image will hold, so is a parent folder that is not listed, and
 * a hard link to what is not listed or is a folder.
 */
void manifest_merge(struct manifest *m, bool whole, struct report *r);

/* After a merge; NULL when PATH (LEN bytes, no final slash) is not listed. */
struct entry *manifest_find(const struct manifest *m, const char *path, size_t len);

/* After a merge: one entry a line, one blank between words, in byte order of the key. */
void manifest_print(const struct manifest *m, FILE *out);
