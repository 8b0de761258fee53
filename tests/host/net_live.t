#!/bin/bash
# SPDX-License-Identifier: MIT
#
# NICs, addresses, gateways, routes and resolvers of a zone that runs follow its record,
# and what is cut short is finished by who asks next.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
for tool in nft bridge; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
zone_namespaces "$0" "$@"
set -u
zone_host
nictagadm --root "$host" add -l test1 >/dev/null || exit 1

update() { # update JSON: its words in $dir/said
	echo "$1" | vmadm --root "$host" update "$uuid" >"$dir/said" 2>&1
}
updated() { # updated NAME JSON
	# A word about a NIC would be that it was not done.
	update "$2" && ! grep -q 'warning: nics' "$dir/said"
	ok "$1" $?
}
inside() { nsenter -t "$(init_of "$uuid")" -n "$@" 2>&1; }
addresses() { inside ip -o addr show dev "$1" scope global | awk '{ print $4 }' | tr '\n' ' '; }
routes() { inside ip -4 route show proto 216 | sed 's/ $//' | tr '\n' ';'; }
mac_of() { jq -r ".nics[$1].mac" "$host/etc/zones/$uuid.json"; }
root() { echo "$host/zones/$uuid/root"; }

zone_create live '{ "maintain_resolvers": true, "resolvers": ["10.91.0.53"],
	"routes": { "10.95.0.0/16": "10.91.0.2", "10.96.0.1": "nics[0]" },
	"nics": [{ "nic_tag": "test0", "primary": true, "ips": ["10.91.0.9/24"],
		"gateways": ["10.91.0.1"] }] }'
ok "a zone is created" $?
init=$(init_of "$uuid")

is "its broadcast address is its network's" \
	"$(inside ip -4 -o addr show dev eth0 | grep -o 'brd [^ ]*')" "brd 10.91.0.255"

# ---- routes --------------------------------------------------------------------------

is "its routes are there at its start" "$(routes)" \
	"10.95.0.0/16 via 10.91.0.2 dev eth0;10.96.0.1 dev eth0 scope link;"
updated "routes are set" '{ "set_routes": { "10.97.0.0/16": "10.91.0.3", "10.95.0.0/16": "10.91.0.4" } }'
is "and in force at once" "$(routes)" \
	"10.95.0.0/16 via 10.91.0.4 dev eth0;10.96.0.1 dev eth0 scope link;10.97.0.0/16 via 10.91.0.3 dev eth0;"
inside ip route add 10.98.0.0/16 via 10.91.0.7
updated "routes are removed" '{ "remove_routes": ["10.97.0.0/16", "10.96.0.1"] }'
is "and gone at once" "$(routes)" "10.95.0.0/16 via 10.91.0.4 dev eth0;"
is "the zone's own stay" "$(inside ip route show 10.98.0.0/16 | grep -c via)" 1
update '{ "set_routes": { "10.99.0.0/16": "192.0.2.1" } }'
has "a gateway that cannot be reached is named" "$(<"$dir/said")" "routes.10.99.0.0/16"
is "the other routes hold" "$(routes)" "10.95.0.0/16 via 10.91.0.4 dev eth0;"
updated "it is removed" '{ "remove_routes": ["10.99.0.0/16"] }'

# ---- resolvers -----------------------------------------------------------------------

updated "resolvers are changed" '{ "resolvers": ["10.91.0.54", "10.91.0.55"] }'
is "and its file is" "$(grep nameserver "$(root)/etc/resolv.conf" | tr '\n' ' ')" \
	"nameserver 10.91.0.54 nameserver 10.91.0.55 "
echo untouched >"$dir/outside"
chmod 666 "$dir/outside"
rm "$(root)/etc/resolv.conf"
ln -s "$dir/outside" "$(root)/etc/resolv.conf"
updated "a link in its place leads nowhere" '{ "resolvers": ["10.91.0.56"] }'
is "what it points to is as it was" "$(<"$dir/outside")" untouched
has "and the file is the zone's" "$(<"$(root)/etc/resolv.conf")" "nameserver 10.91.0.56"
update '{ "maintain_resolvers": false }'
update '{ "resolvers": ["10.91.0.57"] }'
has "without maintain_resolvers it is left alone" "$(<"$(root)/etc/resolv.conf")" "10.91.0.56"

# ---- addresses -----------------------------------------------------------------------

nic0=$(mac_of 0)
updated "addresses are changed" \
	"{ \"update_nics\": [{ \"mac\": \"$nic0\", \"ips\": [\"10.91.0.10/24\", \"fd91::10/64\"], \"gateways\": [\"10.91.0.2\"] }] }"
is "at once" "$(addresses eth0)" "10.91.0.10/24 fd91::10/64 "
is "so is the gateway" "$(inside ip -4 route show default | awk '{ print $3 }')" 10.91.0.2
is "the routes are there again" "$(routes)" "10.95.0.0/16 via 10.91.0.4 dev eth0;"
has "the filter knows the new one" "$(nft list chain bridge dais "$(link_of "$uuid" 0)")" \
	"ip saddr 10.91.0.10 accept"
is "and the old one no more" "$(nft list table bridge dais | grep -c '10\.91\.0\.9')" 0
updated "the MTU is changed" "{ \"update_nics\": [{ \"mac\": \"$nic0\", \"mtu\": 1400 }] }"
is "at both ends" "$(cat "/sys/class/net/$(link_of "$uuid" 0)/mtu") $(inside ip -o link show eth0 | grep -o 'mtu [0-9]*')" \
	"1400 mtu 1400"
updated "another network" "{ \"update_nics\": [{ \"mac\": \"$nic0\", \"nic_tag\": \"test1\" }] }"
is "is where its port is" \
	"$(ip -o link show "$(link_of "$uuid" 0)" | grep -o 'master [^ ]*')" "master br-test1"
has "and its MAC" "$(bridge fdb show br br-test1)" "$nic0"

# ---- NICs ----------------------------------------------------------------------------

updated "a NIC is added" '{ "add_nics": [{ "nic_tag": "test0", "ips": ["10.92.0.5/24"] }] }'
is "it is there, with its address" "$(addresses eth1)" "10.92.0.5/24 "
is "and its MAC" "$(inside ip -o link show eth1 | grep -o 'link/ether [^ ]*')" \
	"link/ether $(mac_of 1)"
is "it is up" "$(inside ip -o link show eth1 up | grep -c LOWER_UP)" 1
has "its port is filtered" "$(nft list chain bridge dais "$(link_of "$uuid" 1)")" \
	"ip saddr 10.92.0.5 accept"
has "and strict" "$(bridge -d link show dev "$(link_of "$uuid" 1)")" "learning off flood off"
ip addr add 10.92.0.1/24 dev br-test0
nictagadm --root "$host" update -p address=10.92.0.1/24 test0 >/dev/null 2>&1
updated "with a word of the host's network" '{ "set_tags": { "a": "b" } }'
ping -c 1 -W 3 10.92.0.5 >/dev/null
ok "and the host reaches it" $?
updated "the first is removed" "{ \"remove_nics\": [\"$nic0\"] }"
is "it is gone" "$(inside ip -o link | grep -c ' eth0@')" 0
is "with its port" "$(ip -o link show "$(link_of "$uuid" 0)" 2>/dev/null)" ""
is "and its rules" "$(nft list table bridge dais | grep -c "$(link_of "$uuid" 0)")" 0
is "the other one stays" "$(addresses eth1)" "10.92.0.5/24 "
ping -c 1 -W 3 10.92.0.5 >/dev/null
ok "and works" $?
updated "a new one takes the first name" '{ "add_nics": [{ "nic_tag": "test1", "ips": ["10.93.0.5/24"] }] }'
is "and is there" "$(addresses eth0)" "10.93.0.5/24 "
is "init runs on" "$(init_of "$uuid")" "$init"

# ---- a zone that does as it likes, supervisors that die --------------------------------

inside ip link delete eth0
update '{ "set_tags": { "a": "c" } }'
is "a NIC that the zone has deleted comes again with the next change" "$(addresses eth0)" \
	"10.93.0.5/24 "
kill -9 "$(supervisor_of "$uuid")"
updated "without its supervisor a NIC is added" \
	'{ "add_nics": [{ "nic_tag": "test1", "ips": ["10.94.0.5/24"] }] }'
is "and is there, too" "$(addresses eth2)" "10.94.0.5/24 "
# Killed between the making of the pair and the rest: what there is then.
inside ip addr flush dev eth2
inside ip link set eth2 down
ip link set "$(link_of "$uuid" 2)" nomaster
jq 'del(.nics[] | select(.interface == "eth2"))' "$host/run/dais/$uuid/network.json" >"$dir/facts"
cat "$dir/facts" >"$host/run/dais/$uuid/network.json"
update '{ "set_tags": { "a": "d" } }'
is "what was cut short is finished by the next" \
	"$(addresses eth2)$(ip -o link show "$(link_of "$uuid" 2)" up | grep -o 'master [^ ]*')" \
	"10.94.0.5/24 master br-test1"

# ---- what cannot be --------------------------------------------------------------------

if ! ip link add type bridge vlan_filtering 1 2>/dev/null; then
	update "{ \"add_nics\": [{ \"nic_tag\": \"test1\", \"ips\": [\"10.94.1.5/24\"], \"vlan_id\": 7 }] }"
	has "a VLAN is refused by a kernel that knows none" "$(<"$dir/said")" \
		"the bridges of this kernel know no VLANs"
fi

vmadm --root "$host" delete "$uuid" >/dev/null 2>&1
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""
is "and no rules" "$(nft list table bridge dais | grep -c 'dz[0-9a-f]')" 0
finish
