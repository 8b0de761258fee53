/* SPDX-License-Identifier: MIT */
/*
 * Members of the entries of "nics". See prop.h; rows are sorted by name.
 */
#include "libvm/prop_table.h"

#include "base/macro.h"

/* clang-format off */
const struct prop prop_rows_nics[] = {
	{ "nics.*.allow_dhcp_spoofing", PROP_BOOLEAN, PROP_LIVE, ADD_UPDATE(ALL),
	  .meaning = "may answer as a DHCP server" },
	{ "nics.*.allow_ip_spoofing", PROP_BOOLEAN, PROP_LIVE, ADD_UPDATE(ALL),
	  .meaning = "may send from any address" },
	{ "nics.*.allow_mac_spoofing", PROP_BOOLEAN, PROP_LIVE, ADD_UPDATE(ALL),
	  .meaning = "may send from any MAC" },
	{ "nics.*.allow_restricted_traffic", PROP_BOOLEAN, PROP_LIVE, ADD_UPDATE(ALL),
	  .meaning = "may send other than IPv4, IPv6 and ARP" },
	{ "nics.*.allow_unfiltered_promisc", PROP_BOOLEAN, PROP_REBOOT, ADD_UPDATE(HARDWARE),
	  .meaning = "receives frames for other MACs" },
	{ "nics.*.allowed_dhcp_cids", PROP_LIST, PROP_LIVE, ADD_UPDATE(NOT_BHYVE),
	  .check = check_dhcp_cid, .not_held = "is not checked",
	  .meaning = "DHCP client identifiers that it may use, 0x and hex digits" },
	{ "nics.*.allowed_ips", PROP_LIST, PROP_LIVE, ADD_UPDATE(ALL),
	  .meaning = "further addresses that it may send from" },
	{ "nics.*.blocked_outgoing_ports", PROP_LIST, PROP_REBOOT, ADD_UPDATE(ALL),
	  .meaning = "destination ports that it may not send to" },
	{ "nics.*.dhcp_server", PROP_BOOLEAN, PROP_LIVE, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "old name of allow_dhcp_spoofing" },
	{ "nics.*.gateway", PROP_STRING, PROP_REBOOT, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "default router in the old form" },
	{ "nics.*.gateways", PROP_LIST, PROP_REBOOT, ADD_UPDATE(ALL),
	  .meaning = "default routers, IPv4" },
	{ "nics.*.interface", PROP_STRING, PROP_NONE, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "name inside; chosen by the host" },
	{ "nics.*.ip", PROP_STRING, PROP_REBOOT, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "IPv4 address in the old form, or dhcp; needs netmask" },
	{ "nics.*.ips", PROP_LIST, PROP_REBOOT, ADD_UPDATE(ALL),
	  .meaning = "addresses as ADDRESS/PREFIX, dhcp or addrconf" },
	{ "nics.*.mac", PROP_STRING, PROP_NONE, ADD_UPDATE(ALL), .filter = true,
	  .check = check_mac, .meaning = "Ethernet address; made up when absent" },
	{ "nics.*.model", PROP_STRING, PROP_REBOOT, ADD_UPDATE(HARDWARE), .filter = true,
	  .meaning = "card that the guest sees" },
	{ "nics.*.mtu", PROP_INTEGER, PROP_REBOOT, ADD_UPDATE(ALL), RANGE(576, 9000),
	  .meaning = "largest packet" },
	{ "nics.*.netmask", PROP_STRING, PROP_REBOOT, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "mask of ip" },
	{ "nics.*.network_uuid", PROP_UUID, PROP_STORED, ADD_UPDATE(ALL),
	  .meaning = "identifier of a network elsewhere" },
	{ "nics.*.nic_tag", PROP_STRING, PROP_REBOOT, ADD_UPDATE(ALL), .filter = true,
	  .meaning = "the network of the host that it joins" },
	{ "nics.*.primary", PROP_BOOLEAN, PROP_REBOOT, ADD_UPDATE(ALL),
	  .meaning = "gives the default route; one NIC has it" },
	{ "nics.*.vlan_id", PROP_INTEGER, PROP_REBOOT, ADD_UPDATE(ALL), RANGE(0, 4095),
	  .filter = true,
	  .meaning = "VLAN on that network" },
	{ "nics.*.vrrp_primary_ip", PROP_STRING, PROP_REBOOT, ADD_UPDATE(ALL),
	  .meaning = "address of another NIC that VRRP packets come from" },
	{ "nics.*.vrrp_vrid", PROP_INTEGER, PROP_REBOOT, ADD_UPDATE(ALL), RANGE(0, 255),
	  .meaning = "virtual router; gives the MAC 00:00:5e:00:01:XX" },
};
/* clang-format on */

const size_t prop_count_nics = ARRAY_SIZE(prop_rows_nics);
