// SPDX-License-Identifier: MIT
/*
 * What is on a host: the rows of `list`, a file in each root, snapshots, metadata.
 */
#include "vm_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void marker_path(const char *host, int i, char ret[static LINE])
{
	snprintf(ret, LINE, "%s/zones/%s/root/marker", host, names[i]);
}

int read_marker(const char *host, int i)
{
	char path[LINE], digits[16] = "";
	int fd, value = 0;

	marker_path(host, i, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, digits, sizeof(digits) - 1) > 0)
		value = (int)strtol(digits, NULL, 10);
	close(fd);
	return value;
}

void write_marker(int i, int value)
{
	char path[LINE], digits[16];
	int fd;

	marker_path(root, i, path);
	snprintf(digits, sizeof(digits), "%d\n", value);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, digits, strlen(digits)) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* Its object in the output. */
static bool get(const char *host, int i)
{
	struct call c = { .host = host, .args = { "get", names[i] } };

	return run_call(&c) == 0;
}

int snaps_of(const char *host, int i)
{
	int count = 0;

	if (!get(host, i))
		return -1;
	for (const char *p = output; (p = strstr(p, "\"created_at\"")); p++)
		count++;
	return count;
}

static bool object_is(const char *host, int i, const struct vm *v)
{
	char want[32];

	snprintf(want, sizeof(want), "\"k\": \"%d\"", v->key);
	return snaps_of(host, i) == v->snaps &&
	       (v->key ? strstr(output, want) != NULL : !strstr(output, "\"k\": "));
}

static bool text_is(const struct vm *v, int i, const char *row, bool autoboot)
{
	char want[LINE];

	snprintf(want, sizeof(want), "%s:%s:%s:%d:a%d", names[i],
		 v->runs ? "running" : "stopped", autoboot ? "true" : "", v->ram, v->alias);
	return strcmp(row, want) == 0;
}

/*
 * The row of `list`: what a model's VM must look like. Over there it starts with the host if
 * it did here, unless a send that was killed had stopped it already.
 */
static bool row_is(const char *host, const struct vm *v, int i, const char *row)
{
	if (!v->there)
		return !*row;
	return text_is(v, i, row, v->autoboot) || (host != root && text_is(v, i, row, true));
}

static void rows_read(const char *host, char ret[VMS][LINE])
{
	struct call c = { .host = host,
			  .args = { "list", "-Hpo", "uuid,state,autoboot,ram,alias" } };
	char *rest = NULL;

	memset(ret, 0, VMS * LINE);
	if (run_call(&c) != 0)
		die("list failed: %s", output);
	for (char *line = strtok_r(output, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		int i = 0;

		while (i < VMS && strncmp(line, names[i], 36) != 0)
			i++;
		if (i == VMS && !runner)
			die("an unknown VM: %s", line);
		if (i < VMS)
			snprintf(ret[i], LINE, "%s", line);
	}
}

bool host_is(const char *host, const struct vm have[VMS], int changed, const struct vm *now,
	     char rows[VMS][LINE])
{
	rows_read(host, rows);
	for (int i = 0; i < VMS; i++)
		if (!row_is(host, i == changed ? now : &have[i], i, rows[i]))
			return false;
	return !now->there ||
	       (read_marker(host, changed) == now->content && object_is(host, changed, now));
}

void check_host(const char *host, const char *when, bool kills)
{
	struct call c = { .host = host, .args = { "check", kills ? "--repair" : NULL } };
	int status = run_call(&c);

	/* Whose supervisor was killed may have ended since with nobody to tidy up. */
	c.args[1] = NULL;
	if (kills && status == 0)
		status = run_call(&c);

	/* What another runner has just cut short is its own to mend. */
	if (status != 0 && !runner)
		die("check %s: status %d: %s", when, WEXITSTATUS(status), output);
}
