/* SPDX-License-Identifier: MIT */
#include "builder/manifest.h"

#include "base/alloc.h"
#include "builder/text.h"

#include <string.h>

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->text_count; i++)
		free(m->texts[i]);
	free(m->texts);
	free(m->entries);
	free(m->sorted);
	memset(m, 0, sizeof(*m));
}

char kind_letter(enum kind kind)
{
	return "dfsh"[kind];
}

struct entry *manifest_add(struct manifest *m)
{
	if (m->count == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 1024;
		m->entries = xrealloc_array(m->entries, m->cap, sizeof(*m->entries));
	}
	memset(&m->entries[m->count], 0, sizeof(*m->entries));
	return &m->entries[m->count++];
}

void manifest_read(struct manifest *m, const char *file, struct report *r)
{
	struct place at = { .file = file };
	cleanup_close int fd = -1;
	struct err e = { 0 };
	char *text = NULL;
	size_t len = 0;
	struct stat st;

	fd = text_open(file, &st, &e);
	if (fd < 0 || text_read(fd, &st, MANIFEST_FILE_MAX, &text, &len, &e) < 0)
		report_error(r, at, "%s", e.msg);
	else
		manifest_parse(m, file, text, len, r);
}

static int by_key(const void *a, const void *b)
{
	const struct entry *const *x = a;
	const struct entry *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

void manifest_print(const struct manifest *m, FILE *out)
{
	cleanup_free struct entry **list = NULL;

	/* A link's key is longer than its path, so this order is not that of sorted[]. */
	list = xcalloc(m->sorted_count + 1, sizeof(struct entry *));
	memcpy(list, m->sorted, m->sorted_count * sizeof(struct entry *));
	qsort(list, m->sorted_count, sizeof(struct entry *), by_key);

	for (size_t i = 0; i < m->sorted_count; i++) {
		const struct entry *en = list[i];

		fprintf(out, "%c %s", kind_letter(en->kind), en->key);
		if (en->mode_text)
			fprintf(out, " %s %s %s", en->mode_text, en->user, en->group);
		fputc('\n', out);
	}
}
