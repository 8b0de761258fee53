/* SPDX-License-Identifier: MIT */
/*
 * arena.c - memory of one document, freed at once.
 */
#include "json/json.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)1 << 20)

struct arena_chunk {
	struct arena_chunk *next;
};

void arena_done(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	size = (size + 7) & ~(size_t)7;
	if (size > (size_t)(a->end - a->at)) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
		struct arena_chunk *c = xmalloc(sizeof(*c) + room);

		c->next = a->chunks;
		a->chunks = c;
		a->at = (char *)(c + 1);
		a->end = a->at + room;
	}
	p = a->at;
	a->at += size;
	return p;
}

struct node *arena_node(struct arena *a, enum node_type type)
{
	struct node *n = arena_alloc(a, sizeof(*n));

	*n = (struct node){ .type = (uint8_t)type };
	return n;
}

/* TEXT is decoded. */
struct node *arena_string(struct arena *a, const char *text, size_t len)
{
	struct node *n = arena_node(a, NODE_STRING);
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	n->text = copy;
	n->len = (uint32_t)len;
	n->escape = true;
	return n;
}
