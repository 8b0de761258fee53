/* SPDX-License-Identifier: MIT */
/*
 * network.c - the NICs of a machine that starts or has ended.
 *
 *	zone_network_up       bridges, VLANs, and the rules of each port: before there is one
 *	run_start             liblxc makes the pairs and their addresses
 *	zone_network_started  the ports' own settings, routes; network.json says what holds
 *	zone_ports_remove     ports and rules are gone (libvm)
 */
#include "zoneadmd/zoneadmd.h"

#include "base/jv.h"
#include "libnet/filter.h"
#include "libnet/nictag.h"
#include "libnet/port.h"

#include <stdio.h>
#include <string.h>

const struct jv *zone_nic(const struct zone_spec *s, size_t index)
{
	return jv_at(jv_get(s->record, "nics"), index);
}

static int set_filter(const struct zone_spec *s, size_t i, const struct nictag *tag,
		      struct err *e)
{
	struct filter filter;
	int r = zone_filter_from_nic(zone_nic(s, i), &filter, e);

	if (r < 0)
		return r;
	(void)snprintf(filter.port, sizeof(filter.port), "%s", s->host_names[i]);
	/* Of somebody else's bridge we do not know what the host does there. */
	filter.guarded = jv_get_bool(s->record, "firewall_enabled", false);
	filter.no_host = !nictag_is_guest(tag) && tag->address[0] == '\0';
	return filter_apply(&filter, e);
}

int zone_network_prepare(const struct host *h, struct zone_spec *s, size_t i, struct err *e)
{
	const char *name = jv_get_string(zone_nic(s, i), "nic_tag");
	struct nictag tag;
	int r;

	r = nictag_find(h, name ? name : "", &tag, e);
	if (r == 0)
		r = nictag_bring_up(&tag, e);
	if (r == 0 && s->nics[i].vlan_id)
		r = port_prepare_vlan(&tag, s->nics[i].vlan_id, e);
	if (r == 0)
		r = set_filter(s, i, &tag, e);
	if (r < 0)
		return err_wrap(e, r, "nics[%zu]", i);
	(void)snprintf(s->bridges[i], sizeof(s->bridges[i]), "%s", tag.bridge);
	s->nics[i].bridge = s->bridges[i];
	if (s->nics[i].mtu == 0)
		s->nics[i].mtu = tag.mtu;
	return 0;
}

int zone_network_up(const struct host *h, struct zone_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->run.nic_count; i++) {
		int r = zone_network_prepare(h, s, i, e);

		if (r < 0)
			return r;
	}
	return 0;
}

void zone_network_port(const struct zone_spec *s, size_t i, struct port *ret_port)
{
	const struct jv *nic = zone_nic(s, i);

	*ret_port = (struct port){ .vlan = s->nics[i].vlan_id };
	(void)snprintf(ret_port->name, sizeof(ret_port->name), "%s", s->host_names[i]);
	(void)snprintf(ret_port->bridge, sizeof(ret_port->bridge), "%s", s->bridges[i]);
	(void)snprintf(ret_port->mac, sizeof(ret_port->mac), "%.17s", s->nics[i].mac);
	/* The MAC of a virtual router is now here, now there. */
	ret_port->strict = !jv_get_bool(nic, "allow_mac_spoofing", false) &&
			   !jv_get_bool(nic, "allow_unfiltered_promisc", false) &&
			   !jv_get(nic, "vrrp_vrid");
}

int zone_network_started(struct zone *z, const struct zone_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->run.nic_count; i++) {
		struct port port;
		int r;

		zone_network_port(s, i, &port);
		r = port_settle(&port, e);
		if (r < 0)
			return err_wrap(e, r, "nics[%zu]", i);
	}
	if (jv_len(jv_get(s->record, "routes")))
		zone_network_routes(z, s);
	return zone_network_remember(z, s, e);
}
