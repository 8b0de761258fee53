/* SPDX-License-Identifier: MIT */
/*
 * machine.c - how the machine comes to run under this process, and what is
 * removed when it does not run any more.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/clock.h"
#include "base/jv.h"
#include "base/log.h"
#include "libsys/cgroup.h"
#include "libvm/zone_left.h"
#include "libvm/zoneadmd.h"
#include "zoneadmd/metadata.h"

#include <stdio.h>
#include <string.h>

int zone_clean(struct zone *z, struct err *e)
{
	int r = run_clean(z->uuid, z->rundir, e);
	struct err why = { 0 };
	int ports = zone_ports_remove(z->uuid, r < 0 ? &why : e);

	if (r < 0 && ports < 0)
		log_error("%s", why.msg);
	r = r < 0 ? r : ports;
	(void)unlinkat(z->rundirfd, ZONE_NETWORK_FILE, 0);
	(void)unlinkat(z->rundirfd, "." ZONE_NETWORK_FILE ".new", 0);
	return r;
}

/* From the moment that a guest's ports are gone to the one at which it has ended. */
#define ENDING_MS 2000

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
		r = zone_spec_check_root(&spec, e);
	if (r == 0)
		r = zone_prepare_filesystems(&z->host, &spec, e);
	if (r == 0)
		r = zone_network_up(&z->host, &spec, e);
	if (r < 0)
		return r;
	metadata_prepare(z, spec.record);
	zone_resolvers_update(z, &spec);
	z->started_ms = clock_now_ms();
	r = run_start(&spec.run, warn_cb, z, &z->run, e);
	if (r < 0)
		return r;
	r = zone_network_started(z, &spec, e);
	/* The ports go with the guest. What follows from its end, zone_serve() does. */
	if (r < 0 && !run_has_ended(z->run, ENDING_MS))
		return r;
	metadata_place(z);
	z->state = ZONE_RUNNING;
	return zone_state_write(z, e);
}

/*
 * A group of our own, so that the end of the service or session in which a person
 * typed 'vmadm start' does not take us along. Not before the start has been
 * reported, because moving costs milliseconds; and after every start, because the
 * driver leaves us elsewhere.
 */
void zone_enter_group(struct zone *z)
{
	char group[128];
	struct err e;

	(void)snprintf(group, sizeof(group), "dais/%s.zoneadmd", z->uuid);
	if (cgroup_make("dais", group + sizeof("dais"), &e) < 0 || cgroup_enter(group, &e) < 0)
		log_warning("%s", e.msg);
	else
		z->has_group = true;
}

/* Also at each start: a guest that reboots for ever would else fill the pool with our words. */
int zone_open_log(struct zone *z, struct err *e)
{
	cleanup_close int fd = zoneadmd_open_log(&z->host, z->uuid, e);

	if (fd < 0)
		return fd;
	return dup2(fd, STDERR_FILENO) < 0 ? err_sys(e, "cannot write to the log") : 0;
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
	zone_enter_group(z);
	if (zone_clean(z, &ignored) < 0)
		log_error("%s", ignored.msg);
	return r;
}

static int update_machine(struct zone *z, struct err *e)
{
	cleanup_zone_spec struct zone_spec spec = { 0 };
	int r = zone_spec_load(z, &spec, e);

	if (r == 0)
		r = run_update(z->run, &spec.run, warn_cb, z, e);
	return r < 0 ? r : zone_network_update(z, &spec, e);
}

/* What was found when file systems were mounted holds until the next start. */
static void keep_mount_warnings(struct zone *z, const struct jv *before)
{
	for (size_t i = 0; i < jv_len(before); i++) {
		const char *text = jv_as_string(jv_at(before, i));

		if (text && strncmp(text, "filesystems: ", strlen("filesystems: ")) == 0)
			jv_push(z->warnings, jv_string(text));
	}
}

/* All else that is warned about is said again, so what there was is forgotten; but not by a
 * failure. */
int zone_reload(struct zone *z, struct err *e)
{
	struct jv *before = z->warnings;
	int r;

	if (z->state != ZONE_RUNNING || !z->run)
		return 0;
	z->warnings = jv_array();
	keep_mount_warnings(z, before);
	r = update_machine(z, e);
	if (r < 0) {
		jv_unref(z->warnings);
		z->warnings = before;
		/* It has ended meanwhile: its next start takes the record as it is then. */
		return r == -ESRCH ? 0 : r;
	}
	jv_unref(before);
	return zone_state_write(z, e);
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
		metadata_adopt(z);
		log_info("took over, init is process %d", (int)run_init_pid(z->run));
		return zone_state_write(z, e);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	/* Nothing, or what a supervisor that died in the middle of a start left half made. */
	run_free(z->run);
	z->run = NULL;
	r = zone_clean(z, e);
	return r < 0 ? r : err_set(e, -ENOENT, "the machine does not run");
}

void zone_leave(struct zone *z)
{
	char group[128];
	struct err e;

	metadata_end(z, false);
	(void)unlinkat(z->rundirfd, "zoneadmd.sock", 0);
	(void)snprintf(group, sizeof(group), "dais/%s.zoneadmd", z->uuid);
	if ((z->has_group && cgroup_enter("", &e) < 0) || cgroup_remove(group, &e) < 0)
		log_warning("%s", e.msg);
	cgroup_remove_parent("dais");
}
