/* SPDX-License-Identifier: MIT */
/*
 * answer.c - the result or the error of a command as JSON, for programs. docs/vmadm.md
 * has the shape.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/problems.h"

#include <stdio.h>
#include <string.h>

static void print(struct jv *object)
{
	cleanup_free char *text = jv_dump(object, 2);

	puts(text);
	jv_unref(object);
}

bool vmadm_wants_json(const struct cli_call *call)
{
	return cli_has(call, "json") || cli_has_before(call, "json");
}

void vmadm_answer_ok(struct cli_call *call, const char *uuid, const struct vm_report *rep,
		     const char *message)
{
	struct jv *object;

	if (!vmadm_wants_json(call))
		return;
	object = jv_object();
	jv_set(object, "result", jv_string("ok"));
	if (uuid)
		jv_set(object, "uuid", jv_string(uuid));
	jv_set(object, "message", jv_string(message));
	jv_set(object, "changed", jv_bool(!rep || !rep->already));
	jv_set(object, "warnings", rep && rep->warnings ? jv_ref(rep->warnings) : jv_array());
	if (rep && rep->changes)
		jv_set(object, "changes", jv_ref(rep->changes));
	print(object);
}

static struct jv *problems_to_json(const struct problems *ps)
{
	static const char *const kinds[] = {
		[PROBLEM_VALUE] = "value", [PROBLEM_MISSING] = "missing",
		[PROBLEM_RULE] = "rule",   [PROBLEM_UNKNOWN] = "unknown",
		[PROBLEM_NOTE] = "note",
	};
	struct jv *list = jv_array();

	for (size_t i = 0; i < ps->count; i++) {
		struct jv *item = jv_object();

		jv_set(item, "kind", jv_string(kinds[ps->items[i].kind]));
		jv_set(item, "property", jv_string(ps->items[i].name));
		jv_set(item, "pointer", jv_string(ps->items[i].pointer));
		jv_set(item, "rule", jv_string(ps->items[i].text));
		jv_push(list, item);
	}
	return list;
}

void vmadm_answer_error(const struct cli_call *call, int code, const char *text,
			const struct problems *ps)
{
	const char *name = code < 0 ? strerrorname_np(-code) : NULL;
	struct jv *object;

	vmadm_debug(VMADM_DEBUG_ERROR, "%s", text);
	if (!vmadm_wants_json(call))
		return;
	object = jv_object();
	jv_set(object, "result", jv_string("error"));
	jv_set(object, "code", jv_string(name ? name : "EIO"));
	jv_set(object, "message", jv_string(text));
	if (ps && ps->count)
		jv_set(object, "details", problems_to_json(ps));
	print(object);
}
