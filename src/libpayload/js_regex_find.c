/* SPDX-License-Identifier: MIT */
/*
 * js_regex_find.c - looking for a regular expression in a text.
 *
 * match() asks whether what a node stands for is at a place, and what comes after it behind
 * that: a chain of such things on the stack. A way that leads nowhere is gone back.
 */
#include "libpayload/js_regex_node.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* The stack bears the second; together they end what would take for ever. */
#define STEPS_MAX 5000000
#define DEPTH_MAX 6000

#define NOWHERE SIZE_MAX

struct span {
	size_t begin, end;
};

struct search {
	const struct js_regex *re;
	uint32_t *text;
	size_t len;
	struct span groups[GROUPS_MAX];
	unsigned long steps;
	unsigned int depth;
};

/* What comes afterwards; NULL: nothing, it is found. */
struct next {
	enum { NEXT_NODE, NEXT_CLOSE, NEXT_REPEAT } kind;
	size_t node;
	size_t begin;
	uint32_t count;
	const struct next *then;
};

static bool match(struct search *s, size_t node, size_t at, const struct next *then);
static bool repeat(struct search *s, size_t node, size_t at, uint32_t count,
		   const struct next *then);

/* ---- one character ------------------------------------------------------------------- */

static uint32_t fold(uint32_t c)
{
	bool letter = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
		      (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f);

	return letter ? c + 0x20 : c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

static uint32_t unfold(uint32_t c)
{
	if (c >= 0x20 && fold(c - 0x20) == c)
		return c - 0x20;
	return c >= 0x450 && c <= 0x45f ? c - 0x50 : c;
}

static bool in_set(const struct js_regex *re, const struct node *n, uint32_t c)
{
	uint32_t small = fold(c), large = unfold(c);

	for (uint32_t i = 0; i < n->count; i++) {
		const struct range *r = &re->ranges[n->first + i];

		if ((c >= r->first && c <= r->last) ||
		    (small >= r->first && small <= r->last) ||
		    (large >= r->first && large <= r->last))
			return !n->negated;
	}
	return n->negated;
}

static bool is_line_end(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029;
}

static bool is_one(const struct node *n)
{
	return n->kind == NODE_CHAR || n->kind == NODE_ANY || n->kind == NODE_SET;
}

static bool one_matches(const struct search *s, const struct node *n, size_t at)
{
	uint32_t c;

	if (at >= s->len)
		return false;
	c = s->text[at];
	if (n->kind == NODE_CHAR)
		return fold(c) == fold(n->first);
	return n->kind == NODE_ANY ? !is_line_end(c) : in_set(s->re, n, c);
}

static bool is_word(const struct search *s, size_t at)
{
	uint32_t c = at < s->len ? fold(s->text[at]) : 0;

	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_border(const struct search *s, size_t at)
{
	return (at > 0 && is_word(s, at - 1)) != is_word(s, at);
}

/* ---- what comes afterwards ------------------------------------------------------------ */

static bool go_on(struct search *s, size_t at, const struct next *n);

static bool close_group(struct search *s, size_t at, const struct next *n)
{
	struct span *group = &s->groups[s->re->nodes[n->node].first];
	struct span before = *group;

	*group = (struct span){ n->begin, at };
	if (go_on(s, at, n->then))
		return true;
	*group = before;
	return false;
}

static bool go_on(struct search *s, size_t at, const struct next *n)
{
	if (!n)
		return true;
	if (n->kind == NEXT_NODE)
		return match(s, n->node, at, n->then);
	if (n->kind == NEXT_CLOSE)
		return close_group(s, at, n);
	/* Once more of nothing leads nowhere. */
	if (at == n->begin && n->count > s->re->nodes[n->node].least)
		return false;
	return repeat(s, n->node, at, n->count, n->then);
}

/* ---- repeats --------------------------------------------------------------------------- */

/* Each time anew its groups have found nothing. */
static bool once_with_groups(struct search *s, const struct node *n, size_t at,
			     const struct next *then)
{
	size_t count = n->group_end - n->group_first, size = count * sizeof(struct span);
	struct span *kept = xmalloc(size);
	bool found;

	memcpy(kept, &s->groups[n->group_first], size);
	for (uint32_t i = n->group_first; i < n->group_end; i++)
		s->groups[i].begin = NOWHERE;
	found = match(s, n->left, at, then);
	if (!found)
		memcpy(&s->groups[n->group_first], kept, size);
	free(kept);
	return found;
}

static bool once(struct search *s, size_t node, size_t at, uint32_t count,
		 const struct next *then)
{
	const struct node *n = &s->re->nodes[node];
	struct next again = { NEXT_REPEAT, node, at, count + 1, then };

	if (count >= n->most)
		return false;
	return n->group_end > n->group_first ? once_with_groups(s, n, at, &again)
					     : match(s, n->left, at, &again);
}

static bool repeat(struct search *s, size_t node, size_t at, uint32_t count,
		   const struct next *then)
{
	const struct node *n = &s->re->nodes[node];
	bool enough = count >= n->least;

	if (n->lazy)
		return (enough && go_on(s, at, then)) || once(s, node, at, count, then);
	return once(s, node, at, count, then) || (enough && go_on(s, at, then));
}

/* Of one character, as most are: that needs no stack. */
static bool repeat_one(struct search *s, const struct node *n, size_t at,
		       const struct next *then)
{
	const struct node *one = &s->re->nodes[n->left];
	size_t most = at;

	while (most - at < n->most && one_matches(s, one, most)) {
		if (n->lazy && most - at >= n->least && go_on(s, most, then))
			return true;
		most++;
	}
	if (n->lazy)
		return most - at >= n->least && go_on(s, most, then);
	for (; most - at >= n->least; most--) {
		if (go_on(s, most, then))
			return true;
		if (most == at)
			break;
	}
	return false;
}

/* ---- nodes ----------------------------------------------------------------------------- */

static bool look_ahead(struct search *s, const struct node *n, size_t at,
		       const struct next *then)
{
	struct span *kept = xmalloc(sizeof(s->groups));
	bool found;

	memcpy(kept, s->groups, sizeof(s->groups));
	found = match(s, n->left, at, NULL);
	if (n->negated) {
		memcpy(s->groups, kept, sizeof(s->groups));
		found = !found;
	}
	found = found && go_on(s, at, then);
	if (!found)
		memcpy(s->groups, kept, sizeof(s->groups));
	free(kept);
	return found;
}

static bool look_back(struct search *s, const struct node *n, size_t at,
		      const struct next *then)
{
	struct span was = s->groups[n->first];

	if (was.begin == NOWHERE)
		return go_on(s, at, then);
	for (size_t i = was.begin; i < was.end; i++, at++)
		if (at >= s->len || fold(s->text[i]) != fold(s->text[at]))
			return false;
	return go_on(s, at, then);
}

static bool match_node(struct search *s, size_t node, size_t at, const struct next *then)
{
	const struct node *n = &s->re->nodes[node];
	struct next after = { NEXT_NODE, n->right, at, 0, then };

	switch (n->kind) {
	case NODE_CHAR:
	case NODE_ANY:
	case NODE_SET:
		return one_matches(s, n, at) && go_on(s, at + 1, then);
	case NODE_SEQUENCE:
		return match(s, n->left, at, &after);
	case NODE_EITHER:
		return match(s, n->left, at, then) || match(s, n->right, at, then);
	case NODE_REPEAT:
		return is_one(&s->re->nodes[n->left]) ? repeat_one(s, n, at, then)
						      : repeat(s, node, at, 0, then);
	case NODE_GROUP:
		after = (struct next){ NEXT_CLOSE, node, at, 0, then };
		return match(s, n->left, at, n->first ? &after : then);
	case NODE_LOOK:
		return look_ahead(s, n, at, then);
	case NODE_BACK:
		return look_back(s, n, at, then);
	case NODE_BEGIN:
		return at == 0 && go_on(s, at, then);
	case NODE_END:
		return at == s->len && go_on(s, at, then);
	case NODE_BORDER:
		return is_border(s, at) != n->negated && go_on(s, at, then);
	default:
		return go_on(s, at, then);
	}
}

static bool match(struct search *s, size_t node, size_t at, const struct next *then)
{
	bool found;

	if (++s->steps > STEPS_MAX || s->depth >= DEPTH_MAX) {
		s->steps = STEPS_MAX;
		return false;
	}
	s->depth++;
	found = match_node(s, node, at, then);
	s->depth--;
	return found;
}

bool js_regex_finds(const struct js_regex *re, const char *text)
{
	struct search s = { .re = re };
	bool found = false;

	s.text = xmalloc((strlen(text) + 1) * sizeof(*s.text));
	while (*text)
		s.text[s.len++] = js_regex_character(&text);
	for (size_t at = 0; at <= s.len && !found && s.steps < STEPS_MAX; at++) {
		for (size_t i = 0; i < GROUPS_MAX; i++)
			s.groups[i].begin = NOWHERE;
		found = match(&s, re->root, at, NULL);
	}
	/* "Not what follows" may be so only for want of steps. */
	found = found && s.steps < STEPS_MAX;
	free(s.text);
	return found;
}
