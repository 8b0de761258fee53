/* SPDX-License-Identifier: MIT */
/*
 * zones.c - start the zones with the host, and stop them before it goes down.
 *
 * vmadm does the work, one process a zone, some at a time: a zone that hangs
 * holds up only itself.
 */
#include "platform/platform.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/uuid.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE   8
#define ZONES_MAX 4096
#define VMADM     "vmadm"

extern char **environ;

struct zones {
	char (*uuids)[UUID_STR];
	size_t count;
};

/* The output of vmadm: a UUID a line. */
static void take_lines(struct zones *z, const char *text)
{
	z->uuids = xcalloc(ZONES_MAX, sizeof(*z->uuids));
	while (*text && z->count < ZONES_MAX) {
		size_t len = strcspn(text, "\n");

		if (len == UUID_LEN) {
			memcpy(z->uuids[z->count], text, UUID_LEN);
			z->count += uuid_is_valid(z->uuids[z->count]);
		}
		text += len + (text[len] == '\n');
	}
}

static int lookup(const char *filter, const char *second, struct zones *ret, struct err *e)
{
	const char *const argv[] = { VMADM,  "list", "-H",   "-p", "-o",
				     "uuid", filter, second, NULL };
	cleanup_buf struct buf out = BUF_INIT;
	int r = proc_run(argv, &out, e);

	if (r < 0)
		return err_wrap(e, r, "cannot list the zones");
	take_lines(ret, buf_str(&out));
	return 0;
}

static pid_t begin(const char *verb, const char *uuid)
{
	char *argv[] = { (char *)VMADM, (char *)verb, (char *)uuid, NULL };
	pid_t pid;
	int r = posix_spawnp(&pid, VMADM, NULL, NULL, argv, environ);

	if (r == 0)
		return pid;
	log_error("cannot run '" VMADM "': %s", strerror(r));
	return -1;
}

/* Waits for one; returns how many failed. */
static size_t end_one(const char *verb)
{
	int status;
	pid_t pid = wait(&status);

	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return 0;
	/* vmadm has said on our standard error which zone and why. */
	log_error("a '" VMADM " %s' failed", verb);
	return 1;
}

static int for_each(const struct zones *z, const char *verb, struct err *e)
{
	size_t running = 0, failed = 0;

	for (size_t i = 0; i < z->count; i++) {
		if (running == AT_ONCE) {
			failed += end_one(verb);
			running--;
		}
		if (begin(verb, z->uuids[i]) > 0)
			running++;
		else
			failed++;
	}
	while (running-- > 0)
		failed += end_one(verb);
	if (failed > 0)
		return err_set(e, -EIO, "%zu of %zu zones did not %s", failed, z->count, verb);
	return 0;
}

static int act(const struct host *h, const char *filter, const char *second, const char *verb,
	       struct err *e)
{
	cleanup_close int pool = host_dir_existing(h, HOST_RECORDS, NULL);
	struct zones z = { .count = 0 };
	int r;

	if (pool < 0)
		return 0;
	r = lookup(filter, second, &z, e);
	if (r == 0)
		r = for_each(&z, verb, e);
	free(z.uuids);
	return r;
}

int platform_start_zones(const struct host *h, struct err *e)
{
	return act(h, "autoboot=true", "state=stopped", "start", e);
}

int platform_stop_zones(const struct host *h, struct err *e)
{
	return act(h, "state=running", NULL, "stop", e);
}
