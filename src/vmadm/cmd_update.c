/* SPDX-License-Identifier: MIT */
/*
 * update: a payload, or words KEY=VALUE, over a VM that is there.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload.h"

#include <stdio.h>
#include <string.h>

/* "KEY=VALUE": every value is a text here, and gets its type from the property. */
static int add_word(struct cli_call *call, struct jv *payload, const char *word,
		    struct err *why)
{
	size_t len = strcspn(word, "=");
	cleanup_free char *key = xstrndup(word, len);

	if (!len || word[len] != '=')
		return cli_wrong_use(call, "Invalid argument to update: %s (KEY=VALUE)", word);
	if (strchr(key, '.'))
		return err_set(why, -EINVAL,
			       "'%s' cannot be changed by KEY=VALUE: give a payload with "
			       "update_nics, set_tags and the like (vm-payload(5))",
			       key);
	if (jv_get(payload, key))
		return err_set(why, -EINVAL, "'%s' is given twice", key);
	jv_set(payload, key, jv_string(word + len + 1));
	return 0;
}

/* Arguments win: with them, no payload is read. */
static int read_change(struct cli_call *call, struct jv **ret_payload, struct err *why)
{
	cleanup_jv struct jv *payload = NULL;

	if (!cli_operand(call, 1))
		return vmadm_read_payload(call, "update", ret_payload, why);
	payload = jv_object();
	for (int i = 1; cli_operand(call, i); i++) {
		int r = add_word(call, payload, cli_operand(call, i), why);

		if (r != 0)
			return r;
	}
	*ret_payload = take_ptr(payload);
	return 0;
}

static void say_changes(const struct vm_report *rep)
{
	for (size_t i = 0; i < jv_len(rep->changes); i++)
		fprintf(stderr, "changed: %s\n", jv_as_string(jv_at(rep->changes, i)));
	if (rep->already)
		fputs("nothing changed\n", stderr);
}

static int update(struct vmadm *v, struct cli_call *call, const struct jv *payload)
{
	cleanup_vm_report struct vm_report rep = { 0 };
	struct payload_env env = vmadm_payload_env(v);
	struct vm_update_how how = { .env = &env,
				     .ignore_missing = cli_has(call, "ignore-missing"),
				     .strict = cli_has(call, "strict") };
	struct err why = { 0 };

	if (vm_update(&v->vh, v->uuid, payload, &how, &rep, &why) < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_remarks(&rep, &rep.problems);
	vmadm_done(call, v->uuid, &rep, "Successfully updated VM %s", v->uuid);
	say_changes(&rep);
	return 0;
}

int cmd_update(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_jv struct jv *payload = NULL;
	struct err why = { 0 };
	int r;

	r = vmadm_need_root("only root may change VMs");
	if (r == 0)
		r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_find(&v, call, e);
	if (r == 0)
		r = read_change(call, &payload, &why);
	if (r < 0 && why.code)
		return vmadm_failed(call, NULL, NULL, &why);
	return r == 0 ? update(&v, call, payload) : r;
}
