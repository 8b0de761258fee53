/* SPDX-License-Identifier: MIT */
/*
 * merge.c - several documents in a row.
 *
 * The rule is one about text, as users know it: between two documents of a kind
 * there is either nothing or white space with a newline in it. The text is made
 * that of one array, and parsed as such; when that fails, the text as it was is what
 * the error is about. With nothing between them, the second object has to start
 * with a name.
 */
#include "json/json.h"

#include "base/alloc.h"

#include <string.h>

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * At S stands the end of a document. How long is the gap to the next one's start?
 * 0: none. *RET_GAP may be 0 in a gap that counts.
 */
static bool gap_at(const char *s, const char *end, size_t *ret_gap)
{
	char open = *s == '}' ? '{' : '[';
	const char *c = s + 1;
	bool line = false;

	for (; c < end && is_white(*c); c++)
		line |= *c == '\n';
	if (c == end || *c != open)
		return false;
	*ret_gap = (size_t)(c - s - 1);
	if (*ret_gap > 0)
		return line;
	return open == '[' || (c + 1 < end && c[1] == '"');
}

/* White space as String.trim() has it: that of ASCII, and the byte order mark. */
static void trim(const char **s, const char **end)
{
	for (;;) {
		if (*s < *end && is_white(**s))
			(*s)++;
		else if (*end - *s >= 3 && memcmp(*s, "\xef\xbb\xbf", 3) == 0)
			*s += 3;
		else
			break;
	}
	while (*s < *end && is_white((*end)[-1]))
		(*end)--;
}

char *group_text(const char *text, size_t len, bool arrays, size_t *ret_len)
{
	const char *end = text + len;
	/* Each gap adds two bytes, and stands for two at least. */
	char *made = xmalloc(len * 2 + 8);
	char *to = made;
	size_t gap;

	trim(&text, &end);
	if (!arrays || text == end || *text != '[')
		*to++ = '[';
	for (const char *s = text; s < end; s++) {
		if (*s == '}' && gap_at(s, end, &gap)) {
			memcpy(to, "},\n", 3);
			to += 3;
			s += gap;
		} else if (arrays && *s == ']' && gap_at(s, end, &gap)) {
			memcpy(to, ",\n", 2);
			to += 2;
			s += gap + 1;
		} else {
			*to++ = *s;
		}
	}
	if (!arrays || text == end || end[-1] != ']')
		*to++ = ']';
	*to = '\0';
	*ret_len = (size_t)(to - made);
	return made;
}

size_t group_first(const char *text, size_t len, size_t *ret_gap)
{
	const char *end = text + len;

	for (const char *s = text; (s = memchr(s, '}', (size_t)(end - s))); s++)
		if (gap_at(s, end, ret_gap) && s[*ret_gap + 2] == '"')
			return (size_t)(s + 1 - text);
	*ret_gap = 0;
	return len;
}

static void merge_into(struct node *to, struct node *from, bool deep)
{
	struct node **end = &to->child;

	while (*end)
		end = &(*end)->next;
	for (struct node *next, *n = from->child; n; n = next) {
		struct node *own = node_member(to, n->key, n->key_len);

		next = n->next;
		n->next = NULL;
		if (!own) {
			*end = n;
			end = &n->next;
			to->len++;
		} else if (deep && own->type == NODE_OBJECT && n->type == NODE_OBJECT) {
			merge_into(own, n, true);
		} else {
			/* END may point into it: its link stays. */
			n->next = own->next;
			*own = *n;
		}
	}
	node_sort_members(to);
}

struct node *json_merge(struct node *list, bool deep)
{
	struct node *first = list->child;

	if (first && first->type == NODE_OBJECT)
		for (struct node *next, *n = first->next; n; n = next) {
			next = n->next;
			if (n->type == NODE_OBJECT)
				merge_into(first, n, deep);
		}
	return first;
}
