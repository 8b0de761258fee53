/* SPDX-License-Identifier: MIT */
#include "zoneadmd/zoneadmd.h"

#include "base/clock.h"
#include "base/jv.h"
#include "base/log.h"
#include "libsys/cgroup.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>

#define RETRY_MS 100

/* A guest that reboots at once, again and again, is not to keep the host busy. */
#define SHORT_LIFE_MS  5000
#define RESTART_GAP_MS 1000

static int watch(struct zone *z, struct err *e);

static void drop_source(struct event_source **source)
{
	event_source_free(*source);
	*source = NULL;
}

/* Everything that a machine of this UUID may have left, whoever started it. */
static int clean(struct zone *z, struct err *e)
{
	int r = run_clean(z->uuid, z->rundir, e);

	zone_network_clean(z->uuid);
	return r;
}

static void warn_cb(void *data, const char *property, const char *why)
{
	zone_warn(data, property, why);
}

static int start_machine(struct zone *z, struct err *e)
{
	cleanup_zone_spec struct zone_spec spec = { 0 };
	int r;

	jv_unref(z->warnings);
	z->warnings = jv_array();
	z->boot_timestamp[0] = '\0';
	z->state = ZONE_STARTING;
	/* From here on a successor finds that there may be something to remove. */
	r = zone_state_write(z, e);
	if (r == 0)
		r = zone_spec_load(z, &spec, e);
	if (r == 0)
		r = zone_network_up(&z->host, &spec, e);
	if (r < 0)
		return r;
	z->started_ms = clock_now_ms();
	r = run_start(&spec.run, warn_cb, z, &z->run, e);
	if (r < 0)
		return r;
	z->state = ZONE_RUNNING;
	return zone_state_write(z, e);
}

int zone_start(struct zone *z, struct err *e)
{
	struct err ignored;
	int r = start_machine(z, e);

	if (r == 0) {
		log_info("started, init is process %d", (int)run_init_pid(z->run));
		return 0;
	}
	run_free(z->run);
	z->run = NULL;
	if (clean(z, &ignored) < 0)
		log_error("%s", ignored.msg);
	return r;
}

/*
 * Did the last supervisor leave in peace, or was there none? Then nothing is left,
 * unless the machine is another host's: one with another root folder on this
 * kernel. That one is left alone.
 */
static bool is_clean(struct zone *z)
{
	return z->is_new || zone_state_is_stopped(z);
}

static int refuse_foreign(struct zone *z, struct err *e)
{
	struct run *other = NULL;
	char group[128];

	(void)snprintf(group, sizeof(group), "dais/%s", z->uuid);
	if (!cgroup_has_file(group, "cgroup.procs") ||
	    run_attach(z->uuid, z->rundir, &other, NULL) < 0)
		return 0;
	run_free(other);
	return err_set(e, -EBUSY,
		       "VM %s runs already, but not below '%s': stop it where it was started",
		       z->uuid, *z->host.root ? z->host.root : "/");
}

int zone_attach(struct zone *z, struct err *e)
{
	int r;

	if (is_clean(z)) {
		r = refuse_foreign(z, e);
		return r < 0 ? r : err_set(e, -ENOENT, "the machine does not run");
	}
	r = run_attach(z->uuid, z->rundir, &z->run, e);
	if (r == 0 && zone_state_adopt(z, run_init_pid(z->run))) {
		z->state = ZONE_RUNNING;
		z->started_ms = clock_now_ms();
		log_info("took over, init is process %d", (int)run_init_pid(z->run));
		return zone_state_write(z, e);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	/* Nothing, or what a supervisor that died in the middle of a start left half made. */
	run_free(z->run);
	z->run = NULL;
	r = clean(z, e);
	return r < 0 ? r : err_set(e, -ENOENT, "the machine does not run");
}

/* ---- the end ----------------------------------------------------------------- */

static const char *const end_names[] = {
	[RUN_END_KILLED] = "was killed",
	[RUN_END_HALT] = "has ended",
	[RUN_END_REBOOT] = "reboots",
};

static int start_again(struct zone *z)
{
	struct err e = { 0 };
	int r;

	z->again = false;
	z->restarts++;
	r = zone_start(z, &e);
	if (r == 0)
		r = watch(z, &e);
	if (r < 0) {
		log_error("cannot start again: %s", e.msg);
		requests_answer_waiters(z, &e);
		event_exit(z->loop, r);
		return 0;
	}
	requests_answer_waiters(z, NULL);
	return 0;
}

static int on_restart_time(void *data, uint32_t events ATTR_UNUSED)
{
	struct zone *z = data;

	drop_source(&z->retry);
	return start_again(z);
}

static int restart(struct zone *z)
{
	struct err e;

	z->state = ZONE_STARTING;
	if (clock_now_ms() - z->started_ms >= SHORT_LIFE_MS)
		return start_again(z);
	if (zone_state_write(z, &e) < 0 ||
	    event_add_timer(z->loop, RESTART_GAP_MS, on_restart_time, z, &z->retry, &e) < 0)
		log_warning("%s", e.msg);
	return z->retry ? 0 : start_again(z);
}

/* The machine, or what holds it, has ended. */
static int on_end(void *data, uint32_t events ATTR_UNUSED)
{
	struct zone *z = data;
	bool asked = z->state == ZONE_STOPPING;
	enum run_end end = run_reap(z->run);
	struct err e;
	int r;

	drop_source(&z->machine);
	drop_source(&z->deadline);
	drop_source(&z->retry);
	log_info("the machine %s%s", end_names[end], asked ? ", as it was asked to" : "");
	run_free(z->run);
	z->run = NULL;
	r = clean(z, &e);
	if (r < 0)
		log_error("%s", e.msg);
	if (asked ? z->again : end == RUN_END_REBOOT)
		return restart(z);
	/* Only when nothing is left: what the state file says then is believed. */
	if (r == 0 && zone_state_write_end(z, &e) < 0)
		log_warning("%s", e.msg);
	event_exit(z->loop, r);
	return 0;
}

static int watch(struct zone *z, struct err *e)
{
	return event_add_io(z->loop, run_pidfd(z->run), EPOLLIN, on_end, z, &z->machine, e);
}

/* ---- asking for the end ------------------------------------------------------ */

static int on_deadline(void *data, uint32_t events ATTR_UNUSED)
{
	struct zone *z = data;
	struct err e;

	drop_source(&z->deadline);
	drop_source(&z->retry);
	log_info("the time to end in peace is over");
	if (run_kill(z->run, &e) < 0)
		log_error("%s", e.msg);
	return 0;
}

static int on_retry(void *data, uint32_t events);

static int ask_init(struct zone *z, struct err *e)
{
	int r = run_shutdown(z->run, z->again, e);

	if (r != -EAGAIN)
		return r;
	return event_add_timer(z->loop, RETRY_MS, on_retry, z, &z->retry, e);
}

static int on_retry(void *data, uint32_t events ATTR_UNUSED)
{
	struct zone *z = data;
	struct err e;

	drop_source(&z->retry);
	if (ask_init(z, &e) < 0)
		log_warning("%s", e.msg);
	return 0;
}

/* Between the two halves of a restart there is nothing to end. */
static bool is_between(struct zone *z, bool again)
{
	if (z->run)
		return false;
	if (!again) {
		drop_source(&z->retry);
		event_exit(z->loop, 0);
	}
	return true;
}

int zone_ask_end(struct zone *z, bool again, unsigned int timeout_s, struct err *e)
{
	int r;

	if (is_between(z, again))
		return 0;
	/* A stop overrules a reboot that is under way; the other way round it does not. */
	if (z->state == ZONE_STOPPING && again && !z->again)
		return err_set(e, -EBUSY, "the machine is being stopped");
	z->again = again;
	z->state = ZONE_STOPPING;
	r = zone_state_write(z, e);
	if (r < 0)
		return r;
	drop_source(&z->deadline);
	drop_source(&z->retry);
	r = event_add_timer(z->loop, (uint64_t)timeout_s * 1000, on_deadline, z, &z->deadline, e);
	return r < 0 ? r : ask_init(z, e);
}

int zone_force_end(struct zone *z, bool again, struct err *e)
{
	if (is_between(z, again))
		return 0;
	if (z->state == ZONE_STOPPING && again && !z->again)
		return err_set(e, -EBUSY, "the machine is being stopped");
	z->again = again;
	z->state = ZONE_STOPPING;
	return run_kill(z->run, e);
}

/* ---- serving ----------------------------------------------------------------- */

/* The machine does not need us: whoever wants something of it later starts another one. */
static int on_term(void *data, uint32_t events ATTR_UNUSED)
{
	struct zone *z = data;

	log_info("leaving, the machine runs on");
	event_exit(z->loop, -EINTR);
	return 0;
}

/*
 * A group of our own, so that the end of the service or session in which a person
 * typed 'vmadm start' does not take us along. After the start, because moving
 * costs milliseconds.
 */
static void enter_own_group(struct zone *z)
{
	char group[128];
	struct err e;

	(void)snprintf(group, sizeof(group), "dais/%s.zoneadmd", z->uuid);
	if (cgroup_make("dais", group + sizeof("dais"), &e) < 0 || cgroup_enter(group, &e) < 0)
		log_warning("%s", e.msg);
	else
		z->has_group = true;
}

void zone_leave(struct zone *z)
{
	char group[128];
	struct err e;

	(void)unlinkat(z->rundirfd, "zoneadmd.sock", 0);
	(void)snprintf(group, sizeof(group), "dais/%s.zoneadmd", z->uuid);
	if ((z->has_group && cgroup_enter("", &e) < 0) || cgroup_remove(group, &e) < 0)
		log_warning("%s", e.msg);
	cgroup_remove_parent("dais");
}

int zone_serve(struct zone *z, struct err *e)
{
	struct event_source *term = NULL;
	int r;

	enter_own_group(z);
	r = event_add_signal(z->loop, SIGTERM, on_term, z, &term, e);
	if (r == 0)
		r = watch(z, e);
	if (r == 0)
		r = event_run(z->loop, e);
	event_source_free(term);
	if (z->run)
		return r;
	zone_leave(z);
	requests_answer_waiters(z, NULL);
	return r;
}
