/* SPDX-License-Identifier: MIT */
/*
 * late.c - mounts that may come when init has begun, by attach.c in a child of the
 * supervisor. The hook that mounts before that costs a start a shell and a program, and
 * init waits for both; so it is run only for a machine that has something to wait for.
 * Then it mounts all, in order.
 */
#include "librun/lxc/lxc.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

bool lxc_mounts_are_late(const struct run_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (!spec->mounts[i].late)
			return false;
	return true;
}

struct result {
	struct err e;
	bool unmapped;
};

static void attach(const struct run_spec *spec, pid_t init, struct result *ret)
{
	cleanup_free struct lxc_mount_item *items = xcalloc(spec->mount_count, sizeof(*items));

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct run_mount *m = &spec->mounts[i];

		items[i] = (struct lxc_mount_item){ .source = m->source,
						    .target = m->target,
						    .size = m->size,
						    .read_only = m->read_only,
						    .no_suid = m->no_suid,
						    .no_exec = m->no_exec,
						    .fd = -1 };
	}
	*ret = (struct result){ 0 };
	(void)!lxc_attach_mounts(init, items, spec->mount_count, &ret->e);
	for (size_t i = 0; i < spec->mount_count; i++)
		ret->unmapped |= items[i].unmapped;
}

/* In a child: there is no way back from the machine's namespaces. */
static void attach_in_child(const struct run_spec *spec, pid_t init, struct result *ret)
{
	int ends[2];
	pid_t pid;

	*ret = (struct result){ .e = { .code = -ECHILD, .msg = "the child ended early" } };
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)err_sys(&ret->e, "cannot make a pipe");
		return;
	}
	pid = fork();
	if (pid == 0) {
		attach(spec, init, ret);
		_exit(write(ends[1], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret));
	}
	(void)close(ends[1]);
	if (pid < 0)
		(void)err_sys(&ret->e, "cannot make a process");
	else if (read(ends[0], ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
		ret->e = (struct err){ .code = -ECHILD, .msg = "the child ended early" };
	(void)close(ends[0]);
	/* Who ignores SIGCHLD has no status to take. */
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

void lxc_mount_late(const struct run_spec *spec, struct run *r, run_warn *warn, void *data)
{
	cleanup_free char *text = NULL;
	struct result result;

	if (spec->mount_count == 0 || !lxc_mounts_are_late(spec))
		return;
	attach_in_child(spec, run_init_pid(r), &result);
	if (run_has_ended(r, 0))
		return;
	if (result.e.code < 0)
		text = xasprintf("not mounted: %s", result.e.msg);
	else if (result.unmapped)
		text = xstrdup("mounted without a map of ids: the files are nobody's");
	if (text)
		warn(data, "snapshots", text);
}
