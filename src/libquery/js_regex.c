/* SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "libquery/js_regex.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <dlfcn.h>
#include <pcre2.h>
#include <string.h>

#define LIBRARY "libpcre2-8.so.0"

enum {
	PATTERN_MAX = 1024, /* bytes */
	STEPS_MAX = 1000000,
	HEAP_MAX = 16 << 10, /* KiB */
};

/*
 * Loaded with the first expression: to load it takes a third of the time that a command
 * takes that has none.
 */
static struct {
	void *handle;
	__typeof__(pcre2_compile) *compile;
	__typeof__(pcre2_code_free) *code_free;
	__typeof__(pcre2_compile_context_create) *options_new;
	__typeof__(pcre2_compile_context_free) *options_free;
	__typeof__(pcre2_set_compile_extra_options) *set_extra;
	__typeof__(pcre2_set_newline) *set_newline;
	__typeof__(pcre2_match) *match;
	__typeof__(pcre2_match_context_create) *limits_new;
	__typeof__(pcre2_match_context_free) *limits_free;
	__typeof__(pcre2_set_match_limit) *set_steps;
	__typeof__(pcre2_set_heap_limit) *set_heap;
	__typeof__(pcre2_match_data_create_from_pattern) *found_new;
	__typeof__(pcre2_match_data_free) *found_free;
	__typeof__(pcre2_get_error_message) *message;
} lib;

struct js_regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *found;
};

#define NAME_(f) #f
#define NAME(f)  NAME_(f)
/* The headers call each function by another name, with its width. */
#define FIND(member, function) find(&lib.member, NAME(function))

static bool find(void *ret, const char *name)
{
	*(void **)ret = dlsym(lib.handle, name);
	return *(void **)ret;
}

static int load(struct err *e)
{
	if (lib.handle)
		return 0;
	lib.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!lib.handle)
		return err_set(e, -ENOENT, "cannot read regular expressions: %s", dlerror());
	if (FIND(compile, pcre2_compile) && FIND(code_free, pcre2_code_free) &&
	    FIND(options_new, pcre2_compile_context_create) &&
	    FIND(options_free, pcre2_compile_context_free) &&
	    FIND(set_extra, pcre2_set_compile_extra_options) &&
	    FIND(set_newline, pcre2_set_newline) && FIND(match, pcre2_match) &&
	    FIND(limits_new, pcre2_match_context_create) &&
	    FIND(limits_free, pcre2_match_context_free) &&
	    FIND(set_steps, pcre2_set_match_limit) && FIND(set_heap, pcre2_set_heap_limit) &&
	    FIND(found_new, pcre2_match_data_create_from_pattern) &&
	    FIND(found_free, pcre2_match_data_free) && FIND(message, pcre2_get_error_message))
		return 0;
	(void)dlclose(lib.handle);
	lib.handle = NULL;
	return err_set(e, -ENOSYS, "'" LIBRARY "' is no libpcre2");
}

static bool is_class(const char *p)
{
	return p[0] == '\\' && p[1] && strchr("dDwWsS", p[1]);
}

/*
 * In a set '-' beside a class of characters stands for itself ("[\w-.]"), which PCRE2 wants
 * to have said. The caller frees the result.
 */
static char *with_hyphens(const char *pattern)
{
	cleanup_buf struct buf b = BUF_INIT;
	bool in_set = false, after_class = false;

	for (const char *p = pattern; *p; p++) {
		bool class = is_class(p);

		if (in_set && *p == '-' && (after_class || is_class(p + 1)))
			buf_add(&b, "\\", 1);
		buf_add(&b, p, 1);
		after_class = in_set && class;
		if (*p == '\\' && p[1])
			buf_add(&b, ++p, 1);
		else if (*p == '[' || *p == ']')
			in_set = *p == '[';
	}
	return buf_take(&b);
}

/* As JavaScript reads them; see pcre2api(3). */
static pcre2_code *compile(const char *pattern, int *ret_code, size_t *ret_at)
{
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_CASELESS |
			   PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS |
			   PCRE2_MATCH_UNSET_BACKREF | PCRE2_DOLLAR_ENDONLY |
			   PCRE2_NEVER_BACKSLASH_C;
	pcre2_compile_context *how = lib.options_new(NULL);
	cleanup_free char *text = NULL;
	pcre2_code *code;

	if (!how)
		return NULL;
	(void)lib.set_extra(how, PCRE2_EXTRA_BAD_ESCAPE_IS_LITERAL);
	(void)lib.set_newline(how, PCRE2_NEWLINE_ANYCRLF);
	text = with_hyphens(pattern);
	code = lib.compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, ret_code, ret_at,
			   how);
	lib.options_free(how);
	return code;
}

static int refuse(const char *pattern, int code, size_t at, struct err *e)
{
	PCRE2_UCHAR why[128];

	if (lib.message(code, why, sizeof(why)) < 0)
		why[0] = '\0';
	return err_set(e, -EINVAL, "regular expression '%s', at character %zu: %s", pattern,
		       at + 1, (const char *)why);
}

void js_regex_free(struct js_regex *re)
{
	if (!re)
		return;
	lib.found_free(re->found);
	lib.limits_free(re->limits);
	lib.code_free(re->code);
	free(re);
}

int js_regex_compile(const char *pattern, struct js_regex **ret, struct err *e)
{
	struct js_regex *re;
	size_t at = 0;
	int code = 0;
	int r = load(e);

	if (r < 0)
		return r;
	if (strlen(pattern) > PATTERN_MAX)
		return err_set(e, -E2BIG, "regular expression is longer than %d characters",
			       PATTERN_MAX);
	re = xcalloc(1, sizeof(*re));
	re->code = compile(pattern, &code, &at);
	if (re->code) {
		re->limits = lib.limits_new(NULL);
		re->found = lib.found_new(re->code, NULL);
	}
	if (!re->limits || !re->found) {
		r = re->code || !code ? err_set(e, -ENOMEM, "no memory")
				      : refuse(pattern, code, at, e);
		js_regex_free(re);
		return r;
	}
	(void)lib.set_steps(re->limits, STEPS_MAX);
	(void)lib.set_heap(re->limits, HEAP_MAX);
	*ret = re;
	return 0;
}

bool js_regex_finds(const struct js_regex *re, const char *text)
{
	return lib.match(re->code, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, 0, re->found,
			 re->limits) > 0;
}
