/* SPDX-License-Identifier: MIT */
/*
 * json.h - what the parts of json(1) share: the tree, its parser and its printers.
 *
 * Why not base/jv: that is a checked view of small records on jansson, which makes
 * several allocations a value, turns 64-bit integers into errors or doubles, and
 * cannot print a number as it was written. json cuts files of many megabytes, so a
 * document is parsed once, into nodes of one arena, which point into the text.
 *
 *	text ----json_parse()----> struct node ----print_json()----> struct out
 *
 * The text must outlive the tree; the arena owns all else. Nothing is freed alone.
 *
 * What is promised about values is what a JavaScript engine would have shown:
 * members whose names are array indexes come first, in rising order, then the
 * others as they were written; of a name given twice the last value stands, at
 * the first one's place; numbers are in their shortest form. But an integer that a
 * double cannot hold keeps its digits, as long as it is below 1e21.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 2000
#define JSON_INPUT_MAX ((size_t)4000 << 20) /* lengths in a node have 32 bits */

enum node_type {
	NODE_NULL,
	NODE_FALSE,
	NODE_TRUE,
	NODE_NUMBER,
	NODE_STRING,
	NODE_ARRAY,
	NODE_OBJECT
};

struct node {
	union {
		const char *text;   /* number: as it is printed; string: decoded, see below */
		struct node *child; /* array, object: the first, or NULL */
	};
	const char *key;   /* decoded; in an object only */
	struct node *next; /* the next one of the same parent */
	uint32_t len;      /* bytes of text, or how many children */
	uint32_t key_len;
	uint8_t type;
	bool escape; /* the string holds something that is printed escaped */
	bool key_escape;
};

/* Strings are UTF-8, but that a lone surrogate stands as three bytes (0xed 0xa0..0xbf). */

struct arena {
	struct arena_chunk *chunks;
	char *at, *end;
};

#define ARENA_INIT             \
	{                      \
		.chunks = NULL \
	}
#define cleanup_arena cleanup_with(arena_done)

void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t size); /* aligned to 8, not zeroed */
struct node *arena_node(struct arena *a, enum node_type type);
struct node *arena_string(struct arena *a, const char *text, size_t len);

/* Growing output; FD -1 keeps all of it, otherwise it is written as it grows. */
struct out {
	char *data;
	size_t len, cap;
	int fd;
	int error; /* negative errno of the first write that failed */
};

#define cleanup_out cleanup_with(out_done)
void out_done(struct out *o);
void out_add(struct out *o, const char *data, size_t len);
void out_adds(struct out *o, const char *s);
void out_flush(struct out *o);
void out_make_room(struct out *o, size_t more);

static inline void out_addc(struct out *o, char c)
{
	if (o->len == o->cap)
		out_make_room(o, 1);
	o->data[o->len++] = c;
}

/*
 * parse.c: LEN bytes of valid UTF-8, followed by a '\0'. NULL when they are no JSON;
 * why is what explain_error() says, *RET_AT is how far it came.
 */
struct node *json_parse(struct arena *a, const char *text, size_t len, const char **ret_at);
void node_sort_members(struct node *object);
bool node_is_key(const struct node *n, const char *name, size_t len);
struct node *node_member(const struct node *object, const char *name, size_t len);

/* number.c: as JavaScript prints the number, in arena memory where it differs from TEXT. */
void number_set(struct arena *a, struct node *n, const char *text, size_t len);

/* text.c */
size_t utf8_char(const char *s, const char *end, uint32_t *ret_code); /* 0: none is there */
size_t utf8_put(char *to, uint32_t code);
char *utf8_repair(const char *text, size_t len, size_t *ret_len); /* NULL: it is valid */
size_t json_unescape(const char *raw, size_t len, char *to, bool *ret_escape);

/* explain.c: the message for input that is no JSON, two lines of context included. */
void explain_error(struct out *o, const char *text, size_t len, const char *at);

/* print.c */
void print_json(struct out *o, const struct node *n, int indent);
void print_compact(struct out *o, const struct node *n); /* an array: each item on a line */
void print_bare(struct out *o, const struct node *string);
/* inspect.c: as the console of a JavaScript engine shows it. */
void print_inspect(struct out *o, const struct node *n);

/* lookup.c: NULL when nothing is there. */
struct node *lookup(struct arena *a, struct node *n, const char *path, const char *separator);
size_t string_units(const struct node *string); /* its length in JavaScript: of 16 bits each */

/* merge.c */
struct node *json_merge(struct node *list, bool deep);
/* Text of documents in a row as that of one array; see the file. The caller frees. */
char *group_text(const char *text, size_t len, bool arrays, size_t *ret_len);
/* How many bytes of TEXT are its first object when another follows, else LEN. */
size_t group_first(const char *text, size_t len, size_t *ret_gap);
