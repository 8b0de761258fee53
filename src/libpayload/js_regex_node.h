/* SPDX-License-Identifier: MIT */
/*
 * js_regex_node.h - what js_regex.c reads and js_regex_find.c walks: a tree in an array.
 * Private to the two.
 */
#pragma once

#include "libpayload/js_regex.h"

#include <stddef.h>
#include <stdint.h>

#define GROUPS_MAX 100

enum node_kind {
	NODE_EMPTY,
	NODE_CHAR,     /* .first */
	NODE_ANY,      /* but the end of a line */
	NODE_SET,      /* .count ranges from .first on; .negated */
	NODE_SEQUENCE, /* .left, then .right */
	NODE_EITHER,   /* .left or .right */
	NODE_REPEAT,   /* .left, .least to .most times; .lazy */
	NODE_GROUP,    /* .left; the group number .first */
	NODE_LOOK,     /* .left is ahead, or is not: .negated */
	NODE_BACK,     /* what the group number .first has found */
	NODE_BEGIN,
	NODE_END,
	NODE_BORDER, /* of a word, or none: .negated */
};

#define REPEAT_ENDLESS UINT32_MAX

struct node {
	enum node_kind kind;
	bool negated, lazy;
	uint32_t first, count;
	uint32_t least, most;
	uint32_t group_first, group_end; /* of a repeat: the groups in it */
	size_t left, right;
};

struct range {
	uint32_t first, last;
};

struct js_regex {
	struct node *nodes;
	size_t node_count;
	struct range *ranges;
	size_t range_count;
	size_t root;
	uint32_t groups; /* the first is number 1 */
};

/* The next character of what may not be UTF-8: then a byte stands for itself. */
uint32_t js_regex_character(const char **p);
