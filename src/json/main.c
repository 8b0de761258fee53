/* SPDX-License-Identifier: MIT */
/*
 * json - cut JSON: read it, run code on it, look things up in it, print it.
 */
#include "json/input.h"
#include "json/json.h"
#include "json/options.h"
#include "json/replace.h"
#include "json/script.h"

#include "base/alloc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define COMPATIBLE "json 5.1.1" /* scripts ask which json this is */

struct work {
	struct options opts;
	struct script *script; /* made when the first document has been parsed */
	struct out out;
};

static int complain(const struct err *e)
{
	fprintf(stderr, "json: error: %s\n", e->msg);
	return 1;
}

static void print_value(struct work *w, const struct node *n)
{
	if (w->opts.output == OUTPUT_INSPECT)
		print_inspect(&w->out, n);
	else if (w->opts.output == OUTPUT_COMPACT)
		print_compact(&w->out, n);
	else if (w->opts.output == OUTPUT_JSONY && n->type == NODE_STRING)
		print_bare(&w->out, n);
	else
		print_json(&w->out, n, w->opts.indent);
}

/* A value on lines of its own; for an empty string there is none, nor for what is not there. */
static void print_line(struct work *w, const struct node *n)
{
	if (!n && w->opts.output == OUTPUT_INSPECT)
		out_adds(&w->out, "undefined\n");
	if (!n)
		return;
	if (n->type == NODE_STRING && n->len == 0 && w->opts.output == OUTPUT_JSONY)
		return;
	print_value(w, n);
	out_addc(&w->out, '\n');
}

static void add_child(struct node *parent, struct node **last, struct node *n)
{
	n->next = NULL;
	if (*last)
		(*last)->next = n;
	else
		parent->child = n;
	*last = n;
	parent->len++;
}

static bool all_indexes(const char *const *paths)
{
	for (; *paths; paths++) {
		const char *digits = *paths + (**paths == '-');

		if (!*digits || strspn(digits, "0123456789") != strlen(digits))
			return false;
	}
	return true;
}

static struct node *copy_of(struct arena *a, const struct node *n)
{
	struct node *copy = arena_node(a, NODE_NULL);

	*copy = *n;
	return copy;
}

/* What the lookups find in N: an array when all are indexes of one, or else an object. */
static struct node *collect_all(struct work *w, struct arena *a, struct node *n)
{
	const char **paths = w->opts.lookups;
	bool list = n->type == NODE_ARRAY && all_indexes(paths);
	struct node *all = arena_node(a, list ? NODE_ARRAY : NODE_OBJECT);
	struct node *last = NULL;

	for (; *paths; paths++) {
		struct node *found = lookup(a, n, *paths, w->opts.separator);

		if (!found || (!list && node_member(all, *paths, strlen(*paths))))
			continue;
		found = copy_of(a, found);
		found->key = *paths;
		found->key_len = (uint32_t)strlen(*paths);
		found->key_escape = true;
		add_child(all, &last, found);
	}
	if (!list)
		node_sort_members(all);
	return all;
}

/* For JSON output: what the lookups find, as one value. NULL: nothing. */
static struct node *collect(struct work *w, struct arena *a, struct node *n)
{
	const char **paths = w->opts.lookups;

	if (!paths[0])
		return n;
	return paths[1] ? collect_all(w, a, n) : lookup(a, n, paths[0], w->opts.separator);
}

static void print_row(struct work *w, struct arena *a, struct node *n)
{
	const char **paths = w->opts.lookups;

	if (!paths[0]) {
		print_line(w, n);
		return;
	}
	for (size_t i = 0; paths[i]; i++) {
		struct node *found = lookup(a, n, paths[i], w->opts.separator);

		if (i > 0)
			out_adds(&w->out, w->opts.delimiter);
		if (found)
			print_value(w, found);
		else if (w->opts.output == OUTPUT_INSPECT)
			out_adds(&w->out, "undefined");
	}
	out_addc(&w->out, '\n');
}

/* -a with -j: an array of objects, each with what was found in one item. */
static void print_list(struct work *w, struct arena *a, struct node *items)
{
	struct node *all = arena_node(a, NODE_ARRAY);
	struct node *last = NULL;

	for (; items; items = items->next)
		add_child(all, &last, collect_all(w, a, items));
	print_line(w, all);
}

static void print_all(struct work *w, struct arena *a, struct node *n)
{
	const char **paths = w->opts.lookups;

	if (w->opts.array) {
		struct node *items = n->type == NODE_ARRAY ? n->child : n;

		if (w->opts.output == OUTPUT_JSON && (paths[0] || n->type == NODE_ARRAY)) {
			if (paths[0])
				print_list(w, a, items);
			else
				print_line(w, n);
			return;
		}
		for (; items; items = items->next)
			print_row(w, a, items);
	} else if (!paths[0] || w->opts.output == OUTPUT_JSON) {
		print_line(w, collect(w, a, n));
	} else {
		for (; *paths; paths++)
			print_line(w, lookup(a, n, *paths, w->opts.separator));
	}
}

/* The names of N's members, or the indexes of its items or of a string's characters. */
static struct node *keys_of(struct arena *a, struct node *n)
{
	struct node *all = arena_node(a, NODE_ARRAY);
	struct node *last = NULL;
	size_t count = n->type == NODE_STRING ? string_units(n) : 0;
	char index[24];

	if (n->type == NODE_ARRAY)
		count = n->len;
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(index, sizeof(index), "%zu", i);
		add_child(all, &last, arena_string(a, index, strlen(index)));
	}
	for (struct node *c = n->type == NODE_OBJECT ? n->child : NULL; c; c = c->next)
		add_child(all, &last, arena_string(a, c->key, c->key_len));
	return all;
}

/* Members as objects of their own, so that -a walks them. */
static struct node *items_of(struct arena *a, struct node *n)
{
	struct node *all = arena_node(a, NODE_ARRAY);
	struct node *last = NULL;

	if (n->type != NODE_OBJECT)
		return n;
	for (struct node *next, *c = n->child; c; c = next) {
		struct node *item = arena_node(a, NODE_OBJECT);
		struct node *key = arena_string(a, c->key, c->key_len);

		next = c->next;
		key->key = "key";
		key->key_len = 3;
		key->next = c;
		c->key = "value";
		c->key_len = 5;
		c->key_escape = false;
		c->next = NULL;
		item->child = key;
		item->len = 2;
		add_child(all, &last, item);
	}
	return all;
}

/* *N becomes NULL when it was filtered out. */
static int run_script(struct work *w, struct arena *a, struct node **n, struct err *e)
{
	struct node *all, *last = NULL;

	if (!w->opts.run[0] && !w->opts.filter[0])
		return 0;
	if (!w->script) {
		int r = script_new(w->opts.run, w->opts.filter, &w->script, e);

		if (r < 0)
			return r;
	}
	if ((*n)->type != NODE_ARRAY || w->opts.whole)
		return script_run(w->script, a, *n, n, e);
	all = arena_node(a, NODE_ARRAY);
	for (struct node *next, *c = (*n)->child; c; c = next) {
		struct node *made;
		int r = script_run(w->script, a, c, &made, e);

		if (r < 0)
			return r;
		next = c->next;
		if (made)
			add_child(all, &last, made);
	}
	*n = all;
	return 0;
}

static struct node *parse(struct work *w, struct arena *a, const char *text, size_t len,
			  char **ret_made, const char **ret_at)
{
	struct node *n;
	const char *at;
	size_t made_len;

	if (!w->opts.group && w->opts.merge == MERGE_NONE)
		return json_parse(a, text, len, ret_at);
	*ret_made = group_text(text, len, w->opts.group, &made_len);
	n = json_parse(a, *ret_made, made_len, &at);
	if (!n)
		return json_parse(a, text, len, ret_at);
	return w->opts.group ? n : json_merge(n, w->opts.merge == MERGE_DEEP);
}

static int refuse(struct work *w, const char *text, size_t len, const char *at)
{
	cleanup_out struct out message = { .fd = -1 };

	if (!w->opts.quiet) {
		explain_error(&message, text, len, at);
		fprintf(stderr, "json: error: input is not JSON: ");
		(void)fwrite(message.data, 1, message.len, stderr);
	}
	if (!w->opts.validate && !w->opts.in_place) {
		out_add(&w->out, text, len);
		if (len > 0 && text[len - 1] != '\n')
			out_addc(&w->out, '\n');
	}
	return 1;
}

/* One document, or what -g and --merge make one. */
static int process(struct work *w, const char *text, size_t len)
{
	cleanup_arena struct arena a = ARENA_INIT;
	cleanup_free char *made = NULL;
	const char *at = text;
	struct node *n = parse(w, &a, text, len, &made, &at);
	struct err e;

	if (!n)
		return refuse(w, text, len, at);
	if (w->opts.validate)
		return 0;
	if (run_script(w, &a, &n, &e) < 0)
		return complain(&e);
	if (n && w->opts.keys && n->type == NODE_NULL) {
		(void)err_set(&e, -EINVAL, "-k: null has no keys");
		return complain(&e);
	}
	if (n && w->opts.keys)
		n = keys_of(&a, n);
	if (n && w->opts.items)
		n = items_of(&a, n);
	if (n)
		print_all(w, &a, n);
	return 0;
}

/* -ga prints as it goes: one object after the other, until one is bad. */
static int process_stream(struct work *w, const char *text, size_t len)
{
	size_t gap, n;
	int status = 0;
	char *part;

	while (status == 0 && len > 0) {
		n = group_first(text, len, &gap);
		part = xmalloc(n + 1);
		memcpy(part, text, n);
		part[n] = '\0';
		status = process(w, part, n);
		free(part);
		text += n + gap;
		len -= n + gap;
	}
	return status;
}

static int cut(struct work *w, const char *text, size_t len)
{
	size_t head = input_headers(text, len);

	if (!w->opts.drop_headers && !w->opts.validate)
		out_add(&w->out, text, head);
	text += head;
	len -= head;
	if (len == 0)
		return 0;
	if (w->opts.group && w->opts.array && w->opts.output != OUTPUT_JSON)
		return process_stream(w, text, len);
	return process(w, text, len);
}

static int finish(struct work *w, int status)
{
	struct err e;

	if (w->opts.in_place) {
		if (status == 0 && !w->opts.validate &&
		    replace_file(w->opts.file, w->out.data ? w->out.data : "", w->out.len, &e) <
			    0)
			return complain(&e);
		return status;
	}
	out_flush(&w->out);
	if (w->out.error < 0 && w->out.error != -EPIPE) {
		(void)err_set(&e, w->out.error, "cannot write: %s", strerror(-w->out.error));
		return complain(&e);
	}
	return status;
}

static int run(struct work *w)
{
	cleanup_free char *text = NULL;
	size_t len;
	struct err e;

	if (input_read(w->opts.file, &text, &len, &e) < 0)
		return complain(&e);
	w->out.fd = w->opts.in_place ? -1 : STDOUT_FILENO;
	return finish(w, cut(w, text, len));
}

int main(int argc, char **argv)
{
	struct work w = { .script = NULL };
	struct err e;
	int status;

	if (options_for_frame(argc, argv))
		return options_frame(argc, argv);
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return puts(COMPATIBLE) < 0;
	(void)signal(SIGPIPE, SIG_IGN);
	status = options_parse(&w.opts, argc, argv, &e) < 0 ? complain(&e) : run(&w);
	script_free(w.script);
	out_done(&w.out);
	options_done(&w.opts);
	return status;
}
