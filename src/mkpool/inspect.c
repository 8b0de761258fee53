/* SPDX-License-Identifier: MIT */
/*
 * inspect.c - what a device or file holds, and who uses the pool.
 */
#include "mkpool/mkpool.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/uuid.h"
#include "libsys/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define STATE_MAX 65536

/* wipefs prints "TYPE LABEL" lines: "btrfs zones", "gpt", ... Make one line of them. */
static void join_lines(char *text)
{
	size_t len = strlen(text);

	while (len && strchr("\n ", text[len - 1]))
		text[--len] = '\0';
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ',';
}

int mkpool_check_empty(const char *path, struct err *e)
{
	const char *const argv[] = { "wipefs",     "--no-act", "--noheadings", "--output",
				     "TYPE,LABEL", "--",       path,           NULL };
	cleanup_buf struct buf out = BUF_INIT;
	cleanup_free char *found = NULL;
	int r = proc_run(argv, &out, e);

	if (r < 0)
		return err_wrap(e, r, "cannot see what '%s' holds", path);
	found = xstrdup(buf_str(&out));
	join_lines(found);
	if (*found)
		return err_set(e, -EBUSY, "'%s' holds data (%s); --force destroys it", path,
			       found);
	return 0;
}

int mkpool_check_unused(const char *path, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "cannot look at '%s'", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, -ENOTBLK, "'%s' is not a block device; use --file for a file",
			       path);
	/* The kernel's own word: what is mounted, swap, or part of a set is held exclusively.
	 */
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return err_set(e, -EBUSY,
			       "'%s' is in use: it, or a partition of it, is mounted, "
			       "swapped to, or part of another device",
			       path);
	return fd < 0 ? err_sys(e, "cannot open '%s' for writing", path) : 0;
}

static bool lives(const struct jv *state, const char *pid_name, const char *start_name)
{
	int64_t pid = jv_get_int(state, pid_name, 0);

	return pid > 0 && pid <= INT32_MAX &&
	       procfs_is_alive((pid_t)pid, (uint64_t)jv_get_int(state, start_name, 0));
}

/* One that just starts has no init yet, but its supervisor is at work in the pool. */
static bool runs(int rundir, const char *uuid)
{
	cleanup_jv struct jv *state = NULL;
	char name[UUID_STR + 16];

	(void)snprintf(name, sizeof(name), "%.36s/state.json", uuid);
	if (jv_load(rundir, name, STATE_MAX, &state, NULL) < 0)
		return false;
	return lives(state, "pid", "pid_start") ||
	       lives(state, "supervisor", "supervisor_start");
}

int mkpool_check_no_vm_runs(const struct host *h, struct err *e)
{
	int fd = host_dir_existing(h, HOST_RUN, e);
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return err_set(e, -EIO, "cannot read '%s/" HOST_RUN "'", h->root);
	}
	while (r >= 0 && (r = path_next_entry(dir, &entry, e)) > 0)
		if (uuid_is_valid(entry->d_name) && runs(dirfd(dir), entry->d_name))
			r = err_set(e, -EBUSY, "VM '%s' runs; stop it first", entry->d_name);
	(void)closedir(dir);
	return r;
}
