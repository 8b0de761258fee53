/* SPDX-License-Identifier: MIT */
/*
 * vm_check_host.c - links, rules and control groups that no VM has any more.
 *
 * A port tells its VM by its name, which follows from the UUID. One whose VM this host
 * does not know may be of another host on this kernel: such a VM has a link as long as
 * it runs, and rules without one only for the moment of its start.
 */
#include "libvm/check.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libnet/filter.h"
#include "libnet/link.h"
#include "librecord/record.h"
#include "libsys/cgroup.h"
#include "libvm/zone_left.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>
#include <string.h>

/* How long a start has from its rules to its link. */
#define START_MS 2000

struct host_check {
	struct check *c;
	struct jv *vms;   /* what a VM's links begin with, to its UUID */
	struct jv *ports; /* by name: those that have a link or rules */
	bool waited;      /* for starts of other hosts */
};

static void host_check_done(struct host_check *hc)
{
	jv_unref(hc->vms);
	jv_unref(hc->ports);
}

static bool is_alive(const struct check *c, const char *uuid)
{
	cleanup_close int fd = zoneadmd_vm_pidfd(c->vh->host, uuid);

	return fd >= 0;
}

/* ---- ports --------------------------------------------------------------------- */

/* "dz0123456789n7" without its number. */
static void cut_number(char *name)
{
	char *n = strchr(name, 'n');

	if (n)
		n[1] = '\0';
}

static int list_vms(struct host_check *hc, struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count;
	int r = record_list(hc->c->vh->host, &uuids, &count, e);

	hc->vms = jv_object();
	for (size_t i = 0; r == 0 && i < count; i++) {
		char name[ZONEADMD_LINK_NAME];

		zoneadmd_link_name(uuids[i], 0, name);
		cut_number(name);
		jv_set(hc->vms, name, jv_string(uuids[i]));
	}
	return r;
}

static void take_port(void *data, const char *name)
{
	struct host_check *hc = data;

	jv_set(hc->ports, name, jv_bool(true));
}

/* Links that are named as ours, and ports that have rules. */
static int list_ports(struct host_check *hc, struct err *e)
{
	cleanup_free struct link_info *links = NULL;
	size_t count = 0;
	int r = link_list(FILTER_PORT_PREFIX, &links, &count, e);

	hc->ports = jv_object();
	for (size_t i = 0; r == 0 && i < count; i++)
		take_port(hc, links[i].name);
	r = r < 0 ? r : filter_each(take_port, hc, e);
	/* Who may not read them is not told of them. */
	return r == -EPERM ? 0 : r;
}

/* Is PORT of a NIC that the record has? */
static bool is_of_record(const struct check *c, const char *uuid, const char *port)
{
	cleanup_jv struct jv *record = NULL;
	const struct jv *nics;

	/* What cannot be read is no reason to take something away. */
	if (record_load(c->vh->host, uuid, &record, NULL) < 0)
		return true;
	nics = jv_get(record, "nics");
	for (size_t i = 0; i < jv_len(nics); i++) {
		char name[ZONEADMD_LINK_NAME];

		if (zoneadmd_nic_link(uuid, jv_at(nics, i), name, NULL) == 0 &&
		    strcmp(name, port) == 0)
			return true;
	}
	return false;
}

static void tell_port(struct check *c, const char *uuid, const char *port, const char *of)
{
	cleanup_free char *what = xasprintf("port '%s' is left of %s", port, of);
	bool mended = c->repair && zone_port_remove(port, NULL) == 0;

	check_tell(c, uuid, what, mended ? "removed" : "'vmadm check --repair' removes it",
		   mended);
}

struct port_search {
	const char *port;
	bool found;
};

static void match_port(void *data, const char *name)
{
	struct port_search *search = data;

	search->found |= strcmp(name, search->port) == 0;
}

static bool port_is_there(const char *port)
{
	struct port_search search = { .port = port };

	return link_exists(port) ||
	       (filter_each(match_port, &search, NULL) == 0 && search.found);
}

/*
 * Its supervisor may have been about to remove it when the ports were listed. One that was
 * sent to another host on this kernel has its name there as well, and runs there.
 */
static void check_ended_port(struct check *c, const char *uuid, const char *port)
{
	cleanup_close int supervisor = check_lock_supervisor(c, uuid);

	if (supervisor >= 0 && !zone_has_processes(uuid) && port_is_there(port))
		tell_port(c, uuid, port, "a VM that has ended");
}

static void check_known_port(struct check *c, const char *uuid, const char *port)
{
	cleanup_close int lock = check_lock(c, uuid);

	if (lock < 0)
		return;
	if (!is_alive(c, uuid))
		check_ended_port(c, uuid, port);
	else if (!is_of_record(c, uuid, port) && port_is_there(port))
		tell_port(c, uuid, port, "a NIC that is gone");
}

static void check_foreign_port(struct host_check *hc, const char *port)
{
	if (link_exists(port))
		return;
	if (!hc->waited)
		clock_sleep_ms(START_MS);
	hc->waited = true;
	if (!link_exists(port))
		tell_port(hc->c, "-", port, "a VM that is gone");
}

static void check_ports(struct host_check *hc)
{
	for (void *it = jv_iter(hc->ports); it; it = jv_iter_next(hc->ports, it)) {
		const char *port = jv_iter_key(it), *uuid;
		char name[ZONEADMD_LINK_NAME];

		(void)snprintf(name, sizeof(name), "%s", port);
		cut_number(name);
		uuid = jv_get_string(hc->vms, name);
		if (uuid)
			check_known_port(hc->c, uuid, port);
		else
			check_foreign_port(hc, port);
	}
}

/* ---- control groups ------------------------------------------------------------ */

struct group_check {
	struct check *c;
	const char *uuid;
};

static void tell_group(void *data, const char *group)
{
	const struct group_check *g = data;
	cleanup_free char *what = xasprintf("control group '%s' is left", group);
	cleanup_close int supervisor = check_lock_supervisor(g->c, g->uuid);
	bool mended;

	/* Empty for a moment, while the supervisor leaves it. */
	if (supervisor < 0 || !cgroup_is_there(group))
		return;
	mended = g->c->repair && cgroup_remove(group, NULL) == 0;
	check_tell(g->c, g->uuid, what,
		   mended ? "removed" : "'vmadm check --repair' removes it", mended);
}

void check_groups(struct check *c, const char *uuid)
{
	struct group_check g = { c, uuid };

	if (is_alive(c, uuid) || zone_has_processes(uuid))
		return;
	zone_groups_each(uuid, tell_group, &g);
}

int check_host(struct check *c, struct err *e)
{
	cleanup_with(host_check_done) struct host_check hc = { .c = c };
	int r = list_vms(&hc, e);

	if (r == 0)
		r = list_ports(&hc, e);
	if (r < 0)
		return r;
	check_ports(&hc);
	return 0;
}
