/* SPDX-License-Identifier: MIT */
/*
 * supervise.c - waiting for the end, or for somebody who wants it.
 *
 *	           stop, reboot
 *	RUNNING ────────────────▶ STOPPING ──end──▶ gone, or STARTING (reboot)
 *	   │  ▲                      │ deadline: kill
 *	   │  └──────start───────┐   └─ retry: init did not listen yet
 *	   └──end: guest reboots─┴─ STARTING   else: gone
 *	           or fails, with restart_init
 *
 * It waits for a few descriptors and moments with poll(2), and not with
 * base/event.h: the library behind that one takes as long to load as all the rest
 * of this program does, and a start is waited for.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/clock.h"
#include "base/jv.h"
#include "base/log.h"
#include "librecord/record.h"
#include "zoneadmd/metadata.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define RETRY_MS     100
#define CLEAN_GAP_MS 1000

/* The end, signals, requests, and what metadata.h wants. */
#define WAITED (3 + METADATA_FDS)

/* A guest that reboots at once, again and again, is not to keep the host busy. */
#define SHORT_LIFE_MS  5000
#define RESTART_GAP_MS 1000

/*
 * The gap doubles with each short life in a row of one that fails: 16 s at most, as who
 * wants to start it meanwhile waits for us no longer than 20.
 */
#define DOUBLED_MOST 4

/*
 * Between tries to start again what could not be started. 15 s together: a command that
 * wants to start it waits for us no longer than 20.
 */
static const int start_gaps_s[] = { 1, 2, 4, 8 };

static const char *const end_names[] = {
	[RUN_END_KILLED] = "was killed",
	[RUN_END_HALT] = "has ended",
	[RUN_END_REBOOT] = "reboots",
};

static void finish(struct zone *z, int result)
{
	z->done = true;
	z->result = result;
}

/* ---- the end ----------------------------------------------------------------- */

/*
 * It has run, and nobody but its guest wanted it to end: what is in the way, as memory or
 * a bridge that is not there yet, may go away. Who asked for a start hears of it at once.
 */
static void start_failed(struct zone *z, int r, const struct err *why)
{
	if (z->waiter_count == 0 && z->start_tries < ARRAY_SIZE(start_gaps_s)) {
		int gap_s = start_gaps_s[z->start_tries++];

		log_warning("cannot start again: %s; the next try is in %d s", why->msg, gap_s);
		z->retry_at = clock_now_ms() + gap_s * 1000;
		return;
	}
	log_error("cannot start again: %s", why->msg);
	if (z->waiter_count == 0)
		zone_mark_failed(z, why->msg);
	requests_answer_waiters(z, why);
	zone_state_set_stopped(z);
	finish(z, r);
}

static void start_again(struct zone *z)
{
	struct err e = { 0 };
	int r;

	z->again = false;
	z->retry_at = 0;
	/* Without a new one the old one goes on. */
	if (zone_open_log(z, &e) < 0)
		log_warning("%s", e.msg);
	r = zone_start(z, &e);
	if (r < 0) {
		start_failed(z, r, &e);
		return;
	}
	z->restarts++;
	z->start_tries = 0;
	if (zone_state_write(z, &e) < 0)
		log_warning("%s", e.msg);
	requests_answer_waiters(z, NULL);
	zone_enter_group(z);
}

static void restart(struct zone *z, bool failed)
{
	int64_t now = clock_now_ms();
	struct err e;

	z->state = ZONE_STARTING;
	if (now - z->started_ms >= SHORT_LIFE_MS) {
		z->short_failures = 0;
		start_again(z);
		return;
	}
	z->retry_at = now + ((int64_t)RESTART_GAP_MS << (failed ? z->short_failures : 0));
	if (failed && z->short_failures < DOUBLED_MOST)
		z->short_failures++;
	if (zone_state_write(z, &e) < 0)
		log_warning("%s", e.msg);
}

/* restart_init, as the record is at this moment. A guest that powers off is not failing. */
static bool starts_when_failed(struct zone *z)
{
	cleanup_jv struct jv *record = NULL;
	struct err e;

	if (z->exit_status <= 0)
		return false;
	if (record_load(&z->host, z->uuid, &record, &e) < 0) {
		log_warning("%s", e.msg);
		return false;
	}
	if (!jv_get_bool(record, "restart_init", false))
		return false;
	log_info("its init ended with status %d: it is started again", z->exit_status);
	return true;
}

/* What failed once, as for want of memory, may not a moment later; after us nobody tries. */
static int clean_behind(struct zone *z)
{
	struct err e;
	int r = zone_clean(z, &e);

	if (r == 0)
		return 0;
	log_warning("%s; once more in a second", e.msg);
	clock_sleep_ms(CLEAN_GAP_MS);
	r = zone_clean(z, &e);
	if (r < 0)
		log_error("%s", e.msg);
	return r;
}

/* The machine, or what holds it, has ended. */
static void on_end(struct zone *z)
{
	bool asked = z->state == ZONE_STOPPING, failed;
	enum run_end end = run_reap(z->run, &z->exit_status);
	int r;

	z->deadline = 0;
	z->retry_at = 0;
	log_info("the machine %s%s", end_names[end], asked ? ", as it was asked to" : "");
	console_let_go(z);
	run_free(z->run);
	z->run = NULL;
	r = clean_behind(z);
	failed = !asked && end != RUN_END_REBOOT && starts_when_failed(z);
	if (failed || (asked ? z->again : end == RUN_END_REBOOT)) {
		restart(z, failed);
		return;
	}
	/* Only when nothing is left: what the state file says then is believed. */
	if (r == 0)
		zone_state_set_stopped(z);
	finish(z, r);
}

/* ---- asking for the end ------------------------------------------------------ */

static void on_deadline(struct zone *z)
{
	struct err e;

	z->deadline = 0;
	z->retry_at = 0;
	log_info("the time to end in peace is over");
	if (run_kill(z->run, &e) < 0)
		log_error("%s", e.msg);
}

static int ask_init(struct zone *z, struct err *e)
{
	int r = run_shutdown(z->run, z->again, e);

	z->retry_at = r == -EAGAIN ? clock_now_ms() + RETRY_MS : 0;
	return r == -EAGAIN ? 0 : r;
}

static void on_retry(struct zone *z)
{
	struct err e;

	if (!z->run)
		start_again(z);
	else if (ask_init(z, &e) < 0)
		log_warning("%s", e.msg);
}

/* Between the two halves of a restart there is nothing to end. */
static bool is_between(struct zone *z, bool again)
{
	if (z->run)
		return false;
	if (!again) {
		zone_state_set_stopped(z);
		finish(z, 0);
	}
	return true;
}

/* A stop overrules a reboot that is under way; the other way round it does not. */
static int begin_end(struct zone *z, bool again, struct err *e)
{
	if (z->state == ZONE_STOPPING && again && !z->again)
		return err_set(e, -EBUSY, "the machine is being stopped");
	z->again = again;
	z->state = ZONE_STOPPING;
	/* No room below /run, say: that must not keep a machine running. */
	if (zone_state_write(z, e) < 0)
		log_warning("%s", e ? e->msg : "cannot write the state");
	return 0;
}

int zone_ask_end(struct zone *z, bool again, unsigned int timeout_s, struct err *e)
{
	int r;

	if (is_between(z, again))
		return 0;
	r = begin_end(z, again, e);
	if (r < 0)
		return r;
	z->deadline = clock_now_ms() + (int64_t)timeout_s * 1000;
	return ask_init(z, e);
}

int zone_force_end(struct zone *z, bool again, struct err *e)
{
	int r;

	if (is_between(z, again))
		return 0;
	r = begin_end(z, again, e);
	return r < 0 ? r : run_kill(z->run, e);
}

/* ---- waiting ----------------------------------------------------------------- */

static int open_signals(struct err *e)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "cannot wait for signals") : fd;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static int wait_ms(struct zone *z)
{
	int64_t next = sooner(sooner(z->deadline, z->retry_at), metadata_next(z));

	return next ? clock_left_ms(next) : -1;
}

static bool is_over(int64_t moment)
{
	return moment && clock_now_ms() >= moment;
}

static void turn(struct zone *z, struct pollfd fds[static WAITED])
{
	if (fds[0].revents) {
		on_end(z);
	} else if (fds[1].revents) {
		/* The machine does not need us: who wants something of it starts another. */
		log_info("leaving, the machine runs on");
		finish(z, -EINTR);
	} else if (is_over(z->deadline)) {
		on_deadline(z);
	} else if (is_over(z->retry_at)) {
		on_retry(z);
	} else if (fds[2].revents) {
		requests_serve(z);
	} else {
		metadata_turn(z, fds + 3);
	}
}

static int serve(struct zone *z, int signals, struct err *e)
{
	while (!z->done) {
		struct pollfd fds[WAITED + CONSOLE_FDS_MAX] = {
			{ .fd = z->run ? run_pidfd(z->run) : -1, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = z->listenfd, .events = POLLIN },
		};
		size_t viewed = console_poll(z, fds + WAITED);

		metadata_wants(z, fds + 3);
		if (poll(fds, WAITED + viewed, wait_ms(z)) >= 0) {
			/* Before a turn: that may end the machine, and this process. */
			console_turn(z, fds + WAITED, viewed);
			turn(z, fds);
		} else if (errno != EINTR) {
			return err_sys(e, "cannot wait");
		}
	}
	return z->result < 0
		       ? err_set(e, z->result, "the machine's end was not clean; see above")
		       : 0;
}

int zone_serve(struct zone *z, struct err *e)
{
	cleanup_close int signals = open_signals(e);
	int r;

	if (signals < 0)
		return signals;
	zone_enter_group(z);
	metadata_begin(z);
	r = serve(z, signals, e);
	if (z->run)
		return r;
	zone_leave(z);
	requests_answer_waiters(z, r < 0 ? e : NULL);
	return r;
}
