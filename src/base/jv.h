/* SPDX-License-Identifier: MIT */
/*
 * jv.h - JSON values: the one door to the JSON library (jansson).
 *
 * A struct jv is reference counted by its holder: jv_unref() what a function
 * documented as "new" returned; what jv_get() and the iterators return is
 * borrowed and lives as long as the value it came from. The setters take
 * ownership of the value that they are given.
 *
 * Input is strict (RFC 8259), duplicate keys are refused, and bounded in bytes
 * by the caller and in depth by the library. A whole number that 64 bits do not
 * hold is a JV_REAL. Output keeps insertion order.
 */
#pragma once

#include "base/err.h"
#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jv;

enum jv_type { JV_NULL, JV_FALSE, JV_TRUE, JV_INT, JV_REAL, JV_STRING, JV_ARRAY, JV_OBJECT };

void jv_unref(struct jv *v);
struct jv *jv_ref(struct jv *v);
void jv_unref_p(struct jv **v);
#define cleanup_jv cleanup_with(jv_unref_p)

/*
 * Parse LEN bytes of TEXT. SOURCE names it in the error, which reads
 * "SOURCE:LINE:COLUMN: what". New.
 */
ATTR_MUST_CHECK int jv_parse(const char *text, size_t len, const char *source,
			     struct jv **ret_value, struct err *e);

/* Read and parse a file of at most MAX bytes. New. */
ATTR_MUST_CHECK int jv_load(int dirfd, const char *name, size_t max, struct jv **ret_value,
			    struct err *e);

/* Replace NAME atomically by V, two blanks indent and a final newline; see file_write_atomic().
 */
ATTR_MUST_CHECK int jv_store(int dirfd, const char *name, const struct jv *v, struct err *e);
/* The same as file_write_soft(). */
ATTR_MUST_CHECK int jv_store_soft(int dirfd, const char *name, const struct jv *v,
				  struct err *e);

/* Text of V; the caller frees. INDENT 0 is one line. No final newline. */
char *jv_dump(const struct jv *v, int indent);

enum jv_type jv_type(const struct jv *v);    /* of NULL, what is not there: JV_NULL */
const char *jv_type_name(enum jv_type type); /* "string", "integer", ... for messages */

struct jv *jv_null(void);
struct jv *jv_bool(bool b);
struct jv *jv_int(int64_t n);
struct jv *jv_real(double d);           /* finite */
struct jv *jv_string(const char *s);    /* bytes that are not UTF-8 become U+FFFD */
bool jv_string_is_valid(const char *s); /* is it UTF-8? */
struct jv *jv_array(void);
struct jv *jv_object(void);
struct jv *jv_copy(const struct jv *v); /* deep. New */
bool jv_equal(const struct jv *a, const struct jv *b);

/* Scalars. Asking for the wrong type returns DEF (strings: NULL). */
bool jv_as_bool(const struct jv *v, bool def);
int64_t jv_as_int(const struct jv *v, int64_t def);
double jv_as_real(const struct jv *v, double def); /* integers as well */
const char *jv_as_string(const struct jv *v);

/* Objects; a V that is not an object behaves as an empty one when read. */
struct jv *jv_get(const struct jv *v, const char *key); /* borrowed, or NULL */
void jv_set(struct jv *v, const char *key, struct jv *value);
bool jv_del(struct jv *v, const char *key); /* was it there? */
const char *jv_get_string(const struct jv *v, const char *key);
int64_t jv_get_int(const struct jv *v, const char *key, int64_t def);
bool jv_get_bool(const struct jv *v, const char *key, bool def);

/* for (it = jv_iter(o); it; it = jv_iter_next(o, it)): insertion order. */
void *jv_iter(const struct jv *object);
void *jv_iter_next(const struct jv *object, void *it);
const char *jv_iter_key(void *it);
struct jv *jv_iter_value(void *it); /* borrowed */

/* Arrays and objects: the number of members; 0 for the rest. */
size_t jv_len(const struct jv *v);
struct jv *jv_at(const struct jv *array, size_t index); /* borrowed, or NULL */
void jv_push(struct jv *array, struct jv *value);
