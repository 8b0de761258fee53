/* SPDX-License-Identifier: MIT */
/*
 * table.h - rows for people (aligned columns), for scripts (a delimiter) and
 * for programs (JSON), from one declaration of the columns.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct column {
	const char *name;   /* as in -o, and the JSON member */
	const char *header; /* as printed */
	size_t width;   /* least width, a longer value shifts its row and is never cut; 0: the
			   widest value's */
	bool is_number; /* JSON number, and sorted as one */
	bool right;     /* aligned to the right */
};

enum table_form { TABLE_PLAIN, TABLE_PARSABLE, TABLE_JSON };

struct table;

struct table *table_new(const struct column *const columns[], size_t count);
void table_free(struct table *t);
void table_free_p(struct table **t);
#define cleanup_table cleanup_with(table_free_p)

/* Starts a row; cells not set stay empty ("-" in plain form). Copies VALUE. */
void table_add_row(struct table *t);
void table_set(struct table *t, size_t column, const char *value);

/*
 * Writes to OUT. HEADER is for the two text forms; DELIM for the parsable one.
 * Plain form: two blanks between fields, trailing blanks cut. A control
 * character in a value is printed as '?'. JSON: an array of objects, an empty
 * cell is null. COLUMNS given to table_new() are borrowed until table_free().
 */
ATTR_MUST_CHECK int table_print(const struct table *t, FILE *out, enum table_form form,
				bool header, const char *delim, struct err *e);
