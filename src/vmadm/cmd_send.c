/* SPDX-License-Identifier: MIT */
/*
 * send, receive and install.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/progress.h"
#include "libpayload/payload.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

static void show(void *data, uint64_t bytes)
{
	progress_update(data, bytes);
}

/* What is said besides the result is for people alone. */
static bool is_quiet(struct cli_call *call)
{
	return cli_has(call, "quiet") || !isatty(STDERR_FILENO);
}

int cmd_send(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	struct vm_transfer t = {
		.from = cli_get(call, "incremental-from"),
		.token = cli_get(call, "resume-from"),
		.progress = show,
	};
	struct err why = { 0 };
	int r = vmadm_begin_change(&v, call, e);

	if (r != 0)
		return r;
	if (t.from && t.token)
		return cli_wrong_use(call, "--resume-from goes on with what was begun; "
					   "--incremental-from begins");
	if (isatty(STDOUT_FILENO)) {
		(void)err_set(&why, -EINVAL, "Cannot send VM to a TTY.");
		return vmadm_failed(call, NULL, NULL, &why);
	}
	/* What is said goes to people; and that nobody reads any more is an error here. */
	t.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (t.fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return err_sys(e, "cannot use standard output");
	(void)signal(SIGPIPE, SIG_IGN);
	t.data = progress_begin("send", 0, is_quiet(call));
	r = vm_send(&v.vh, v.uuid, &t, &rep, &why);
	progress_end(t.data, r == 0);
	if (r < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Successfully sent VM %s", v.uuid);
	return 0;
}

/* The image need not be here: what the VM has of it comes along. */
static int any_image(void *data, const char *uuid, struct payload_image *ret, struct err *e)
{
	(void)data;
	(void)uuid;
	(void)e;
	*ret = (struct payload_image){ .type = "lx-dataset", .os = "linux" };
	return 0;
}

static int judge(void *data, const struct jv *payload, struct jv **ret_record,
		 struct problems *ps, struct err *e)
{
	struct payload_env env = vmadm_payload_env(data);

	env.image = any_image;
	return payload_to_record(payload, &env, ret_record, ps, e);
}

static int say_cut_off(struct cli_call *call, const struct vm_report *rep, const char *uuid,
		       const char *token, const struct err *why)
{
	int status = vmadm_failed(call, NULL, rep, why);

	fprintf(stderr,
		"VM %s is left receiving: 'vmadm send --resume-from %s %s' there, with "
		"'vmadm receive --resume' here, sends the rest; "
		"'vmadm receive --abandon %s' gives it up\n",
		uuid, token, uuid, uuid);
	return status;
}

static int receive(struct vmadm *v, struct cli_call *call, int fd)
{
	const struct vm_receive_env env = { v, judge };
	cleanup_vm_report struct vm_report rep = { 0 };
	cleanup_free char *token = NULL;
	struct vm_transfer t = {
		.fd = fd,
		.resume = cli_has(call, "resume"),
		.progress = show,
	};
	struct err why = { 0 };
	int r;

	t.data = progress_begin("receive", 0, is_quiet(call));
	r = vm_receive(&v->vh, &t, &env, v->uuid, &token, &rep, &why);
	progress_end(t.data, r == 0);
	if (r < 0 && token)
		return say_cut_off(call, &rep, v->uuid, token, &why);
	if (r < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_done(call, v->uuid, &rep, "Successfully received VM %s", v->uuid);
	return 0;
}

static int receive_by_hand(struct vmadm *v, struct cli_call *call, struct err *e)
{
	cleanup_free char *token = NULL;
	struct err why = { 0 };
	int r = vmadm_begin_change(v, call, e);

	if (r != 0)
		return r;
	if (cli_has(call, "abandon"))
		r = vm_receive_abandon(&v->vh, v->uuid, &why);
	else
		r = vm_receive_token(&v->vh, v->uuid, &token, &why);
	if (r < 0)
		return vmadm_failed(call, NULL, NULL, &why);
	if (token)
		puts(token);
	else
		vmadm_done(call, v->uuid, NULL, "Gave up receiving VM %s", v->uuid);
	return 0;
}

int cmd_receive(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_close int fd = -1;
	const char *name;
	int r;

	if (cli_has(call, "abandon") || cli_has(call, "token"))
		return receive_by_hand(&v, call, e);
	if (cli_operands(call) > 0)
		return cli_wrong_use(call, "Too many arguments.");
	r = vmadm_open_input(call, "receive", &fd, &name, e);
	if (r == 0)
		r = vmadm_begin(&v, call, e);
	if (r == 0)
		r = vmadm_need_root("only root may change VMs");
	return r != 0 ? r : receive(&v, call, fd);
}

int cmd_install(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_vm_report struct vm_report rep = { 0 };
	struct err why = { 0 };
	int r = vmadm_begin_change(&v, call, e);

	if (r != 0)
		return r;
	if (vm_install(&v.vh, v.uuid, &rep, &why) < 0)
		return vmadm_failed(call, NULL, &rep, &why);
	vmadm_done(call, v.uuid, &rep, "Successfully installed VM %s", v.uuid);
	return 0;
}
