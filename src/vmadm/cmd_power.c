/* SPDX-License-Identifier: MIT */
/*
 * start, stop, reboot, kill and delete: the commands that take one VM.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "librecord/record.h"
#include "libvm/vm_object.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX 86400

static bool text_starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* "cdrom=PATH,MODEL" and "order=..." are for hardware VMs; they are checked, as in the
 * original. */
static int check_start_words(struct cli_call *call)
{
	bool ordered = false;

	for (int i = 1; i < cli_operands(call); i++) {
		const char *word = cli_operand(call, i);
		size_t key = strcspn(word, "=");

		if (text_starts(word, "order=")) {
			if (ordered)
				return cli_wrong_use(call, "You can only specify 'order' once "
							   "when starting a VM");
			ordered = true;
		} else if (text_starts(word, "cdrom=") || text_starts(word, "disk=")) {
			const char *comma = strchr(word, ',');

			if (!comma || comma == word + key + 1 || !comma[1])
				return cli_wrong_use(call,
						     "Parameter to %.*s must be: path,model",
						     (int)key, word);
		} else {
			return cli_wrong_use(call, "Invalid argument to start: %.*s", (int)key,
					     word);
		}
	}
	return 0;
}

int cmd_start(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_free char *prefix = NULL;
	struct err why = { 0 };
	int r;

	r = vmadm_begin_change(&v, call, e);
	if (r == 0)
		r = check_start_words(call);
	if (r != 0)
		return r;
	prefix = xasprintf("Unable to start VM %s", v.uuid);
	if (vm_start(&v.vh, v.uuid, &rep, &why) < 0)
		return vmadm_failed(call, prefix, &rep, &why);
	if (rep.already)
		vmadm_done(call, v.uuid, &rep, "%s: VM %s is already 'running'", prefix,
			   v.uuid);
	else
		vmadm_done(call, v.uuid, &rep, "Successfully started VM %s", v.uuid);
	return 0;
}

static int parse_timeout(struct cli_call *call, unsigned int *ret)
{
	const char *text = cli_get(call, "timeout");
	char *end;
	unsigned long n;

	*ret = VM_STOP_SECONDS;
	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > TIMEOUT_MAX)
		return cli_wrong_use(call, "'%s' is not a number of seconds up to %d", text,
				     TIMEOUT_MAX);
	*ret = (unsigned int)n;
	return 0;
}

/* The contract allows a limit for hardware VMs and application containers alone. */
static int check_timeout_allowed(const struct vmadm *v, struct cli_call *call)
{
	cleanup_jv struct jv *record = NULL;
	struct err e = { 0 };

	if (!cli_get(call, "timeout") || record_load(&v->host, v->uuid, &record, NULL) < 0 ||
	    jv_get_bool(record, "docker", false))
		return 0;
	(void)err_set(&e, -EINVAL,
		      "first of 1 error: Timeout option is only supported for bhyve, "
		      "KVM and docker containers.");
	return vmadm_failed(call, NULL, NULL, &e);
}

int cmd_stop(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	struct err why = { 0 };
	unsigned int timeout;
	int r;

	r = vmadm_begin_change(&v, call, e);
	if (r == 0)
		r = parse_timeout(call, &timeout);
	if (r == 0)
		r = check_timeout_allowed(&v, call);
	if (r != 0)
		return r;
	r = vm_stop(&v.vh, v.uuid, cli_has(call, "force"), timeout, &rep, &why);
	if (r < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	if (rep.already)
		vmadm_done(call, v.uuid, &rep, "VM %s is already 'stopped'", v.uuid);
	else
		vmadm_done(call, v.uuid, &rep, "Successfully completed stop for VM %s", v.uuid);
	return 0;
}

int cmd_reboot(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	struct err why = { 0 };
	int r;

	r = vmadm_begin_change(&v, call, e);
	if (r != 0)
		return r;
	if (vm_reboot(&v.vh, v.uuid, cli_has(call, "force"), &rep, &why) < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Successfully completed reboot for VM %s", v.uuid);
	return 0;
}

/* "15", "TERM" or "SIGTERM"; 0: there is no such signal. */
static int find_signal(const char *text)
{
	const char *name = text_starts(text, "SIG") ? text + 3 : text;
	char *end;
	long n = strtol(text, &end, 10);

	if (*text >= '0' && *text <= '9')
		return *end || n < 1 || n >= NSIG ? 0 : (int)n;
	for (int i = 1; i < NSIG; i++) {
		const char *abbrev = sigabbrev_np(i);

		if (abbrev && strcmp(abbrev, name) == 0)
			return i;
	}
	return 0;
}

int cmd_kill(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	const char *name = cli_get(call, "signal") ? cli_get(call, "signal") : "SIGTERM";
	struct err why = { 0 };
	int r, signo;

	/* The texts of the original, which takes a word that is no UUID for one too many. */
	if (cli_operands(call) == 0)
		return cli_wrong_use(call, "Invalid or missing argument UUID");
	if (cli_operands(call) > 1)
		return cli_wrong_use(call, "Too many arguments.");
	r = vmadm_begin_change(&v, call, e);
	if (r != 0)
		return r;
	signo = find_signal(name);
	if (!signo)
		(void)err_set(&why, -EINVAL, "Unknown signal \"%s\"", name);
	if (!signo || vm_kill(&v.vh, v.uuid, signo, &why) < 0)
		return vmadm_failed(call, NULL, NULL, &why);
	vmadm_done(call, v.uuid, NULL, "Sent signal \"%s\" to init process for VM %s", name,
		   v.uuid);
	return 0;
}

int cmd_delete(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_free char *prefix = NULL;
	struct err why = { 0 };
	int r;

	r = vmadm_begin_change(&v, call, e);
	if (r != 0)
		return r;
	prefix = xasprintf("Failed to delete VM %s", v.uuid);
	if (vm_delete(&v.vh, v.uuid, &rep, &why) < 0)
		return vmadm_failed(call, prefix, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Successfully deleted VM %s", v.uuid);
	return 0;
}
