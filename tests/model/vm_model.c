// SPDX-License-Identifier: MIT
/*
 * vm_model - random operations on real zones, against a model of what must come out.
 *
 *	vm_model -v VMADM -r ROOT -i IMAGE [-s SEED] [-n COUNT] [-c PERCENT] [-p RUNNER]
 *	         [-f ROOT2] [-t TOOLS] [-d VMINFOD]
 *
 * After each operation the exit status must be the one that the model says, and
 * `vmadm list` must show what the model holds, for every VM. A file in each root
 * tells whether its content is the right one after a rollback. With -c, so many of
 * a hundred operations are killed at a random durable step (DAIS_CRASH_AT of
 * librecord/fault.h), or lose their supervisor before or amid of it; the VM must then be
 * as before or as after. The agent of its metadata is killed as well. With -f VMs are
 * sent to another host and looked at there: whole, what has changed, cut off and gone on
 * with (vm_model_far.c). With -t a guest's tools change its metadata. With -d a vminfod
 * serves the host, and is killed if there are kills. With -p it is one of several on a host
 * at once, by its number: each has VMs and addresses of its own, and leaves those of the
 * others alone. Prints TAP: one line a hundred operations. The seed repeats a run, but for
 * what the kills hit.
 */
#include "vm_model.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *vmadm, *vminfod, *tools, *image;
const char *root, *far_root;
unsigned int runner;
struct vm vms[VMS];
char names[VMS][37];
static uint64_t rng;
static int next_mark = 1;

unsigned int pick(unsigned int n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned int)(rng >> 11) % n;
}

/* A guest that was killed needs a moment to be seen as stopped. */
static bool comes_to(int changed, const struct vm *now, char rows[VMS][LINE])
{
	for (int tries = 0; tries < 100; tries++) {
		if (host_is(root, vms, changed, now, rows))
			return true;
		nap_ms(50);
	}
	return false;
}

/* ---- one after the other ------------------------------------------------------------- */

static void must(struct op *op, int i, int status)
{
	char rows[VMS][LINE];

	if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0) != op->fails ||
	    (WEXITSTATUS(status) > 1 && !op->program)) {
		describe(op);
		die("status %#x, and it %s", (unsigned int)status,
		    op->fails ? "should be refused" : "should work");
	}
	if (!comes_to(i, &op->after, rows)) {
		describe(op);
		die("VM %d: row '%s', marker %d, snapshots %d; wanted running %d autoboot %d ram %d "
		    "alias a%d marker %d snapshots %d key %d",
		    i, rows[i], read_marker(root, i), snaps_of(root, i), op->after.runs,
		    op->after.autoboot, op->after.ram, op->after.alias, op->after.content,
		    op->after.snaps, op->after.key);
	}
	vms[i] = op->after;
}

/*
 * A killed command: the next one mends, and the VM is as before or as after. One that
 * was starting goes on to, so that only a start or a stop tells where it is going. Where
 * its supervisor was killed instead, it may be marked failed; a start takes that off.
 */
static void settle(struct vm *v, int i, bool start)
{
	const char *const begin[] = { "start", names[i], NULL };
	const char *const end[] = { "stop", names[i], "-F", NULL };
	const char *const clear[] = { "clear", names[i], NULL };
	int status = run(start ? begin : end, NULL, 0);

	if (v->there && status != 0)
		die("%s after a kill: status %#x: %s", start ? "start" : "stop",
		    (unsigned int)status, output);
	if (v->there && !start)
		(void)run(clear, NULL, 0);
	v->runs = v->autoboot = v->there && start;
}

/* As before or as after, whatever was killed on the way. */
static void either(struct op *op, int i)
{
	static const char *const mend[] = { "check", "--repair", NULL };
	char rows[VMS][LINE];
	struct vm may[] = { op->after, vms[i] };
	bool start = pick(2);

	if (run(mend, NULL, 0) != 0 && !runner)
		die("check --repair after a kill: %s", output);
	(void)host_is(root, vms, i, &may[0], rows);
	may[0].there = may[1].there = *rows[i];
	if (*rows[i])
		settle(&may[0], i, start);
	else
		may[0] = may[1] = (struct vm){ 0 };
	may[1].runs = may[1].autoboot = may[0].runs;
	for (int tries = 0; tries < 60; tries++) {
		for (size_t k = 0; k < 2; k++) {
			if (host_is(root, vms, i, &may[k], rows)) {
				vms[i] = may[k];
				return;
			}
		}
		nap_ms(50);
	}
	describe(op);
	die("after a kill VM %d is neither old nor new: row '%s', marker %d, snapshots %d", i,
	    rows[i], read_marker(root, i), snaps_of(root, i));
}

static void cut_short(struct op *op, int i)
{
	static const char *const victims[] = { "zoneadmd", "zoneadmd", "mdata-agent" };
	bool supervisor = pick(3) == 0;
	pid_t killer = 0;
	int status;

	if (supervisor)
		killer = kill_later(victims[pick(3)], names[i], pick(60));
	status = run_op(op, supervisor ? 0 : 1 + (int)pick(14));
	if (killer > 0)
		waitpid(killer, NULL, 0);
	if (!supervisor && WIFEXITED(status))
		must(op, i, status);
	else
		either(op, i);
}

static void lose_supervisor(int i)
{
	struct op op = { .after = vms[i], .args = { "list" } };

	kill_processes("zoneadmd", names[i]);
	must(&op, i, 0);
}

/* Who serves the metadata is there again when the zone is told to start. */
static void find_supervisor(int i)
{
	struct op op = { .after = vms[i] };

	op_start(&op, i);
	must(&op, i, run_op(&op, 0));
}

static void kill_something(int i, unsigned int crash_percent)
{
	if (vms[i].runs && pick(100) < crash_percent / 2)
		lose_supervisor(i);
	if (vms[i].runs && pick(100) < crash_percent / 4)
		kill_processes("mdata-agent", names[i]);
	if (pick(100) < crash_percent / 4)
		daemon_again();
}

static void step(unsigned int crash_percent)
{
	int i = (int)pick(VMS);
	struct op op;

	if (vms[i].there && pick(4) == 0)
		write_marker(i, vms[i].content = next_mark++);
	if (crash_percent)
		kill_something(i, crash_percent);
	if (far_root && pick(10) == 0) {
		far_step(i, crash_percent > 0);
		return;
	}
	op_choose(&op, i);
	if (op.program && crash_percent && vms[i].there) {
		find_supervisor(i);
		op_choose(&op, i);
	}
	if (pick(100) < crash_percent)
		cut_short(&op, i);
	else
		must(&op, i, run_op(&op, 0));
}

static void delete_all(void)
{
	for (int i = 0; i < VMS; i++) {
		struct op op = { .after = vms[i] };

		op_delete(&op, i);
		must(&op, i, run_op(&op, 0));
	}
	if (far_root)
		far_delete_all();
}

static void check_all(const char *when, bool kills)
{
	check_host(root, when, kills);
	if (far_root)
		check_host(far_root, when, kills);
}

static const char *number(const char *text, unsigned long *ret)
{
	*ret = strtoul(text, NULL, 10);
	return text;
}

static int options(int argc, char **argv, unsigned long *ret_count, unsigned long *ret_crash)
{
	unsigned long n;
	int opt;

	while ((opt = getopt(argc, argv, "v:r:i:s:n:c:p:f:t:d:")) != -1) {
		if (opt == 'v')
			vmadm = optarg;
		else if (opt == 'r')
			root = optarg;
		else if (opt == 'i')
			image = optarg;
		else if (opt == 'f')
			far_root = optarg;
		else if (opt == 't')
			tools = optarg;
		else if (opt == 'd')
			vminfod = optarg;
		else if (opt == 's' && number(optarg, &n))
			rng = n;
		else if (opt == 'p' && number(optarg, &n))
			runner = (unsigned int)n;
		else if (opt == 'n')
			number(optarg, ret_count);
		else if (opt == 'c')
			number(optarg, ret_crash);
		else
			return -1;
	}
	return vmadm && root && image ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned long count = 300, crash = 0, tests = 0;

	rng = 1;
	if (options(argc, argv, &count, &crash) < 0)
		return 2;
	printf("# seed %lu, %lu operations, %lu of 100 cut short\n", (unsigned long)rng, count,
	       crash);
	rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
	for (int i = 0; i < VMS; i++)
		snprintf(names[i], sizeof(names[i]), "%08x-0000-4000-8000-%012x",
			 0xc0000000U + (unsigned int)i, (unsigned int)getpid());
	setvbuf(stdout, NULL, _IOLBF, 0);
	daemon_again();
	for (unsigned long n = 1; n <= count; n++) {
		step((unsigned int)crash);
		if (n % CHUNK && n < count)
			continue;
		check_all("between operations", crash > 0);
		printf("ok %lu - %lu operations\n", ++tests, n);
	}
	delete_all();
	check_all("at the end", crash > 0);
	printf("ok %lu - nothing is left to check after everything is deleted\n1..%lu\n",
	       tests + 1, tests + 1);
	return 0;
}
