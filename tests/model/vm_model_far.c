// SPDX-License-Identifier: MIT
/*
 * What is sent: to another host, on another pool, where it stays stopped.
 *
 * A VM goes there whole, or what has changed of it since a snapshot that both have. The
 * stream is cut off somewhere, or who receives it is killed; then what is missing is sent,
 * or it is given up. Afterwards the VM there has the file and the snapshots that the one
 * here has, or is as it was.
 */
#include "vm_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct vm far[VMS];
static char token[LINE];

static void far_must(int i, const struct vm *now, const char *what)
{
	char rows[VMS][LINE];

	if (!host_is(far_root, far, i, now, rows))
		die("%s: VM %d over there: row '%s', marker %d, snapshots %d; wanted there %d ram %d "
		    "alias a%d marker %d snapshots %d key %d",
		    what, i, rows[i], read_marker(far_root, i), snaps_of(far_root, i),
		    now->there, now->ram, now->alias, now->content, now->snaps, now->key);
	far[i] = *now;
}

static int on_far(const char *verb, const char *more, int i, int in, int crash_at)
{
	struct call c = { .host = far_root,
			  .in = in,
			  .crash_at = crash_at,
			  .args = { verb, more, i < 0 ? NULL : names[i] } };

	return run_call(&c);
}

/* ---- the stream -------------------------------------------------------------------- */

static int spool(const char *name)
{
	char path[LINE];
	int fd;

	snprintf(path, sizeof(path), "%s/../model.%s.%u", root, name, runner);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* Into a file, from its beginning on. OPTION NULL: all of it. */
static int send_to_file(int i, const char *option, const char *value, bool kills)
{
	struct call c = { .args = { "send", "-q", names[i], option, value } };
	static const char *const mend[] = { "check", "--repair", NULL };

	c.out = spool("stream");
	c.crash_at = kills && pick(5) == 0 ? 1 + (int)pick(4) : 0;
	if (run_call(&c) != 0 && c.crash_at) {
		if (run(mend, NULL, 0) != 0 && !runner)
			die("check --repair after a send that was killed: %s", output);
		close(c.out);
		c.out = spool("stream");
		c.crash_at = 0;
		if (run_call(&c) != 0)
			die("send after one that was killed: %s", output);
	} else if (*output && strstr(output, "Successfully") == NULL) {
		die("send: %s", output);
	}
	lseek(c.out, 0, SEEK_SET);
	return c.out;
}

static bool take_token(void)
{
	const char *at = strstr(output, "--resume-from ");

	return at && sscanf(at, "--resume-from %500s", token) == 1;
}

/* What arrived of it is told by the receiver. */
static bool ask_token(int i)
{
	if (on_far("receive", "--token", i, 0, 0) != 0)
		return false;
	return sscanf(output, "%500s", token) == 1;
}

static bool goes_on(int i)
{
	if (pick(6))
		return true;
	if (on_far("receive", "--abandon", i, 0, 0) != 0)
		die("abandon: %s", output);
	return false;
}

/* 1: it is there; 0: given up, nothing has changed. */
static int receive_cut(int i, int fd, bool resume)
{
	struct stat st;
	int status;

	if (fstat(fd, &st) < 0 || ftruncate(fd, (off_t)pick((unsigned int)st.st_size)) < 0)
		die("cannot cut the stream off: %s", strerror(errno));
	status = on_far("receive", resume ? "--resume" : "-q", -1, fd, 0);
	close(fd);
	if (status == 0)
		die("a stream that was cut off was taken");
	if (!take_token()) {
		/* Nothing of it came; what was there before is there still. */
		return resume && ask_token(i) && goes_on(i) ? 2 : 0;
	}
	return goes_on(i) ? 2 : 0;
}

static int receive_killed(int i, int fd, bool resume, const struct vm *after)
{
	char rows[VMS][LINE];
	int status = on_far("receive", resume ? "--resume" : "-q", -1, fd, 1 + (int)pick(25));

	close(fd);
	if (status == 0)
		return 1;
	if (WIFEXITED(status))
		die("receive: %s", output);
	if (on_far("check", "--repair", -1, 0, 0) != 0)
		die("check --repair after a receive that was killed: %s", output);
	if (host_is(far_root, far, i, after, rows))
		return 1;
	return ask_token(i) && goes_on(i) ? 2 : 0;
}

/* As it comes, or in pieces. true: it is there; false: it is as it was. */
static bool receive(int i, int fd, const struct vm *after, bool kills)
{
	bool resume = false;
	int way, r;

	for (;;) {
		way = (int)pick(kills ? 3 : 2);
		if (way == 0) {
			r = on_far("receive", resume ? "--resume" : "-q", -1, fd, 0);
			close(fd);
			if (r != 0)
				die("receive: %s", output);
			return true;
		}
		r = way == 1 ? receive_cut(i, fd, resume)
			     : receive_killed(i, fd, resume, after);
		if (r < 2)
			return r;
		fd = send_to_file(i, "--resume-from", token, false);
		resume = true;
	}
}

/* ---- what is sent, and what must come of it ------------------------------------------ */

static void transfer(int i, int from, bool kills)
{
	struct vm after = far[i];
	const struct vm *near = &vms[i];
	char name[16];
	bool fails = from < 0 ? far[i].there : !far[i].there, has = from < 0;
	int fd;

	for (int f = 0; from >= 0 && f < far[i].snaps; f++)
		has |= far[i].snap_id[f] == near->snap_id[from];
	fails |= !has;
	if (from < 0)
		after = (struct vm){
			.there = true, .ram = near->ram, .alias = near->alias, .key = near->key
		};
	after.content = near->content;
	for (int s = from + 1; s < near->snaps; s++) {
		for (int f = 0; f < far[i].snaps; f++)
			fails |= far[i].snap_name[f] == near->snap_name[s];
		if (fails)
			break;
		after.snap_id[after.snaps] = near->snap_id[s];
		after.snap_name[after.snaps] = near->snap_name[s];
		after.snap_content[after.snaps++] = near->snap_content[s];
	}
	snprintf(name, sizeof(name), "s%d", from < 0 ? 0 : near->snap_name[from]);
	fd = send_to_file(i, from < 0 ? NULL : "--incremental-from", name, kills);
	vms[i].runs = vms[i].autoboot = false;
	if (!fails) {
		if (receive(i, fd, &after, kills))
			far_must(i, &after, from < 0 ? "sent" : "sent what changed");
		else
			far_must(i, &far[i], "given up");
		return;
	}
	if (on_far("receive", "-q", -1, fd, 0) == 0)
		die("VM %d: a stream from snapshot %d should be refused", i, from);
	close(fd);
	far_must(i, &far[i], "refused");
}

static void far_rollback(int i)
{
	struct vm after = far[i];
	int s = (int)pick((unsigned int)after.snaps);
	char name[16];
	struct call c = { .host = far_root, .args = { "rollback-snapshot", names[i], name } };

	snprintf(name, sizeof(name), "s%d", after.snap_name[s]);
	if (run_call(&c) != 0)
		die("rollback over there: %s", output);
	after.content = after.snap_content[s];
	after.snaps = s + 1;
	far_must(i, &after, "rolled back");
}

static void far_delete(int i)
{
	if (on_far("delete", names[i], -1, 0, 0) != 0)
		die("delete over there: %s", output);
	far_must(i, &(struct vm){ 0 }, "deleted");
}

void far_step(int i, bool kills)
{
	unsigned int way = pick(8);

	if (far[i].there && way == 0)
		far_delete(i);
	else if (far[i].snaps && way == 1)
		far_rollback(i);
	else if (vms[i].there && far[i].there && vms[i].snaps && way < 7)
		transfer(i, (int)pick((unsigned int)vms[i].snaps), kills);
	else if (vms[i].there)
		transfer(i, -1, kills);
}

void far_delete_all(void)
{
	for (int i = 0; i < VMS; i++)
		if (far[i].there)
			far_delete(i);
}
