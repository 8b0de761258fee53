/* SPDX-License-Identifier: MIT */
#include "libvm/zone_left.h"

#include "libnet/filter.h"
#include "libnet/link.h"
#include "libsys/cgroup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>

#define GROUP_PARENT "dais"
#define GROUP_ROOM   128

#define END_MS  2000
#define LOOK_MS 20

/* The link first: as long as there is one it must have its rules. */
int zone_port_remove(const char *port, struct err *e)
{
	int r = link_exists(port) ? link_delete(port, e) : 0;

	return r < 0 ? r : filter_remove(&port, 1, e);
}

/*
 * The kernel removes a pair when the machine's network namespace goes, but it
 * takes its time, and a pair that had not moved there yet stays for ever.
 */
int zone_ports_remove(const char *uuid, struct err *e)
{
	char names[ZONEADMD_NICS_MAX][ZONEADMD_LINK_NAME];
	const char *list[ZONEADMD_NICS_MAX];
	struct err why;
	int first = 0, r;

	for (unsigned int i = 0; i < ZONEADMD_NICS_MAX; i++) {
		zoneadmd_link_name(uuid, i, names[i]);
		list[i] = names[i];
		r = link_exists(names[i]) ? link_delete(names[i], first ? &why : e) : 0;
		first = first ? first : r;
	}
	r = filter_remove(list, ZONEADMD_NICS_MAX, first ? &why : e);
	return first ? first : r;
}

/* Ours, and those of the driver's own; see lxc/traces.c. */
static const char *const suffixes[] = { "", ".monitor", ".pivot", ".zoneadmd" };

bool zone_has_processes(const char *uuid)
{
	char group[GROUP_ROOM];

	(void)snprintf(group, sizeof(group), GROUP_PARENT "/%s", uuid);
	return !cgroup_is_empty(group);
}

void zone_groups_each(const char *uuid, void (*each)(void *data, const char *group), void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char group[GROUP_ROOM];

		(void)snprintf(group, sizeof(group), GROUP_PARENT "/%s%s", uuid, suffixes[i]);
		if (cgroup_is_there(group) && cgroup_is_empty(group))
			each(data, group);
	}
}

struct removal {
	int first;
	struct err *e;
};

static void remove_group(void *data, const char *group)
{
	struct removal *all = data;
	struct err why;
	int r = cgroup_remove(group, all->first ? &why : all->e);

	all->first = all->first ? all->first : r;
}

static void count_group(void *data, const char *group)
{
	(void)group;
	(*(int *)data)++;
}

/* The monitor of a machine that was killed ends a moment after it. */
static void wait_for_monitor(const char *uuid)
{
	for (int waited = 0; waited < END_MS; waited += LOOK_MS) {
		int empty = 0, there = 0;

		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			char group[GROUP_ROOM];

			(void)snprintf(group, sizeof(group), GROUP_PARENT "/%s%s", uuid,
				       suffixes[i]);
			there += cgroup_is_there(group);
		}
		zone_groups_each(uuid, count_group, &empty);
		if (empty == there)
			return;
		clock_sleep_ms(LOOK_MS);
	}
}

int zone_groups_remove(const char *uuid, struct err *e)
{
	struct removal all = { .e = e };

	wait_for_monitor(uuid);
	zone_groups_each(uuid, remove_group, &all);
	cgroup_remove_parent(GROUP_PARENT);
	return all.first;
}
