/* SPDX-License-Identifier: MIT */
/*
 * vm_query.h - which VMs, which columns, in which order: what list and lookup
 * understand. Pure; the property table says what is a column and what a key.
 *
 * A key is a property ("ram"), a member of a map ("tags.role"; everything after
 * the first stop is the key), or a member of an object in an array ("nics.0.ip";
 * in filters "nics.*.ip" as well, for any).
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

#define QUERY_FIELDS_MAX 64

struct vm_field {
	char *key;
	char *header;
	unsigned int width;
	bool descending; /* of a sort */
};

/* What of each VM a command looks at, so that no more is read. */
struct vm_needs {
	bool all;
	char *names[4 * QUERY_FIELDS_MAX]; /* of members at the top */
	size_t count;
};
void vm_needs_done(struct vm_needs *n);
#define cleanup_vm_needs cleanup_with(vm_needs_done)

/* KEY, and what it is computed from. */
void vm_needs_add(struct vm_needs *n, const char *key);
bool vm_needs_has(const struct vm_needs *n, const char *name);

struct vm_fields {
	struct vm_field items[QUERY_FIELDS_MAX];
	size_t count;
};
void vm_fields_done(struct vm_fields *f);
void vm_fields_need(const struct vm_fields *f, struct vm_needs *n);
#define cleanup_vm_fields cleanup_with(vm_fields_done)

/* "uuid,type,nics.0.ip". The error is the original's: "invalid order field: X". */
ATTR_MUST_CHECK int vm_fields_parse_order(const char *text, struct vm_fields *ret,
					  struct err *e);
/* "-ram,uuid": '-' sorts that one downwards, '+' upwards. */
ATTR_MUST_CHECK int vm_fields_parse_sort(const char *text, struct vm_fields *ret,
					 struct err *e);

/* The value of KEY in VM; borrowed, NULL when it has none. */
const struct jv *vm_value(const struct jv *vm, const char *key);

/*
 * As cells show it: nothing, false and "" are "" (the caller puts "-"), 0 is
 * "0". In BUF, or inside VM.
 */
const char *vm_value_text(const struct jv *value, char buf[static 32]);

/* Sorts by each field in turn, then by nothing: equal ones keep their order. */
void vm_sort(struct jv **vms, size_t count, const struct vm_fields *by);

struct vm_filter;

/*
 * WORDS are "key=value" and "key=~regex". A word that is a UUID, or its first 8
 * characters or more, stands for itself. ACTION ("lookup", "filter") is put into
 * the original's error, "Invalid ACTION key: "X"". New.
 */
ATTR_MUST_CHECK int vm_filter_new(const char *const *words, size_t count, const char *action,
				  struct vm_filter **ret, struct err *e);
void vm_filter_free(struct vm_filter *f);
void vm_filter_free_p(struct vm_filter **f);
#define cleanup_vm_filter cleanup_with(vm_filter_free_p)

void vm_filter_need(const struct vm_filter *f, struct vm_needs *n);
bool vm_filter_match(const struct vm_filter *f, const struct jv *vm);
