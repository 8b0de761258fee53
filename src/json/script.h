/* SPDX-License-Identifier: MIT */
/*
 * script.h - the JavaScript of -e and -c, run by Duktape.
 *
 * A value goes to the engine as JSON and comes back as JSON, so only data pass. The
 * code is the user's own and runs with the user's rights, without files, processes
 * or network: the engine has none. Neither memory nor time is bounded, as for any
 * other filter that a user writes; an endless loop is ended by ^C.
 */
#pragma once

#include "base/err.h"
#include "json/json.h"

struct script;

void script_free(struct script *s);
static inline void script_free_p(struct script **s)
{
	script_free(*s);
}
#define cleanup_script cleanup_with(script_free_p)

/* Compiles all of both lists, each ending with NULL. */
ATTR_MUST_CHECK int script_new(const char *const *run, const char *const *filter,
			       struct script **ret, struct err *e);

/*
 * Runs the code on N. *RET is what became of it, in the arena, or NULL when a filter
 * was false.
 */
ATTR_MUST_CHECK int script_run(struct script *s, struct arena *a, struct node *n,
			       struct node **ret, struct err *e);
