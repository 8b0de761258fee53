#!/bin/bash
# SPDX-License-Identifier: MIT
#
# VLANs, on a kernel that has them: zones of one tag reach each other in the same
# VLAN only, their frames leave the host with its tag, and a NIC that moves to
# another VLAN is in that one at once.
. "$(dirname "$0")/lib.bash"

disk=$dir/disk.img
a=aaaaaaaa-1111-4222-8333-00000000000a
b=bbbbbbbb-1111-4222-8333-00000000000b
truncate -s 4G "$disk"
image=$(sed -n 's/^  "uuid": "\(.*\)",$/\1/p' "$platform/images/tiny.json")

# create UUID NAME IP VLAN [MEMBERS OF THE NIC]
create() {
	g "cat > /root/$2.json <<'END'
{ \"uuid\": \"$1\", \"alias\": \"$2\", \"brand\": \"lx\", \"image_uuid\": \"$image\", \"max_physical_memory\": 64,
  \"nics\": [ { \"nic_tag\": \"trunk\", \"mac\": \"02:00:00:00:00:0${2: -1}\", \"ip\": \"$3\",
  \"netmask\": \"255.255.255.0\", \"vlan_id\": $4 } ] }
END
vmadm create -f /root/$2.json" 300
	like "a zone in VLAN $4" "$out" 'Successfully created' || bail "$out"
}

# from UUID ADDRESS - the zone pings it
from() {
	g "nsenter -n -t \"\$(sed -n 's/.*\"pid\": \\([0-9]*\\),.*/\\1/p' /run/dais/$1/state.json)\" -- ping -c 2 -i 0.2 -W 2 $2"
}

reaches() {
	from "$2" "$3"
	ok "$1" "$status" || note "$out"
}

reaches_not() {
	from "$2" "$3"
	is "$1" "$status" 1
}

boot_machine -d "$disk"
login "$(shown_password)" || bail "cannot log in: $out"
g 'mkpool /dev/vda && systemctl start dais-pool.service'
ok "a pool" "$status" || bail "$out"
g 'imgadm install -q -m /system/media/images/tiny.json -f /system/media/images/tiny.tar.zst' 300
ok "an image" "$status" || bail "$out"

# The other end of the tag's link is a switch of ours, with a host in each VLAN.
g 'modprobe -a veth 8021q; ip link add up0 type veth peer name wire0 && ip link set wire0 up &&
for v in 10 20; do ip netns add v$v; ip link add link wire0 name wire0.$v type vlan id $v &&
ip link set wire0.$v netns v$v && ip -n v$v addr add 10.77.0.2$v/24 dev wire0.$v && ip -n v$v link set wire0.$v up; done'
is "a link that carries VLANs" "$status $out" '0 '
g 'nictagadm add trunk up0'
ok "a tag on it" "$status" || note "$out"

create $a one1 10.77.0.1 10
create $b two2 10.77.0.2 10
g 'bridge vlan show'
note "${out//$'\n'/$'\n# '}"
g 'cat /sys/class/net/br-trunk/bridge/vlan_filtering'
is "the bridge filters by VLAN" "$out" 1
reaches "one VLAN: they reach each other" $a 10.77.0.2
reaches "and the host out there in it" $a 10.77.0.210
reaches_not "but not the one in another VLAN" $a 10.77.0.220
g 'ip netns exec v10 ping -c 2 -i 0.2 -W 2 10.77.0.1'
ok "what comes from outside with the tag gets in" "$status" || note "$out"
g 'ip netns exec v20 ping -c 2 -i 0.2 -W 2 10.77.0.1'
is "with another tag it does not" "$status" 1
g 'ip addr add 10.77.0.99/24 dev wire0; ping -c 2 -i 0.2 -W 2 -I wire0 10.77.0.1'
is "nor without any" "$status" 1

g "echo '{\"update_nics\": [ { \"mac\": \"02:00:00:00:00:02\", \"vlan_id\": 20 } ]}' | vmadm update $b"
like "a NIC of a running zone moves to another VLAN" "$out" "Successfully updated VM $b" || note "$out"
reaches_not "it is out of the one" $a 10.77.0.2
reaches "and in the other" $b 10.77.0.220
reaches_not "alone" $b 10.77.0.210

# A guest that makes tags itself does not get across.
g "nsenter -n -t \"\$(sed -n 's/.*\"pid\": \\([0-9]*\\),.*/\\1/p' /run/dais/$b/state.json)\" -- sh -c 'ip link add link net0 name net0.10 type vlan id 10 && ip addr flush dev net0 && ip addr add 10.77.0.2/24 dev net0.10 && ip link set net0.10 up && ping -c 2 -i 0.2 -W 2 10.77.0.1'"
is "tags that a zone makes itself pass nowhere" "$status" 1

g "vmadm reboot $b" 300
ok "a reboot" "$status" || note "$out"
until_g 60 "ip netns exec v20 ping -c 1 -W 2 10.77.0.2"
ok "it comes back in its VLAN" $?
g "echo '{\"update_nics\": [ { \"mac\": \"02:00:00:00:00:02\", \"vlan_id\": 0 } ]}' | vmadm update $b"
like "and leaves all of them" "$out" "Successfully updated VM $b" || note "$out"
g 'ping -c 2 -i 0.2 -W 2 -I wire0 10.77.0.2'
ok "then its frames have no tag" "$status" || note "$out"

for zone in $a $b; do
	g "vmadm delete $zone" 300
	like "$zone is deleted" "$out" "Successfully deleted VM $zone" || note "$out"
done
g 'vmadm check; bridge vlan show | grep -c dz'
is "and nothing is left" "$out" 0
g poweroff
wait_gone 240
ok "poweroff ends the machine" $?
finish
