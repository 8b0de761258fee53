/* SPDX-License-Identifier: MIT */
/*
 * manifest_private.h - what the rules of manifests share: manifest_rules.c has the table of
 * fields, manifest_requirements.c what is below "requirements", manifest_values.c what a value
 * is.
 *
 * The original's rules are JavaScript: what is empty there counts as not given in some fields,
 * and what reads as a number is one. Manifests that it took are to be had with us as well.
 */
#pragma once

#include "libmanifest/manifest.h"

struct check {
	const struct jv *m;
	enum manifest_mode mode;
	struct manifest_problems *out;
};

/* True when VALUE is right. A check that says more itself returns true. */
typedef bool check_fn(struct check *c, const struct jv *value);

struct rule {
	const char *field;
	check_fn *check;
	/* Required: always; by servers; by servers and zvols; by servers of what is active */
	enum { OPTIONAL, ALWAYS, SERVER, SERVER_ZVOL, SERVER_ACTIVE } need;
};

check_fn manifest_check_requirements, manifest_check_string;

/* CODE is static, MSG may be NULL. */
void manifest_complain(struct check *c, const char *field, const char *code, const char *msg);

/*
 * An array, all of whose items IS_GOOD takes; the others are complained of as FIELD one by one.
 * False when it is no array.
 */
bool manifest_check_items(struct check *c, const char *field, const struct jv *v,
			  bool (*is_good)(const struct jv *item));

bool value_is_bool(const struct jv *v);
bool value_is_empty(const struct jv *v); /* null, false, 0, "" */
bool value_is_one_of(const struct jv *v, const char *const words[]);
bool value_is_string(const struct jv *v);
bool value_has_only(const struct jv *v, const char *const keys[]); /* just these members */

/* A number, a text that reads as one, true, or what is empty. */
bool value_is_number(const struct jv *v, double *ret_number);
bool value_is_integer(const struct jv *v); /* itself, no text */

/* The characters of S as the original counted them: units of UTF-16. */
size_t value_length(const char *s);
