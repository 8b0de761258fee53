/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - from the specification to attach.c and back, through files: liblxc is
 * between the two, and starts the second as a program.
 */
#include "librun/lxc/lxc.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PLAN     "mounts.json"
#define RESULT   "mounted.json"
#define FILE_MAX ((size_t)1 << 20)

static int write_json(const char *rundir, const char *name, const struct jv *v, struct err *e)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = jv_dump(v, 0);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", rundir);
	(void)unlinkat(fd, name, 0);
	return path_write_new(fd, name, text, 0600, e);
}

static int read_json(const char *rundir, const char *name, struct jv **ret, struct err *e)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", rundir);
	return jv_load(fd, name, FILE_MAX, ret, e);
}

static void forget_result(const char *rundir)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)unlinkat(fd, RESULT, 0);
}

static void set_text(struct jv *o, const char *key, const char *text)
{
	if (text)
		jv_set(o, key, jv_string(text));
}

int lxc_plan_mounts(const struct run_spec *spec, struct err *e)
{
	cleanup_jv struct jv *plan = NULL;

	if (lxc_mounts_are_late(spec))
		return 0;
	plan = jv_array();
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct run_mount *m = &spec->mounts[i];
		struct jv *o = jv_object();

		set_text(o, "source", m->source);
		set_text(o, "target", m->target);
		set_text(o, "size", m->size);
		jv_set(o, "read_only", jv_bool(m->read_only));
		jv_set(o, "no_suid", jv_bool(m->no_suid));
		jv_set(o, "no_exec", jv_bool(m->no_exec));
		jv_push(plan, o);
	}
	forget_result(spec->rundir);
	return write_json(spec->rundir, PLAN, plan, e);
}

static struct lxc_mount_item *read_items(const struct jv *plan, size_t count)
{
	struct lxc_mount_item *items = xcalloc(count ? count : 1, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const struct jv *o = jv_at(plan, i);

		items[i] = (struct lxc_mount_item){
			.source = jv_get_string(o, "source"),
			.target = jv_get_string(o, "target"),
			.size = jv_get_string(o, "size"),
			.read_only = jv_get_bool(o, "read_only", false),
			.no_suid = jv_get_bool(o, "no_suid", false),
			.no_exec = jv_get_bool(o, "no_exec", false),
			.fd = -1,
		};
	}
	return items;
}

/* PID as liblxc tells it to its hooks. */
static pid_t init_of_hook(void)
{
	const char *text = getenv("LXC_PID");
	long pid = text ? strtol(text, NULL, 10) : 0;

	return pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* The folder is opened before the namespaces change, and with them what its path means. */
static int note_result(int dirfd, const struct lxc_mount_item *items, size_t count,
		       const struct err *failure, struct err *e)
{
	cleanup_jv struct jv *result = jv_object();
	cleanup_free char *text = NULL;
	struct jv *unmapped = jv_array();

	if (failure)
		set_text(result, "error", failure->msg);
	for (size_t i = 0; i < count; i++)
		if (items[i].unmapped)
			jv_push(unmapped, jv_string(items[i].target));
	jv_set(result, "unmapped", unmapped);
	text = jv_dump(result, 0);
	(void)unlinkat(dirfd, RESULT, 0);
	return path_write_new(dirfd, RESULT, text, 0600, e);
}

static int mount_planned(const struct jv *plan, int dirfd, pid_t pid, struct err *e)
{
	size_t count = jv_len(plan);
	cleanup_free struct lxc_mount_item *items = read_items(plan, count);
	int r = lxc_attach_mounts(pid, items, count, e);
	struct err ignored;

	if (r == 0)
		return note_result(dirfd, items, count, NULL, e);
	(void)note_result(dirfd, NULL, 0, e, &ignored);
	return r;
}

/* In a child: what remains of the program is in the namespaces that it began in. */
static int mount_in_child(const struct jv *plan, int dirfd, pid_t pid, struct err *e)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return err_sys(e, "cannot make a process");
	if (child == 0)
		_exit(mount_planned(plan, dirfd, pid, e) < 0);
	if (waitpid(child, &status, 0) < 0)
		return err_sys(e, "cannot wait for a process");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, -EIO, "it is told in " RESULT);
	return 0;
}

int lxc_mount(const char *rundir, struct err *e)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_jv struct jv *plan = NULL;
	pid_t pid = init_of_hook();
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", rundir);
	if (!pid)
		return err_set(e, -EINVAL, "this is for liblxc to run");
	/* liblxc ignores it: there would be no status to wait for. */
	(void)signal(SIGCHLD, SIG_DFL);
	r = jv_load(fd, PLAN, FILE_MAX, &plan, e);
	return r < 0 ? r : mount_in_child(plan, fd, pid, e);
}

void lxc_mounts_result(const char *rundir, run_warn *warn, void *data, char **ret_why)
{
	cleanup_jv struct jv *result = NULL;
	const struct jv *unmapped;
	const char *why;

	*ret_why = NULL;
	if (read_json(rundir, RESULT, &result, NULL) < 0)
		return;
	why = jv_get_string(result, "error");
	*ret_why = why ? xasprintf("filesystems: %s", why) : NULL;
	unmapped = jv_get(result, "unmapped");
	for (size_t i = 0; i < jv_len(unmapped); i++) {
		cleanup_free char *text = xasprintf(
			"'%s' is mounted without a map of ids: its files are nobody's",
			jv_as_string(jv_at(unmapped, i)));

		warn(data, "filesystems", text);
	}
}
