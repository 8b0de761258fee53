/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json.c - whatever json parses comes back the same when it is printed and
 * parsed again; what it does not parse gets a message with a place. Looking things up,
 * showing, grouping and merging go through the same bytes.
 */
#include "json/json.h"

#include "fuzz.h"

#include <string.h>

static void check_message(const char *text, size_t len, const char *at)
{
	cleanup_out struct out o = { .fd = -1 };

	explain_error(&o, text, len, at);
	out_addc(&o, '\0');
	if (!strstr(o.data, " at line ") || o.data[o.len - 2] != '\n')
		abort();
}

static void check_round_trip(struct arena *a, const struct node *n, int indent)
{
	cleanup_out struct out first = { .fd = -1 };
	cleanup_out struct out second = { .fd = -1 };
	struct node *again;
	const char *at;

	print_json(&first, n, indent);
	out_addc(&first, '\0');
	again = json_parse(a, first.data, first.len - 1, &at);
	if (!again)
		abort();
	print_json(&second, again, indent);
	if (second.len != first.len - 1 || memcmp(first.data, second.data, second.len) != 0)
		abort();
}

static void check_others(struct arena *a, struct node *n)
{
	static const char *const paths[] = { "a.b", "0.1", "[-1].length", "a[\"x.y\"]", "" };
	cleanup_out struct out o = { .fd = -1 };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		(void)lookup(a, n, paths[i], ".");
	print_inspect(&o, n);
	if (n->type == NODE_STRING)
		print_bare(&o, n);
}

static void check_group(struct arena *a, const char *text, size_t len, bool arrays)
{
	size_t made_len;
	cleanup_free char *made = group_text(text, len, arrays, &made_len);
	const char *at;
	struct node *n = json_parse(a, made, made_len, &at);

	if (n && n->type == NODE_ARRAY)
		n = json_merge(n, arrays);
	if (n)
		check_round_trip(a, n, 0);
	if (group_first(text, len, &made_len) > len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena a = ARENA_INIT;
	size_t len = size;
	cleanup_free char *fixed = utf8_repair((const char *)data, size, &len);
	cleanup_free char *text = malloc(len + 1);
	const char *at;
	struct node *n;

	if (!text)
		abort();
	memcpy(text, fixed ? fixed : (const char *)data, len);
	text[len] = '\0';
	check_group(&a, text, len, true);
	check_group(&a, text, len, false);
	n = json_parse(&a, text, len, &at);
	if (!n) {
		check_message(text, len, at);
		return 0;
	}
	check_round_trip(&a, n, 0);
	check_round_trip(&a, n, 2);
	check_others(&a, n);
	return 0;
}
