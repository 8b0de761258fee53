/* SPDX-License-Identifier: MIT */
/*
 * jv.c - a struct jv is jansson's json_t under another name; nobody else sees it.
 */
#include "base/jv.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *json(const struct jv *v)
{
	return (json_t *)v;
}

/* jansson fails these calls for want of memory, or for a bug of ours. */
static struct jv *must(json_t *j)
{
	if (!j)
		abort();
	return (struct jv *)j;
}

static void must_succeed(int r)
{
	if (r != 0)
		abort();
}

void jv_unref(struct jv *v)
{
	json_decref(json(v));
}

struct jv *jv_ref(struct jv *v)
{
	return (struct jv *)json_incref(json(v));
}

void jv_unref_p(struct jv **v)
{
	jv_unref(*v);
}

/* The parser quotes the input in its message: keep that one harmless line. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* How long the string is that begins at TEXT, its quotes included. */
static size_t string_len(const char *text, size_t len)
{
	size_t i = 1;

	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : len;
}

/* Is the number TEXT a whole one that the library does not count to? */
static bool is_too_large(const char *text, size_t len)
{
	char digits[24];

	if (len < 19 || memchr(text, '.', len) || memchr(text, 'e', len) ||
	    memchr(text, 'E', len))
		return false;
	if (len >= sizeof(digits))
		return true;
	memcpy(digits, text, len);
	digits[len] = '\0';
	errno = 0;
	(void)strtoll(digits, NULL, 10);
	return errno == ERANGE;
}

/* TEXT with an exponent behind each whole number that is too large, which makes it a real. */
static void mark_large(const char *text, size_t len, struct buf *out)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = 1;
		if (text[i] == '"')
			n = string_len(text + i, len - i);
		else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))
			while (i + n < len && memchr("0123456789.eE+-", text[i + n], 15))
				n++;
		buf_add(out, text + i, n);
		if (text[i] != '"' && is_too_large(text + i, n))
			buf_adds(out, "e0");
	}
}

/*
 * Whole numbers above what the library counts in are real ones, as for every other reader;
 * the others beside them stay what they are, to the last digit.
 */
static json_t *parse(const char *text, size_t len, json_error_t *je)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	cleanup_buf struct buf marked = BUF_INIT;
	json_t *j = json_loadb(text, len, flags, je);

	if (j || json_error_code(je) != json_error_numeric_overflow)
		return j;
	mark_large(text, len, &marked);
	j = json_loadb(marked.data, marked.len, flags, je);
	if (j)
		return j;
	/* It is wrong elsewhere, too: the place is to be that in TEXT. */
	return json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, je);
}

int jv_parse(const char *text, size_t len, const char *source, struct jv **ret_value,
	     struct err *e)
{
	json_error_t je;
	json_t *j;

	j = parse(text, len, &je);
	if (!j) {
		make_printable(je.text);
		return err_set(e, -EINVAL, "%s:%d:%d: %s", source, je.line, je.column, je.text);
	}
	*ret_value = (struct jv *)j;
	return 0;
}

int jv_load(int dirfd, const char *name, size_t max, struct jv **ret_value, struct err *e)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	r = file_read_all(dirfd, name, max, &text, &len, e);
	if (r < 0)
		return r;
	return jv_parse(text, len, name, ret_value, e);
}

static int store(int dirfd, const char *name, const struct jv *v,
		 int (*write)(int, const char *, const void *, size_t, struct err *),
		 struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_free char *text = jv_dump(v, 2);

	buf_adds(&b, text);
	buf_addc(&b, '\n');
	return write(dirfd, name, b.data, b.len, e);
}

int jv_store(int dirfd, const char *name, const struct jv *v, struct err *e)
{
	return store(dirfd, name, v, file_write_atomic, e);
}

int jv_store_soft(int dirfd, const char *name, const struct jv *v, struct err *e)
{
	return store(dirfd, name, v, file_write_soft, e);
}

/* The fewest digits, of 15 to 17, that give D back. */
static int digits_of(double d)
{
	char text[32];

	for (int digits = 15; digits < 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			return digits;
	}
	return 17;
}

/* jansson takes one precision for all of a text: the least that loses nothing. */
static int precision_of(const json_t *j)
{
	int most = 15;
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_real(j))
		return digits_of(json_real_value(j));
	json_array_foreach(j, i, member)
	{
		int n = precision_of(member);

		most = n > most ? n : most;
	}
	json_object_foreach((json_t *)j, key, member)
	{
		int n = precision_of(member);

		most = n > most ? n : most;
	}
	return most;
}

char *jv_dump(const struct jv *v, int indent)
{
	size_t flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision_of(json(v)));
	char *text;

	flags |= indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT;
	text = json_dumps(json(v), flags);
	if (!text)
		abort();
	return text;
}

enum jv_type jv_type(const struct jv *v)
{
	if (!v)
		return JV_NULL;
	switch (json_typeof(json(v))) {
	case JSON_OBJECT:
		return JV_OBJECT;
	case JSON_ARRAY:
		return JV_ARRAY;
	case JSON_STRING:
		return JV_STRING;
	case JSON_INTEGER:
		return JV_INT;
	case JSON_REAL:
		return JV_REAL;
	case JSON_TRUE:
		return JV_TRUE;
	case JSON_FALSE:
		return JV_FALSE;
	case JSON_NULL:
		return JV_NULL;
	}
	abort();
}

const char *jv_type_name(enum jv_type type)
{
	static const char *const names[] = {
		[JV_NULL] = "null",   [JV_FALSE] = "boolean", [JV_TRUE] = "boolean",
		[JV_INT] = "integer", [JV_REAL] = "number",   [JV_STRING] = "string",
		[JV_ARRAY] = "array", [JV_OBJECT] = "object",
	};

	assert((size_t)type < ARRAY_SIZE(names));
	return names[type];
}

struct jv *jv_null(void)
{
	return must(json_null());
}

struct jv *jv_bool(bool b)
{
	return must(json_boolean(b));
}

struct jv *jv_int(int64_t n)
{
	return must(json_integer(n));
}

struct jv *jv_real(double d)
{
	return must(json_real(d));
}

/* Length of the UTF-8 sequence at S by RFC 3629 (no surrogates, none overlong), 0 for none. */
static size_t utf8_length(const unsigned char *s)
{
	unsigned int min = 0x80, max = 0xbf; /* what the second byte may be */
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		min = 0xa0;
	else if (s[0] == 0xed)
		max = 0x9f;
	else if (s[0] == 0xf0)
		min = 0x90;
	else if (s[0] == 0xf4)
		max = 0x8f;
	if (s[1] < min || s[1] > max)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool jv_string_is_valid(const char *s)
{
	while (*s) {
		size_t len = utf8_length((const unsigned char *)s);

		if (len == 0)
			return false;
		s += len;
	}
	return true;
}

struct jv *jv_string(const char *s)
{
	cleanup_buf struct buf b = BUF_INIT;

	if (jv_string_is_valid(s))
		return must(json_string(s));
	while (*s) {
		size_t len = utf8_length((const unsigned char *)s);

		if (len > 0)
			buf_add(&b, s, len);
		else
			buf_adds(&b, "\xef\xbf\xbd"); /* U+FFFD */
		s += len > 0 ? len : 1;
	}
	return must(json_string(buf_str(&b)));
}

struct jv *jv_array(void)
{
	return must(json_array());
}

struct jv *jv_object(void)
{
	return must(json_object());
}

struct jv *jv_copy(const struct jv *v)
{
	return must(json_deep_copy(json(v)));
}

bool jv_equal(const struct jv *a, const struct jv *b)
{
	return json_equal(json(a), json(b));
}

bool jv_as_bool(const struct jv *v, bool def)
{
	return json_is_boolean(json(v)) ? json_is_true(json(v)) : def;
}

int64_t jv_as_int(const struct jv *v, int64_t def)
{
	return json_is_integer(json(v)) ? json_integer_value(json(v)) : def;
}

double jv_as_real(const struct jv *v, double def)
{
	return json_is_number(json(v)) ? json_number_value(json(v)) : def;
}

const char *jv_as_string(const struct jv *v)
{
	return json_string_value(json(v));
}

struct jv *jv_get(const struct jv *v, const char *key)
{
	return (struct jv *)json_object_get(json(v), key);
}

void jv_set(struct jv *v, const char *key, struct jv *value)
{
	must_succeed(json_object_set_new(json(v), key, json(value)));
}

bool jv_del(struct jv *v, const char *key)
{
	return json_object_del(json(v), key) == 0;
}

const char *jv_get_string(const struct jv *v, const char *key)
{
	return jv_as_string(jv_get(v, key));
}

int64_t jv_get_int(const struct jv *v, const char *key, int64_t def)
{
	return jv_as_int(jv_get(v, key), def);
}

bool jv_get_bool(const struct jv *v, const char *key, bool def)
{
	return jv_as_bool(jv_get(v, key), def);
}

void *jv_iter(const struct jv *object)
{
	return json_object_iter(json(object));
}

void *jv_iter_next(const struct jv *object, void *it)
{
	return json_object_iter_next(json(object), it);
}

const char *jv_iter_key(void *it)
{
	return json_object_iter_key(it);
}

struct jv *jv_iter_value(void *it)
{
	return (struct jv *)json_object_iter_value(it);
}

size_t jv_len(const struct jv *v)
{
	return json_is_array(json(v)) ? json_array_size(json(v)) : json_object_size(json(v));
}

struct jv *jv_at(const struct jv *array, size_t index)
{
	return (struct jv *)json_array_get(json(array), index);
}

void jv_push(struct jv *array, struct jv *value)
{
	must_succeed(json_array_append_new(json(array), json(value)));
}
