/* SPDX-License-Identifier: MIT */
/*
 * parse.c - the one grammar of manifests.
 *
 * A line is cut into words at blanks and tabs. '#' ends it, also in the middle
 * of a word, and so does a carriage return before the newline.
 */
#include "builder/manifest.h"

#include "base/alloc.h"

#include <limits.h>
#include <string.h>

#define WORDS_MAX 6 /* one more than any line may have */

struct line {
	struct place at;
	char *start;
	char *word[WORDS_MAX];
	size_t words; /* counted beyond WORDS_MAX */
	bool hash;    /* a comment cut the last word */
};

static struct place column_of(const struct line *l, const char *where)
{
	struct place at = l->at;

	at.column = (unsigned int)(where - l->start) + 1;
	return at;
}

/* What is wrong with PATH as a place in the image, or NULL. ROOT: "." stands for the root. */
static const char *path_fault(const char *path, size_t len, bool root)
{
	const char *part = path;
	const char *end = path + len;

	if (root && len == 1 && path[0] == '.')
		return NULL;
	if (len == 0)
		return "is empty";
	if (path[0] == '/')
		return "starts with '/'; paths are relative to the image's root";
	if (len >= PATH_MAX)
		return "is too long; a path has at most 4095 bytes";

	while (part <= end) {
		const char *slash = memchr(part, '/', (size_t)(end - part));
		size_t n = (size_t)((slash ? slash : end) - part);

		if (n == 0)
			return "has an empty part; write one '/' between two names and none at the end";
		if (n <= 2 && memcmp(part, "..", n) == 0)
			return "has a '.' or '..' part; write the path without";
		if (n > NAME_MAX)
			return "has a part of more than 255 bytes";
		part += n + 1;
	}
	return NULL;
}

static bool path_is_good(const struct line *l, const char *path, size_t len, bool root,
			 struct report *r)
{
	const char *fault = path_fault(path, len, root);

	if (fault)
		report_error(r, column_of(l, path), "path '%.*s' %s",
			     (int)(len < 300 ? len : 300), path, fault);
	return !fault;
}

static bool parse_mode(const char *text, mode_t *ret_mode)
{
	mode_t mode = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '7')
			return false;
		mode = mode << 3 | (mode_t)(*p - '0');
		if (mode > 07777)
			return false;
	}
	*ret_mode = mode;
	return true;
}

static bool parse_object(const struct line *l, struct entry *en, struct report *r)
{
	const char *path = l->word[1];
	size_t len;

	if (l->words != 5) {
		report_error(r, l->at,
			     "a '%c' line needs 5 words, '%c PATH MODE USER GROUP', not %zu%s",
			     *l->word[0], *l->word[0], l->words,
			     l->hash ? " ('#' starts a comment, also within a word)" : "");
		return false;
	}
	len = strlen(path);
	if (en->kind == KIND_FOLDER && len > 1 && path[len - 1] == '/')
		len--;
	if (!path_is_good(l, path, len, en->kind == KIND_FOLDER, r))
		return false;
	if (!parse_mode(l->word[2], &en->mode)) {
		report_error(r, column_of(l, l->word[2]),
			     "'%.40s' is not a mode; it must be octal, 07777 at most",
			     l->word[2]);
		return false;
	}

	en->path_len = len;
	en->mode_text = l->word[2];
	en->user = l->word[3];
	en->group = l->word[4];
	return true;
}

/* What is wrong with the second word of a link, whose '=' is at EQUALS, or NULL. */
static const char *link_fault(const struct line *l, const char *equals)
{
	if (l->words != 2)
		return "needs 2 words, without blanks around '='";
	if (!equals)
		return "has no '='";
	if (strchr(equals + 1, '='))
		return "has more than one '='";
	if (equals == l->word[1])
		return "has no name before '='";
	if (!equals[1])
		return "has no target after '='";
	return NULL;
}

static bool parse_link(const struct line *l, struct entry *en, struct report *r)
{
	const char *equals = l->words > 1 ? strchr(l->word[1], '=') : NULL;
	const char *fault = link_fault(l, equals);

	if (fault || !equals) {
		report_error(r, l->words == 2 ? column_of(l, l->word[1]) : l->at,
			     "a '%c' line %s: '%c NAME=TARGET'%s", *l->word[0], fault,
			     *l->word[0],
			     l->hash ? " ('#' starts a comment, also within a word)" : "");
		return false;
	}

	en->path_len = (size_t)(equals - l->word[1]);
	en->target = equals + 1;
	if (!path_is_good(l, l->word[1], en->path_len, false, r))
		return false;
	if (en->kind == KIND_HARDLINK)
		return path_is_good(l, en->target, strlen(en->target), false, r);
	if (strlen(en->target) >= PATH_MAX) {
		report_error(r, column_of(l, en->target),
			     "the link's target is too long; it has at most 4095 bytes");
		return false;
	}
	return true;
}

/* True when WORD is one letter that names a kind. */
static bool parse_kind(const char *word, enum kind *ret_kind)
{
	static const char letters[] = "dfsh";
	const char *at = word[1] ? NULL : strchr(letters, word[0]);

	if (!at)
		return false;
	*ret_kind = (enum kind)(at - letters);
	return true;
}

static void parse_words(struct manifest *m, const struct line *l, struct report *r)
{
	struct entry en = { .at = l->at };
	bool good;

	if (!parse_kind(l->word[0], &en.kind)) {
		report_error(r, column_of(l, l->word[0]),
			     "'%.40s' is not a kind of entry; the kinds are d, f, s and h",
			     l->word[0]);
		return;
	}
	if (en.kind == KIND_FOLDER || en.kind == KIND_FILE)
		good = parse_object(l, &en, r);
	else
		good = parse_link(l, &en, r);
	if (good) {
		en.key = l->word[1];
		*manifest_add(m) = en;
	}
}

/* Cuts [l->start, END) into words, each closed by a '\0'. False: a byte that has no place here.
 */
static bool split(struct line *l, char *end, struct report *r)
{
	bool in_word = false;
	char *p;

	if (end > l->start && end[-1] == '\r')
		end--;
	for (p = l->start; p < end && *p != '#'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == ' ' || c == '\t') {
			*p = '\0';
			in_word = false;
		} else if (c < ' ' || c == 0x7f) {
			report_error(r, column_of(l, p), "control character 0x%02x in the line",
				     c);
			return false;
		} else if (!in_word) {
			if (l->words < WORDS_MAX)
				l->word[l->words] = p;
			l->words++;
			in_word = true;
		}
	}
	l->hash = in_word && p < end;
	*p = '\0'; /* at most where the newline, or the text's own '\0', stood */
	return true;
}

void manifest_parse(struct manifest *m, const char *file, char *text, size_t len,
		    struct report *r)
{
	struct place at = { .file = file };
	size_t before = m->count;
	size_t faults = r->errors;
	char *end = text + len;

	m->texts = xrealloc_array(m->texts, m->text_count + 1, sizeof(*m->texts));
	m->texts[m->text_count++] = text;

	for (char *p = text, *next; p < end; p = next) {
		char *newline = memchr(p, '\n', (size_t)(end - p));
		struct line l = { .start = p };

		next = newline ? newline + 1 : end;
		at.line++;
		l.at = at;
		if (split(&l, newline ? newline : end, r) && l.words > 0)
			parse_words(m, &l, r);
	}

	at.line = 0;
	if (m->count == before && r->errors == faults)
		report_error(r, at,
			     "the manifest has no entry; leave it out, or list what it is for");
}
