#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a zone may say on the wire: each spoof is really tried, by frames that the zone's
# own interface sends, and looked for at another zone's. Then with each switch.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
for tool in python3 nft bridge socat; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
zone_namespaces "$0" "$@"
set -u
here=$(cd "$(dirname "$0")" && pwd)
zone_host
# Where the host's own tables see what a bridge passes on, it cuts off the marks of our frames.
for f in /proc/sys/net/bridge/bridge-nf-call-*; do
	[ ! -e "$f" ] || echo 0 >"$f"
done

# change FILTER: the record of the zone, and what runs follows.
change() {
	local record=$host/etc/zones/$attacker.json
	jq "$1" "$record" >"$dir/record" && cat "$dir/record" >"$record"
	reload
}
reload() {
	echo '{"request":"reload"}' |
		socat -t 20 - "UNIX-CONNECT:$host/run/dais/$attacker/zoneadmd.sock" >"$dir/said"
	[[ $(jq -r .ok "$dir/said") == true ]] || sed 's/^/# /' "$dir/said"
}
frames() { # frames [CASE...]: "CASE yes" or "CASE no", a line each
	python3 "$here/frames.py" "$(init_of "$attacker")" 10.91.0.9 fd91::9 10.91.0.77 \
		"$(init_of "$other")" "$@" 2>&1
}
arrived() { frames "$@" | awk '$1 != "host" && $2 != "no" { print $1 ($2 == "yes" ? "" : "!") }' | tr '\n' ' '; }

zone_create attacker '{ "nics": [{ "nic_tag": "test0", "primary": true,
	"ips": ["10.91.0.9/24", "fd91::9/64"] }] }'
ok "a zone is created" $?
attacker=$uuid
zone_create other '{ "nics": [{ "nic_tag": "test0", "ips": ["10.91.0.8/24"],
	"dhcp_server": true }] }'
ok "and another, which may be a DHCP server" $?
other=$uuid
port=$(link_of "$attacker" 0)
nft list table bridge dais >"$dir/rules"
eventually 5 frames own-ip4 >/dev/null

own="own-ip4 own-ip6 own-ip6-local own-arp own-arp-probe own-advert own-solicit own-dad own-mld own-ping-fragment "
is "what is its own arrives, and nothing else" "$(arrived)" "${own}smtp "
has "the bridge knows where its MAC is" "$(bridge fdb show br br-test0 dev "$port")" \
	"$(jq -r '.nics[0].mac' "$host/etc/zones/$attacker.json") master br-test0 static"
is "and has learned no other" "$(bridge fdb show br br-test0 | grep -c 02:00:00:00:06:66)" 0
has "it does not learn from the port" "$(bridge -d link show dev "$port")" "learning off flood off"

# ---- each switch -------------------------------------------------------------------

change '.nics[0].allow_mac_spoofing = true'
is "allow_mac_spoofing: any MAC" "$(arrived)" "${own}mac arp-mac dhcp-for-other smtp "
has "and the bridge learns" "$(bridge -d link show dev "$port")" "learning on flood on"
change '.nics[0] |= (del(.allow_mac_spoofing) | .allow_ip_spoofing = true)'
has "without it the bridge does not any more" "$(bridge -d link show dev "$port")" \
	"learning off flood off"
is "allow_ip_spoofing: any address" "$(arrived)" "${own}ip4 ip4-nobody ip4-allowed ip4-leased ip4-short ip6 ip6-local ip6-slaac ip6-hidden arp-ip arp-probe advert dad router redirect dhcp-discover smtp vrrp "
change '.nics[0] |= (del(.allow_ip_spoofing) | .allow_dhcp_spoofing = true)'
is "allow_dhcp_spoofing: to be a DHCP server, from any address" \
	"$(arrived dhcp-server dhcp6-server dhcp-for-other ip4 mac ethertype)" \
	"dhcp-server dhcp6-server dhcp-for-other ip4 "
change '.nics[0] |= (del(.allow_dhcp_spoofing) | .allow_restricted_traffic = true)'
is "allow_restricted_traffic: any kind of frame, but addresses are its own" "$(arrived)" \
	"${own}smtp ethertype vlan vlan-twice stp "
change '.nics[0] |= (del(.allow_restricted_traffic) | .allowed_ips = ["10.92.0.0/16"])'
is "allowed_ips: these too" "$(arrived own-ip4 ip4 ip4-allowed)" "own-ip4 ip4-allowed "
change '.nics[0] |= (del(.allowed_ips) | .blocked_outgoing_ports = [25])'
is "blocked_outgoing_ports: not there" "$(arrived own-ip4 smtp)" "own-ip4 "
change '.nics[0] |= (del(.blocked_outgoing_ports) | .vrrp_vrid = 7 | .vrrp_primary_ip = "10.91.0.7")'
is "vrrp_vrid: VRRP from its primary address" "$(arrived vrrp)" "vrrp "
change '.nics[0] |= (del(.vrrp_vrid, .vrrp_primary_ip) | .ips = ["addrconf", "fd91::9/64"])'
is "addrconf: any prefix before the identifier of its MAC" \
	"$(arrived own-ip4 own-ip6 ip6 ip6-local ip6-slaac)" "own-ip6 ip6-slaac "
change '.nics[0].ips = ["dhcp"]'
is "dhcp: what a server has given, and not before" \
	"$(arrived dhcp-discover dhcp-for-other own-ip4 ip4-leased offer ip4-leased ip4)" \
	"dhcp-discover ip4-leased "
change '.nics[0].allowed_ips = ["10.92.0.0/16"]'
is "a change does not forget what was given" "$(arrived ip4-leased)" "ip4-leased "
change '.nics[0] |= (del(.allowed_ips) | .ips = ["10.91.0.9/24", "fd91::9/64"])'
is "as in the beginning, all is as in the beginning" "$(arrived)" "${own}smtp "

# ---- the host -----------------------------------------------------------------------

is "a network in which the host has no address does not reach the host" \
	"$(frames own-ip4 | grep host)" "host no"
nictagadm --root "$host" update -p address=10.91.0.1/24 test0 >"$dir/said" 2>&1 ||
	sed 's/^/# /' "$dir/said"
reload
is "one in which it has one does" "$(frames own-ip4 | grep host)" "host yes"

# ---- without rules ------------------------------------------------------------------

nft flush map bridge dais ports
is "a port that the filter does not know passes nothing" "$(arrived own-ip4)" "own-ip4! "
vmadm --root "$host" check >"$dir/said" 2>&1
has "and is found" "$(<"$dir/said")" "has no filter"
vmadm --root "$host" check --repair >"$dir/said" 2>&1
has "and given its rules" "$(<"$dir/said")" "set again"
is "after which it speaks" "$(arrived own-ip4 ip4)" "own-ip4 "
nft flush ruleset
if bridge -d link show dev "$port" | grep -q 'locked on'; then
	is "without any rules the bridge still holds the MAC" "$(arrived own-ip4 mac)" "own-ip4 "
else
	ok "without any rules the bridge still holds the MAC # SKIP no locked ports here" 0
fi
vmadm --root "$host" check >"$dir/said" 2>&1
has "this is found as well" "$(<"$dir/said")" "has no filter"
reload
is "and all of it is there again" "$(arrived own-ip4 ip4 mac)" "own-ip4 "

# ---- the end ------------------------------------------------------------------------

before=$(init_of "$attacker")
vmadm --root "$host" reboot -F "$attacker" >"$dir/said" 2>&1 || sed 's/^/# /' "$dir/said"
rebooted() { [ "$(init_of "$attacker")" != "$before" ] && [ "$(init_of "$attacker")" != 0 ]; }
eventually 10 rebooted
eventually 5 frames own-ip4 >/dev/null
is "after a reboot the rules hold" "$(arrived own-ip4 ip4 mac)" "own-ip4 "
vmadm --root "$host" stop -F "$attacker" >/dev/null 2>&1
is "stopped: nothing is left" "$(nothing_left "$attacker")" ""
vmadm --root "$host" delete "$attacker" >/dev/null 2>&1
vmadm --root "$host" delete "$other" >/dev/null 2>&1
is "and of the other neither" "$(nothing_left "$other")" ""
finish
