/* SPDX-License-Identifier: MIT */
/*
 * traces.c - what a machine leaves on the host, and how it is removed.
 */
#include "librun/lxc/lxc.h"

#include "base/fileio.h"
#include "base/path.h"
#include "libsys/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KILL_MS 10000
#define LOG_MAX ((size_t)4 << 20)

/* Where liblxc puts its lock files, whatever its configuration says. */
#define LXC_LOCK_DIR "/run/lxc/lock" LXC_PATH

void lxc_group(const char *uuid, const char *suffix, char ret[static LXC_GROUP_MAX])
{
	(void)snprintf(ret, LXC_GROUP_MAX, LXC_GROUP_PARENT "/%s%s", uuid, suffix);
}

static int remove_groups(const char *uuid, struct err *e)
{
	static const char *const suffixes[] = { "", ".monitor", ".pivot" };
	char group[LXC_GROUP_MAX];
	struct err why;
	int first = 0;

	/* One that cannot be removed is no reason to leave the others. */
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		int r;

		lxc_group(uuid, suffixes[i], group);
		r = cgroup_kill(group, KILL_MS, first ? &why : e);
		if (r == 0)
			r = cgroup_remove(group, first ? &why : e);
		first = first ? first : r;
	}
	return first;
}

static void remove_files(const char *uuid, const char *rundir)
{
	static const char *const files[] = { "seccomp", "lxc.log", "ended", "mounts.json",
					     "mounted.json" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", rundir, files[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), LXC_LOCK_DIR "/.%s", uuid);
	(void)unlink(path);
}

int lxc_clean(const char *uuid, const char *rundir, struct err *e)
{
	int r = remove_groups(uuid, e);

	remove_files(uuid, rundir);
	return r < 0 ? err_wrap(e, r, "cannot remove what the machine left") : 0;
}

/*
 * Runs in a process of its own, started by liblxc: see run_spec.end_program. That
 * it exits with 1 keeps liblxc from starting the machine again by itself; the
 * supervisor does, with the record as it is then.
 */
int lxc_note_end(const char *rundir, struct err *e)
{
	const char *target = getenv("LXC_TARGET");
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", rundir);
	(void)unlinkat(fd, "ended", 0);
	return path_write_new(fd, "ended", target ? target : "stop", 0600, e);
}

enum run_end lxc_read_end(const char *rundir)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	size_t len;

	if (fd < 0 || file_read_all(fd, "ended", 16, &text, &len, NULL) < 0)
		return RUN_END_KILLED;
	return strcmp(text, "reboot") == 0 ? RUN_END_REBOOT : RUN_END_HALT;
}

/* Where FORM begins in TEXT for the last time; NULL: nowhere. */
static const char *find_last(const char *text, const char *form)
{
	const char *found = NULL;

	for (const char *p = text; (p = strstr(p, form)); p++)
		found = p;
	return found;
}

/*
 * "Child <PID> ended on error (N)", "Child <PID> ended on signal NAME(N)", and nothing
 * for a status of 0. A guest that powers off has its init killed by SIGINT: that is how
 * the kernel tells it of a pid namespace.
 */
int lxc_read_status(const char *rundir, pid_t init)
{
	cleanup_close int fd = open(rundir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	const char *line, *number;
	char form[64];
	bool by_signal;
	size_t len;
	int n;

	if (fd < 0 || file_read_all(fd, "lxc.log", LOG_MAX, &text, &len, NULL) < 0)
		return -1;
	/* The log is of one start, and so of one init. */
	if (init > 0)
		(void)snprintf(form, sizeof(form), "Child <%d> ended on ", (int)init);
	else
		(void)snprintf(form, sizeof(form), "> ended on ");
	line = find_last(text, form);
	if (!line)
		return 0;
	line += strlen(form);
	number = line + strcspn(line, "(\n");
	if (*number != '(')
		return -1;
	n = (int)strtol(number + 1, NULL, 10);
	by_signal = strncmp(line, "signal", 6) == 0;
	if (n < 0 || n > 255)
		return -1;
	return !by_signal ? n : n == SIGINT ? 0 : 128 + n;
}

/* "PROGRAM NAME TIME ERROR  FILE - PLACE - MESSAGE": the message is for people. */
static const char *message_of(const char *line)
{
	const char *p = strstr(line, " ERROR ");

	for (int i = 0; p && i < 2; i++) {
		p = strstr(p, " - ");
		p = p ? p + 3 : NULL;
	}
	return p;
}

void lxc_forget_last(const char *rundir)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/lxc.log", rundir);
	(void)unlink(path);
	/* A machine that is killed notes nothing: what the last one noted is not about it. */
	(void)snprintf(path, sizeof(path), "%s/ended", rundir);
	(void)unlink(path);
}

void lxc_first_error(const char *rundir, char *ret, size_t size)
{
	char path[PATH_MAX];
	char line[1024];
	FILE *f;

	ret[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/lxc.log", rundir);
	f = fopen(path, "re");
	while (f && ret[0] == '\0' && fgets(line, sizeof(line), f)) {
		const char *text = message_of(line);

		if (text)
			(void)snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
	}
	if (f)
		(void)fclose(f);
}
