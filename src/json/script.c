/* SPDX-License-Identifier: MIT */
#include "json/script.h"

#include "base/alloc.h"

#include <duktape.h>
#include <stdio.h>

/*
 * Both make a function of CODE. Names that CODE uses are the members of "this" first.
 * A name that it assigns and that is nowhere else becomes a global one, and then a
 * member. A filter is an expression, or else a program whose last value counts.
 */
static const char prelude[] =
	"(function () {\n"
	"	var g = new Function('return this')(), make = Function, base = {};\n"
	"	for (var k in g) base[k] = true;\n"
	"	function adopt(t) {\n"
	"		for (var k in g) {\n"
	"			if (base[k]) continue;\n"
	"			if (t !== null && typeof t === 'object') t[k] = g[k];\n"
	"			delete g[k];\n"
	"		}\n"
	"	}\n"
	"	function filter(code) {\n"
	"		try { return make('with (this) { return (' + code + '\\n) }'); }\n"
	"		catch (e) { make(code); }\n"
	"		return make('with (this) { return eval(' + JSON.stringify(code) + ') }');\n"
	"	}\n"
	"	return function (run, conds) {\n"
	"		run = run.map(function (c) { return make('with (this) {' + c + '\\n}'); });\n"
	"		conds = conds.map(filter);\n"
	"		return function (text) {\n"
	"			var t = JSON.parse(text), i;\n"
	"			var self = t === null ? g : t;\n"
	"			for (i = 0; i < run.length; i++) { run[i].call(self); adopt(t); }\n"
	"			for (i = 0; i < conds.length; i++)\n"
	"				if (!conds[i].call(self)) return undefined;\n"
	"			return JSON.stringify(t);\n"
	"		};\n"
	"	};\n"
	"})()";

struct script {
	duk_context *duk; /* the function that runs all of it is on its stack, alone */
};

static void fatal(void *data ATTR_UNUSED, const char *msg ATTR_UNUSED)
{
	abort();
}

void script_free(struct script *s)
{
	if (!s)
		return;
	duk_destroy_heap(s->duk);
	free(s);
}

static void push_list(duk_context *duk, const char *const *list)
{
	duk_push_array(duk);
	for (duk_uarridx_t i = 0; list[i]; i++) {
		duk_push_string(duk, list[i]);
		duk_put_prop_index(duk, -2, i);
	}
}

int script_new(const char *const *run, const char *const *filter, struct script **ret,
	       struct err *e)
{
	cleanup_script struct script *s = xcalloc(1, sizeof(*s));

	s->duk = duk_create_heap(NULL, NULL, NULL, NULL, fatal);
	if (!s->duk)
		abort();
	if (duk_peval_string(s->duk, prelude) != 0)
		return err_set(e, -EINVAL, "%s", duk_safe_to_string(s->duk, -1));
	push_list(s->duk, run);
	push_list(s->duk, filter);
	if (duk_pcall(s->duk, 2) != 0)
		return err_set(e, -EINVAL, "the code of -e or -c: %s",
			       duk_safe_to_string(s->duk, -1));
	*ret = take_ptr(s);
	return 0;
}

/* A surrogate stands at S, as three bytes. */
static uint32_t surrogate_at(const char *s, const char *end)
{
	uint32_t code = 0;

	if (end - s < 3 || (unsigned char)s[0] != 0xed || (unsigned char)s[1] < 0xa0)
		return 0;
	(void)utf8_char(s, end, &code);
	return code;
}

/* The engine's strings are of 16-bit units: pairs become characters, halves escapes. */
static struct node *parse_result(struct arena *a, const char *text, size_t len)
{
	const char *end = text + len;
	char *made = arena_alloc(a, len * 2 + 8);
	char *to = made;
	const char *at;

	while (text < end) {
		uint32_t high = surrogate_at(text, end);
		uint32_t low = high ? surrogate_at(text + 3, end) : 0;

		if (!high) {
			*to++ = *text++;
		} else if (high < 0xdc00 && low >= 0xdc00) {
			to += utf8_put(to, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
			text += 6;
		} else {
			to += snprintf(to, 8, "\\u%04x", high);
			text += 3;
		}
	}
	*to = '\0';
	return json_parse(a, made, (size_t)(to - made), &at);
}

int script_run(struct script *s, struct arena *a, struct node *n, struct node **ret,
	       struct err *e)
{
	cleanup_out struct out o = { .fd = -1 };
	const char *text;
	duk_size_t len;

	print_json(&o, n, 0);
	duk_dup(s->duk, 0);
	duk_push_lstring(s->duk, o.data, o.len);
	if (duk_pcall(s->duk, 1) != 0)
		return err_set(e, -EINVAL, "the code of -e or -c: %s",
			       duk_safe_to_string(s->duk, -1));
	*ret = NULL;
	text = duk_get_lstring(s->duk, -1, &len);
	if (text)
		*ret = parse_result(a, text, len);
	duk_pop(s->duk);
	if (text && !*ret)
		return err_set(e, -EINVAL, "the code of -e or -c left what is no JSON");
	return 0;
}
