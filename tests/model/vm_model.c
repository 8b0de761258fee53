// SPDX-License-Identifier: MIT
/*
 * vm_model - random operations on real zones, against a model of what must come out.
 *
 *	vm_model -v VMADM -r ROOT -i IMAGE [-s SEED] [-n COUNT] [-c PERCENT] [-p RUNNER]
 *
 * After each operation the exit status must be the one that the model says, and
 * `vmadm list` must show what the model holds, for every VM. A file in each root
 * tells whether its content is the right one after a rollback. With -c, so many of
 * a hundred operations are killed at a random durable step (DAIS_CRASH_AT of
 * librecord/fault.h) or lose their supervisor; the VM must then be as before or as
 * after. With -p it is one of several on a host at once, by its number: each has VMs and
 * addresses of its own, and leaves those of the others alone. Prints TAP: one line a hundred
 * operations. The seed repeats a run, but for what the kills hit.
 */
#include "vm_model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *vmadm, *root;
unsigned int runner;
const char *image;
struct vm vms[VMS];
char names[VMS][37];
static uint64_t rng;
static int next_mark = 1;
static char output[65536];

unsigned int pick(unsigned int n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned int)(rng >> 11) % n;
}

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	va_end(ap);
	puts("\nBail out!  the model and the host differ");
	exit(1);
}

/* ---- running vmadm --------------------------------------------------------------- */

static void become(const char *const args[], int in, int out, int crash_at)
{
	const char *argv[ARGS_MAX + 4] = { vmadm, "--root", root };
	char step[16];
	size_t n = 3;

	for (size_t i = 0; args[i]; i++)
		argv[n++] = args[i];
	if (crash_at) {
		snprintf(step, sizeof(step), "%d", crash_at);
		setenv("DAIS_CRASH_AT", step, 1);
	}
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	execv(vmadm, (char **)argv);
	_exit(127);
}

/* Its wait status; what it said is in OUTPUT. */
static int run(const char *const args[], const char *input, int crash_at)
{
	int in[2], out[2], status;
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0)
		become(args, in[0], out[1], crash_at);
	close(in[0]);
	close(out[1]);
	if (input && write(in[1], input, strlen(input)) < 0 && errno != EPIPE)
		die("write: %s", strerror(errno));
	close(in[1]);
	while ((n = read(out[0], output + have, sizeof(output) - 1 - have)) > 0)
		have += (size_t)n;
	output[have] = '\0';
	close(out[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void describe(const struct op *op)
{
	printf("# vmadm");
	for (size_t i = 0; op->args[i]; i++)
		printf(" %s", op->args[i]);
	printf("\n# %s\n", op->input ? op->input : "");
	for (const char *p = output; *p; p++) {
		if (p == output || p[-1] == '\n')
			fputs("# > ", stdout);
		putchar(*p);
	}
	if (*output && output[strlen(output) - 1] != '\n')
		putchar('\n');
}

/* ---- what is there --------------------------------------------------------------- */

static void marker_path(int i, char ret[static LINE])
{
	snprintf(ret, LINE, "%s/zones/%s/root/marker", root, names[i]);
}

static int read_marker(int i)
{
	char path[LINE], digits[16] = "";
	int fd, value = 0;

	marker_path(i, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, digits, sizeof(digits) - 1) > 0)
		value = (int)strtol(digits, NULL, 10);
	close(fd);
	return value;
}

static void write_marker(int i, int value)
{
	char path[LINE], digits[16];
	int fd;

	marker_path(i, path);
	snprintf(digits, sizeof(digits), "%d\n", value);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, digits, strlen(digits)) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static int snaps_of(int i)
{
	const char *args[] = { "get", names[i], NULL };
	int count = 0;

	if (run(args, NULL, 0) != 0)
		return -1;
	for (const char *p = output; (p = strstr(p, "\"created_at\"")); p++)
		count++;
	return count;
}

/* The row of `list`: what a model's VM must look like. */
static bool row_is(const struct vm *v, int i, const char *row)
{
	char want[LINE];

	if (!v->there)
		return !*row;
	snprintf(want, sizeof(want), "%s:%s:%s:%d:a%d", names[i],
		 v->runs ? "running" : "stopped", v->autoboot ? "true" : "", v->ram, v->alias);
	return strcmp(row, want) == 0;
}

static void rows_read(char ret[VMS][LINE])
{
	static const char *const args[] = { "list", "-Hpo", "uuid,state,autoboot,ram,alias",
					    NULL };
	char *rest = NULL;

	memset(ret, 0, VMS * LINE);
	if (run(args, NULL, 0) != 0)
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

/* A guest that was killed needs a moment to be seen as stopped. */
static bool all_is(int changed, const struct vm *now, char rows[VMS][LINE])
{
	rows_read(rows);
	for (int i = 0; i < VMS; i++)
		if (!row_is(i == changed ? now : &vms[i], i, rows[i]))
			return false;
	return !now->there ||
	       (read_marker(changed) == now->content && snaps_of(changed) == now->snaps);
}

static bool comes_to(int changed, const struct vm *now, char rows[VMS][LINE])
{
	struct timespec nap = { .tv_nsec = 50000000 };

	for (int tries = 0; tries < 100; tries++) {
		if (all_is(changed, now, rows))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

/* ---- one after the other ------------------------------------------------------------- */

static void check(const char *when)
{
	static const char *const args[] = { "check", NULL };
	int status = run(args, NULL, 0);

	/* What another runner has just cut short is its own to mend. */
	if (status != 0 && !runner)
		die("check %s: status %d: %s", when, WEXITSTATUS(status), output);
}

static void must(struct op *op, int i, int status)
{
	char rows[VMS][LINE];

	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0) != op->fails ||
	    WEXITSTATUS(status) > 1) {
		describe(op);
		die("status %#x, and it %s", (unsigned int)status,
		    op->fails ? "should be refused" : "should work");
	}
	if (!comes_to(i, &op->after, rows)) {
		describe(op);
		die("VM %d: row '%s', marker %d, snapshots %d; wanted running %d autoboot %d ram %d "
		    "alias a%d marker %d snapshots %d",
		    i, rows[i], read_marker(i), snaps_of(i), op->after.runs, op->after.autoboot,
		    op->after.ram, op->after.alias, op->after.content, op->after.snaps);
	}
	vms[i] = op->after;
}

/*
 * A killed command: the next one mends, and the VM is as before or as after. One that
 * was starting goes on to, so that only a start or a stop tells where it is going.
 */
static void settle(struct vm *v, int i, bool start)
{
	const char *const begin[] = { "start", names[i], NULL };
	const char *const end[] = { "stop", names[i], "-F", NULL };
	int status = run(start ? begin : end, NULL, 0);

	if (v->there && status != 0)
		die("%s after a kill: %s", start ? "start" : "stop", output);
	v->runs = v->autoboot = v->there && start;
}

static void cut_short(struct op *op, int i)
{
	static const char *const mend[] = { "check", "--repair", NULL };
	struct timespec nap = { .tv_nsec = 50000000 };
	char rows[VMS][LINE];
	struct vm may[] = { op->after, vms[i] };
	bool start = pick(2);
	int status = run(op->args, op->input, 1 + (int)pick(14));

	if (WIFEXITED(status)) {
		must(op, i, status);
		return;
	}
	if (run(mend, NULL, 0) != 0 && !runner)
		die("check --repair after a kill: %s", output);
	rows_read(rows);
	may[0].there = may[1].there = *rows[i];
	if (*rows[i])
		settle(&may[0], i, start);
	else
		may[0] = may[1] = (struct vm){ 0 };
	may[1].runs = may[1].autoboot = may[0].runs;
	for (int tries = 0; tries < 60; tries++) {
		for (size_t k = 0; k < 2; k++) {
			if (all_is(i, &may[k], rows)) {
				vms[i] = may[k];
				return;
			}
		}
		nanosleep(&nap, NULL);
	}
	describe(op);
	die("after a kill VM %d is neither old nor new: row '%s', marker %d, snapshots %d", i,
	    rows[i], read_marker(i), snaps_of(i));
}

static void lose_supervisor(int i)
{
	char path[LINE], state[4096] = "";
	struct op op = { .after = vms[i], .args = { "list" } };
	const char *at;
	int fd;

	snprintf(path, sizeof(path), "%s/run/dais/%s/state.json", root, names[i]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, state, sizeof(state) - 1) <= 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
	at = strstr(state, "\"supervisor\": ");
	/* An earlier one that is not missed yet is as good. */
	if (!at || (kill((pid_t)strtol(at + 14, NULL, 10), SIGKILL) < 0 && errno != ESRCH))
		die("no supervisor in %s", state);
	must(&op, i, 0);
}

static void step(unsigned int crash_percent)
{
	int i = (int)pick(VMS);
	struct op op;

	if (vms[i].there && pick(4) == 0)
		write_marker(i, vms[i].content = next_mark++);
	if (crash_percent && vms[i].runs && pick(100) < crash_percent / 2)
		lose_supervisor(i);
	op_choose(&op, i);
	if (pick(100) < crash_percent)
		cut_short(&op, i);
	else
		must(&op, i, run(op.args, op.input, 0));
}

static void delete_all(void)
{
	for (int i = 0; i < VMS; i++) {
		struct op op = { .after = vms[i] };

		op_delete(&op, i);
		must(&op, i, run(op.args, NULL, 0));
	}
}

int main(int argc, char **argv)
{
	unsigned long count = 300, crash = 0, tests = 0;
	int opt;

	rng = 1;
	while ((opt = getopt(argc, argv, "v:r:i:s:n:c:p:")) != -1) {
		switch (opt) {
		case 'v':
			vmadm = optarg;
			break;
		case 'r':
			root = optarg;
			break;
		case 'i':
			image = optarg;
			break;
		case 's':
			rng = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			count = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			crash = strtoul(optarg, NULL, 10);
			break;
		case 'p':
			runner = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	}
	if (!vmadm || !root || !image)
		return 2;
	printf("# seed %lu, %lu operations, %lu of 100 cut short\n", (unsigned long)rng, count,
	       crash);
	rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
	for (int i = 0; i < VMS; i++)
		snprintf(names[i], sizeof(names[i]), "%08x-0000-4000-8000-%012x",
			 0xc0000000U + (unsigned int)i, (unsigned int)getpid());
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned long n = 1; n <= count; n++) {
		step((unsigned int)crash);
		if (n % CHUNK && n < count)
			continue;
		check("between operations");
		printf("ok %lu - %lu operations\n", ++tests, n);
	}
	delete_all();
	check("at the end");
	printf("ok %lu - nothing is left to check after everything is deleted\n1..%lu\n",
	       tests + 1, tests + 1);
	return 0;
}
