/* SPDX-License-Identifier: MIT */
#include "zoneadmd/zoneadmd.h"

#include "base/jv.h"
#include "base/log.h"
#include "libnet/link.h"
#include "libnet/nictag.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>
#include <string.h>

/* The bridge of each NIC's tag is there and up afterwards, and its name in the spec. */
int zone_network_up(const struct host *h, struct zone_spec *s, struct err *e)
{
	const struct jv *nics = jv_get(s->record, "nics");

	for (size_t i = 0; i < s->run.nic_count; i++) {
		const char *name = jv_get_string(jv_at(nics, i), "nic_tag");
		struct nictag tag;
		int r;

		r = nictag_find(h, name ? name : "", &tag, e);
		if (r == 0)
			r = nictag_bring_up(&tag, e);
		if (r < 0)
			return err_wrap(e, r, "nics[%zu]", i);
		(void)snprintf(s->bridges[i], sizeof(s->bridges[i]), "%s", tag.bridge);
		s->nics[i].bridge = s->bridges[i];
		if (s->nics[i].mtu == 0)
			s->nics[i].mtu = tag.mtu;
	}
	return 0;
}

/*
 * The kernel removes a pair when the machine's network namespace goes, but it
 * takes its time, and a pair that had not moved there yet stays for ever.
 */
void zone_network_clean(const char *uuid)
{
	char name[ZONEADMD_LINK_NAME];
	struct err e;

	for (unsigned int i = 0; i < RUN_NICS_MAX; i++) {
		zoneadmd_link_name(uuid, i, name);
		if (if_nametoindex(name) && link_delete(name, &e) < 0)
			log_warning("%s", e.msg);
	}
}

int zone_network_update(struct zone *z ATTR_UNUSED, struct zone_spec *s ATTR_UNUSED,
			struct err *e ATTR_UNUSED)
{
	return 0;
}
