/* SPDX-License-Identifier: MIT */
/*
 * zoneadmd - the supervisor of one running VM.
 *
 *	vmadm start ──spawns──▶ zoneadmd UUID ──run.h──▶ monitor ──▶ init
 *	     ▲                   │      ▲                            │
 *	     └──fd 3: it runs────┘      └─── pidfds: it has ended ───┘
 *	vmadm stop ──zoneadmd.sock──▶ zoneadmd
 *
 * It has four jobs: to start the VM as its record says; to tell who asks what it
 * does (state.json for everybody, the socket for requests); to end it, in peace
 * and then by force; and, when it ends by itself, to start it again or to clean
 * up behind it.
 *
 * One constraint shapes all of it: zoneadmd may die at any moment, and the VM runs
 * on. Nothing that the VM needs is in this process. Its init is the child of
 * liblxc's monitor, its console belongs to that as well, its limits are in the
 * kernel. What a successor must know is in state.json, or can be asked of the
 * kernel: 'zoneadmd --attach UUID' finds it, or finds that nothing runs any more
 * and cleans up. A command that gets no answer from the socket starts just that, and
 * so does 'zoneadmd --keep' (keep.c), one for the host, as soon as one is killed.
 *
 *	killed                  then
 *	zoneadmd, idle          the VM runs on; 'zoneadmd --keep', or where that does not
 *	                        run the next command, attaches another one
 *	zoneadmd, in a start    state.json names nobody: the next start, stop or
 *	                        delete ends what runs and cleans up
 *	the monitor             its init gets SIGKILL from the kernel; zoneadmd sees
 *	                        the end and cleans up
 *	init                    the VM has ended; zoneadmd cleans up
 *	all of them             as zoneadmd in a start
 *
 * There is one zoneadmd a VM: it holds the lock UUID.zoneadmd as long as it lives.
 * The command that spawned it holds the VM's lock until fd 3 has told how it went.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/cli.h"
#include "base/jv.h"
#include "base/lock.h"
#include "base/log.h"
#include "librecord/record.h"
#include "libvm/zoneadmd.h"
#include "zoneadmd/metadata.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define READY_FD 3

/* The predecessor may be about to go; what it mounted can take long on a busy disk. */
#define LOCK_WAIT_MS 20000
#define LOCK_LOOK_MS 100 /* between two looks at what it does */

/* Was it started by a command that waits? By hand, number 3 is nothing or something else. */
static bool somebody_waits;

static void find_who_waits(void)
{
	struct stat st;

	somebody_waits = fstat(READY_FD, &st) == 0 && S_ISFIFO(st.st_mode) &&
			 fcntl(READY_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static void tell(const struct zone *z, bool running, const struct err *failure)
{
	cleanup_jv struct jv *message = jv_object();
	cleanup_free char *text = NULL;

	if (!somebody_waits)
		return;
	jv_set(message, "ok", jv_bool(!failure));
	if (failure) {
		jv_set(message, "code", jv_int(failure->code));
		jv_set(message, "error", jv_string(failure->msg));
	} else {
		jv_set(message, "running", jv_bool(running));
		jv_set(message, "warnings", jv_copy(z->warnings));
	}
	text = jv_dump(message, 0);
	/* Who does not read it any more has been killed; the VM is none the worse. */
	if (dprintf(READY_FD, "%s\n", text) < 0)
		log_debug("nobody waits for the news");
	(void)close(READY_FD);
	somebody_waits = false;
}

static char *own_path(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n <= 0 ? xstrdup("/usr/sbin/zoneadmd") : xstrndup(path, (size_t)n);
}

/* -EALREADY: another one has the VM running, and goes on. */
static int take_supervision(struct zone *z, struct err *e)
{
	cleanup_close int dirfd = host_dir(&z->host, HOST_LOCKS, 0700, e);
	char name[UUID_STR + sizeof(ZONEADMD_LOCK_SUFFIX)];
	int r = -EBUSY;

	if (dirfd < 0)
		return dirfd;
	(void)snprintf(name, sizeof(name), "%s" ZONEADMD_LOCK_SUFFIX, z->uuid);
	for (int waited = 0; r == -EBUSY && waited < LOCK_WAIT_MS; waited += LOCK_LOOK_MS) {
		r = lock_take(dirfd, name, LOCK_EXCLUSIVE, LOCK_LOOK_MS, e);
		if (r == -EBUSY && zoneadmd_vm_is_running(&z->host, z->uuid))
			return err_set(e, -EALREADY, "VM %s has a supervisor already", z->uuid);
	}
	if (r == -EBUSY)
		return err_set(e, r, "VM %s has a supervisor already", z->uuid);
	z->lockfd = r;
	return r < 0 ? r : 0;
}

static int open_rundir(struct zone *z, struct err *e)
{
	cleanup_free char *dir = xasprintf(HOST_RUN "/%s", z->uuid);
	cleanup_close int existing = host_dir_existing(&z->host, dir, NULL);

	z->is_new = existing < 0;
	z->rundir = host_path(&z->host, HOST_RUN, z->uuid);
	z->rundirfd = host_dir(&z->host, dir, 0700, e);
	return z->rundirfd < 0 ? z->rundirfd : 0;
}

static int prepare(struct zone *z, const char *root, const char *uuid, struct err *e)
{
	int r;

	(void)snprintf(z->uuid, sizeof(z->uuid), "%s", uuid);
	z->warnings = jv_array();
	z->program = own_path();
	r = host_open(&z->host, root, e);
	if (r == 0)
		r = zone_forget_inherited(e);
	if (r == 0)
		r = zone_open_log(z, e);
	if (r == 0)
		r = take_supervision(z, e);
	if (r == 0)
		r = open_rundir(z, e);
	return r;
}

static void zone_done(struct zone *z)
{
	console_free(z);
	metadata_end(z, z->run != NULL);
	run_free(z->run);
	close_p(&z->listenfd);
	jv_unref(z->warnings);
	close_p(&z->rundirfd);
	free(z->rundir);
	free(z->program);
	close_p(&z->lockfd);
	host_close(&z->host);
}

/* A machine that runs already is what a start wants; see zone_attach() for what is half made.
 */
static int attach_or_start(struct zone *z, bool attach_only, struct err *e)
{
	int r = zone_attach(z, e);

	if (r == -ENOENT && !attach_only)
		r = zone_start(z, e);
	return r;
}

/* Nothing runs, and nothing is left of it or of us. */
static void leave(struct zone *z)
{
	zone_leave(z);
	zone_state_set_stopped(z);
}

static int supervise(struct zone *z, bool attach_only, struct err *e)
{
	int r;

	/* Before the start: afterwards the machine's own work is in the way. */
	r = requests_listen(z, e);
	if (r == 0)
		r = attach_or_start(z, attach_only, e);
	if (r == -ENOENT && attach_only) {
		leave(z);
		tell(z, false, NULL);
		return 0;
	}
	if (r < 0) {
		if (!z->run && r != -EBUSY)
			leave(z);
		return r;
	}
	tell(z, true, NULL);
	r = zone_serve(z, e);
	return r == -EINTR ? 0 : r;
}

static int run_zoneadmd(struct cli_call *call, struct err *e)
{
	struct zone z = { .exit_status = -1,
			  .host = { .fd = -1 },
			  .rundirfd = -1,
			  .lockfd = -1,
			  .listenfd = -1 };
	const char *uuid = cli_operand(call, 0);
	int r;

	if (cli_has(call, "ended"))
		return run_note_end(cli_get(call, "ended"), e) < 0 ? -EIO : 1;
	if (cli_has(call, "mount"))
		return run_mount(cli_get(call, "mount"), e);
	if (cli_has(call, "keep") && !uuid)
		return zone_keep(cli_get(call, "root"), e);
	if (!uuid || !uuid_is_valid(uuid))
		return cli_wrong_use(call, "'%s' is not a UUID", uuid ? uuid : "");
	find_who_waits();
	log_setup("zoneadmd", uuid);
	r = prepare(&z, cli_get(call, "root"), uuid, e);
	(void)signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = supervise(&z, cli_has(call, "attach"), e);
	/* A command wants it to run, and it does: whoever started the other one was killed. */
	if (r == -EALREADY && somebody_waits) {
		tell(&z, true, NULL);
		r = 0;
	} else if (r < 0) {
		tell(&z, false, e);
	}
	zone_done(&z);
	return r;
}

int main(int argc, char **argv)
{
	static const struct cli_opt options[] = {
		{ .name = "attach",
		  .help = "take over a VM that runs; clean up if it does not" },
		{ .name = "ended",
		  .arg = "RUNDIR",
		  .help = "note why a VM ended; run by its monitor",
		  .complete = CLI_DIR },
		{ .name = "keep",
		  .help = "replace the supervisors of this host that are killed" },
		{ .name = "mount",
		  .arg = "RUNDIR",
		  .help = "mount a VM's file systems; run by its monitor",
		  .complete = CLI_DIR },
		{ .name = "root",
		  .arg = "DIR",
		  .help = "the host's root folder, instead of /",
		  .complete = CLI_DIR },
		CLI_END,
	};
	static const struct cli_cmd command = {
		.args = "UUID",
		.opts = options,
		.min_operands = 0,
		.max_operands = 1,
		.run = run_zoneadmd,
	};
	static const struct cli_prog prog = {
		.name = "zoneadmd",
		.summary = "supervise one running VM",
		.main_cmd = &command,
	};

	return cli_main(&prog, argc, argv);
}
