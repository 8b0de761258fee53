/* SPDX-License-Identifier: MIT */
#include "libvm/zone_ports.h"

#include "libnet/filter.h"
#include "libnet/link.h"
#include "libvm/zoneadmd.h"

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
