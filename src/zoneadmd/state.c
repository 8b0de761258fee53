/* SPDX-License-Identifier: MIT */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/path.h"
#include "libsys/procfs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATE_MAX 65536

static const char *const state_names[] = {
	[ZONE_STARTING] = "starting",
	[ZONE_RUNNING] = "running",
	[ZONE_STOPPING] = "stopping",
};

const char *zone_state_to_string(enum zone_state state)
{
	return state_names[state];
}

static void timestamp(char *ret, size_t size)
{
	struct timespec t;
	struct tm tm;
	char second[24];

	(void)clock_gettime(CLOCK_REALTIME, &t);
	(void)gmtime_r(&t.tv_sec, &tm);
	(void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret, size, "%s.%03uZ", second,
		       (unsigned int)(t.tv_nsec / 1000000) % 1000);
}

void zone_warn(struct zone *z, const char *property, const char *why)
{
	cleanup_free char *text = xasprintf("%s: %s", property, why);

	log_warning("%s", text);
	jv_push(z->warnings, jv_string(text));
}

static int replace(struct zone *z, struct jv *state, struct err *e)
{
	cleanup_free char *text = jv_dump(state, 2);
	int r;

	(void)unlinkat(z->rundirfd, ".state.json.new", 0);
	r = path_write_new(z->rundirfd, ".state.json.new", text, 0600, e);
	if (r < 0)
		return r;
	if (renameat(z->rundirfd, ".state.json.new", z->rundirfd, "state.json") < 0)
		return err_sys(e, "cannot move 'state.json' into place");
	return 0;
}

int zone_state_write(struct zone *z, struct err *e)
{
	cleanup_jv struct jv *state = jv_object();
	pid_t pid = z->run ? run_init_pid(z->run) : 0;
	uint64_t start = 0;
	int r;

	jv_set(state, "state", jv_string(zone_state_to_string(z->state)));
	if (pid) {
		r = procfs_start_time(pid, &start, e);
		/* One that ended at once: what follows from that is written when it is heard
		 * of. */
		if (r < 0 && r != -ESRCH)
			return r;
		if (r == 0) {
			jv_set(state, "pid", jv_int(pid));
			jv_set(state, "pid_start", jv_int((int64_t)start));
		}
		if (!*z->boot_timestamp)
			timestamp(z->boot_timestamp, sizeof(z->boot_timestamp));
		jv_set(state, "boot_timestamp", jv_string(z->boot_timestamp));
	}
	r = procfs_start_time(getpid(), &start, e);
	if (r < 0)
		return r;
	jv_set(state, "supervisor", jv_int(getpid()));
	jv_set(state, "supervisor_start", jv_int((int64_t)start));
	jv_set(state, "zoneid", jv_int(z->zoneid));
	jv_set(state, "init_restarts", jv_int(z->restarts));
	jv_set(state, "warnings", jv_copy(z->warnings));
	return replace(z, state, e);
}

void zone_state_set_stopped(struct zone *z)
{
	cleanup_jv struct jv *state = jv_object();
	struct err e;
	char now[48];

	timestamp(now, sizeof(now));
	jv_set(state, "state", jv_string("stopped"));
	jv_set(state, "init_restarts", jv_int(z->restarts));
	if (z->exit_status >= 0)
		jv_set(state, "exit_status", jv_int(z->exit_status));
	jv_set(state, "exit_timestamp", jv_string(now));
	if (replace(z, state, &e) < 0)
		log_warning("%s", e.msg);
}

bool zone_state_is_stopped(struct zone *z)
{
	cleanup_jv struct jv *state = NULL;
	const char *name;

	if (jv_load(z->rundirfd, "state.json", STATE_MAX, &state, NULL) < 0)
		return false;
	name = jv_get_string(state, "state");
	return name && strcmp(name, "stopped") == 0;
}

bool zone_state_adopt(struct zone *z, pid_t pid)
{
	cleanup_jv struct jv *state = NULL;
	const char *boot;

	if (jv_load(z->rundirfd, "state.json", STATE_MAX, &state, NULL) < 0 ||
	    jv_get_int(state, "pid", 0) != pid ||
	    !procfs_is_alive(pid, (uint64_t)jv_get_int(state, "pid_start", 0)))
		return false;
	boot = jv_get_string(state, "boot_timestamp");
	(void)snprintf(z->boot_timestamp, sizeof(z->boot_timestamp), "%s", boot ? boot : "");
	z->restarts = (unsigned int)jv_get_int(state, "init_restarts", 0);
	z->zoneid = (unsigned int)jv_get_int(state, "zoneid", 0);
	for (size_t i = 0; i < jv_len(jv_get(state, "warnings")); i++)
		jv_push(z->warnings, jv_copy(jv_at(jv_get(state, "warnings"), i)));
	return true;
}
