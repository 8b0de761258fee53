/* SPDX-License-Identifier: MIT */
/*
 * merge.c - many lists into one, and what they may not say about each other.
 *
 * Entries are sorted by path, so that what concerns one path, or one folder,
 * stands together; a parent comes before everything below it.
 */
#include "builder/manifest.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <string.h>

/* Hard links to hard links are followed this far: more is a circle, or might as well be one. */
#define LINK_DEPTH_MAX 32

static int compare_paths(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int r = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return r ? r : (a_len > b_len) - (a_len < b_len);
}

/* Lines about the same path stay in the order in which they were read. */
static int by_path(const void *a, const void *b)
{
	const struct entry *x = *(const struct entry *const *)a;
	const struct entry *y = *(const struct entry *const *)b;
	int r = compare_paths(x->key, x->path_len, y->key, y->path_len);

	return r ? r : (x > y) - (x < y);
}

struct entry *manifest_find(const struct manifest *m, const char *path, size_t len)
{
	size_t low = 0;
	size_t high = m->sorted_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct entry *en = m->sorted[mid];
		int r = compare_paths(path, len, en->key, en->path_len);

		if (r == 0)
			return en;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* What a line says about its path. */
static const char *words_of(const struct entry *en, struct buf *b)
{
	if (en->target)
		buf_addf(b, "%s link to %s", en->kind == KIND_SYMLINK ? "symbolic" : "hard",
			 en->target);
	else
		buf_addf(b, "%c %s %s %s", kind_letter(en->kind), en->mode_text, en->user,
			 en->group);
	return buf_str(b);
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->target)
		return strcmp(a->target, b->target) == 0;
	return a->mode == b->mode && strcmp(a->user, b->user) == 0 &&
	       strcmp(a->group, b->group) == 0;
}

/* Two lines that the original took for one and the same key: it warned, and took the later. */
static bool may_replace(const struct entry *first, const struct entry *again)
{
	if (!first->target || !again->target)
		return !first->target && !again->target;
	return strcmp(first->target, again->target) == 0;
}

/* FIRST and AGAIN are about one path. Returns the one that counts. */
static struct entry *settle(struct entry *first, struct entry *again, struct report *r)
{
	cleanup_buf struct buf was = BUF_INIT;
	cleanup_buf struct buf is = BUF_INIT;
	cleanup_buf struct buf text = BUF_INIT;
	bool same = is_same(first, again);

	if (same && again->kind == KIND_FOLDER)
		return again;
	if (same)
		buf_addf(&text, "in the same way as at %s:%u", first->at.file, first->at.line);
	else
		buf_addf(&text, "as '%s'; it is '%s' at %s:%u", words_of(again, &is),
			 words_of(first, &was), first->at.file, first->at.line);

	if (r->lenient && may_replace(first, again))
		report_warning(r, again->at,
			       "'%.*s' is listed again, %s; the later line is used",
			       ENTRY_PATH(again), text.data);
	else
		report_error(r, again->at,
			     "'%.*s' is listed again, %s; one of the lines must go",
			     ENTRY_PATH(again), text.data);
	return again;
}

static void sort_and_settle(struct manifest *m, struct report *r)
{
	size_t n = 0;

	free(m->sorted);
	m->sorted = xcalloc(m->count + 1, sizeof(struct entry *));
	for (size_t i = 0; i < m->count; i++)
		m->sorted[i] = &m->entries[i];
	qsort(m->sorted, m->count, sizeof(struct entry *), by_path);

	for (size_t i = 0; i < m->count; i++) {
		struct entry *en = m->sorted[i];
		struct entry *last = n ? m->sorted[n - 1] : NULL;

		if (last &&
		    compare_paths(last->key, last->path_len, en->key, en->path_len) == 0)
			m->sorted[n - 1] = settle(last, en, r);
		else
			m->sorted[n++] = en;
	}
	m->sorted_count = n;
}

/* EN lies in a folder whose path is its first LEN bytes. */
static void check_parent(const struct manifest *m, const struct entry *en, size_t len,
			 bool whole, struct report *r)
{
	cleanup_buf struct buf words = BUF_INIT;
	const struct entry *parent = manifest_find(m, en->key, len);

	if (parent && parent->kind != KIND_FOLDER)
		report_error(r, en->at, "'%.*s' cannot lie in '%.*s', which is '%s' at %s:%u",
			     ENTRY_PATH(en), (int)len, en->key, words_of(parent, &words),
			     parent->at.file, parent->at.line);
	else if (!parent && whole)
		report_error(
			r, en->at,
			"'%.*s' lies in '%.*s', which is not listed; add 'd %.*s MODE USER GROUP'",
			ENTRY_PATH(en), (int)len, en->key, (int)len, en->key);
}

/*
 * Each parent is looked at once: what lies below one folder stands together,
 * so a parent shared with the entry before has been looked at already.
 */
static void check_parents(const struct manifest *m, bool whole, struct report *r)
{
	for (size_t i = 0; i < m->sorted_count; i++) {
		const struct entry *en = m->sorted[i];
		const struct entry *before = i ? m->sorted[i - 1] : NULL;
		size_t common = 0;

		while (before && common < en->path_len && common < before->path_len &&
		       en->key[common] == before->key[common])
			common++;
		for (size_t k = common; k < en->path_len; k++)
			if (en->key[k] == '/')
				check_parent(m, en, k, whole, r);
	}
}

static void resolve_hard_link(const struct manifest *m, struct entry *en, struct report *r)
{
	const struct entry *at = en;

	for (int depth = 0; at->kind == KIND_HARDLINK; depth++) {
		const char *target = at->target;

		if (depth == LINK_DEPTH_MAX) {
			report_error(r, en->at,
				     "hard link '%.*s' leads to hard links without end",
				     ENTRY_PATH(en));
			return;
		}
		at = manifest_find(m, target, strlen(target));
		if (!at) {
			report_error(r, en->at,
				     "hard link '%.*s' leads to '%s', which is not listed",
				     ENTRY_PATH(en), target);
			return;
		}
	}
	if (at->kind == KIND_FOLDER)
		report_error(r, en->at, "hard link '%.*s' leads to '%.*s', a folder at %s:%u",
			     ENTRY_PATH(en), ENTRY_PATH(at), at->at.file, at->at.line);
	en->link = at;
}

void manifest_merge(struct manifest *m, bool whole, struct report *r)
{
	sort_and_settle(m, r);
	check_parents(m, whole, r);
	if (!whole)
		return;
	for (size_t i = 0; i < m->sorted_count; i++)
		if (m->sorted[i]->kind == KIND_HARDLINK)
			resolve_hard_link(m, m->sorted[i], r);
}
