/* SPDX-License-Identifier: MIT */
/*
 * problems.h - everything that is wrong with a payload, gathered, so that a
 * person gets all of it at once.
 *
 * A problem has the name under which the original reports it ("nics.*.mac"),
 * the JSON pointer of the place ("/nics/0/mac"), and a text that says the rule.
 * Texts from the payload are made printable. At most PROBLEMS_MAX are kept.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>

#define PROBLEMS_MAX 100

enum problem_kind {
	PROBLEM_VALUE,   /* of a property that is allowed: NAME */
	PROBLEM_MISSING, /* a property that is required: NAME */
	PROBLEM_RULE,    /* between properties, or with the host: TEXT says all */
	PROBLEM_UNKNOWN, /* NAME is not allowed here; it is dropped, no failure */
	PROBLEM_NOTE,    /* NAME is accepted with a remark, no failure */
};

struct problem {
	enum problem_kind kind;
	char *name;
	char *pointer;
	char *text;
};

struct problems {
	struct problem *items;
	size_t count;
	bool more; /* there were more than are kept */
};

void problems_done(struct problems *ps);
#define cleanup_problems cleanup_with(problems_done)

void problems_add(struct problems *ps, enum problem_kind kind, const char *name,
		  const char *pointer, const char *fmt, ...) ATTR_PRINTF(5, 6);

/* Is there one of KIND with this NAME (NULL: any)? */
bool problems_has(const struct problems *ps, enum problem_kind kind, const char *name);

/* Does one of them refuse the payload? */
bool problems_fatal(const struct problems *ps);

/* Names of one kind, each once, joined by commas. The caller frees. */
char *problems_names(const struct problems *ps, enum problem_kind kind);

/*
 * What the original would say: "Invalid value(s) for: a,b", else "Missing
 * required properties: a,b", else the texts of the first rule, one a line. No
 * line's end after the last. The caller frees.
 */
char *problems_summary(const struct problems *ps);

/* "/POINTER: TEXT" of each that refuses and is not said by the summary, one a line,
 * indented by two blanks, with a line's end. The caller frees. */
char *problems_details(const struct problems *ps);

/* Of those from index FIRST on: pointers that begin with FROM begin with TO instead. */
void problems_move(struct problems *ps, size_t first, const char *from, const char *to);
