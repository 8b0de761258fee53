#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The power fails: with a zone running, and in the middle of a create. The pool
# comes back by itself, what was there runs again, and what was half made is
# either whole or gone.
. "$(dirname "$0")/lib.bash"

disk=$dir/disk.img
a=aaaaaaaa-2222-4333-8444-00000000000a
b=bbbbbbbb-3333-4444-8555-00000000000b
truncate -s 8G "$disk"
image=$(sed -n 's/^  "uuid": "\(.*\)",$/\1/p' "$platform/images/base.json")

# payload UUID NAME IP
payload() {
	cat <<-END
	{ "uuid": "$1", "alias": "$2", "brand": "lx", "image_uuid": "$image",
	  "max_physical_memory": 256, "quota": 2,
	  "nics": [ { "nic_tag": "admin", "ip": "$3", "netmask": "255.255.255.0" } ] }
	END
}

power_cut() {
	kill -9 "$machine"
	wait "$machine" 2>/dev/null
	machine=''
}

# back WHAT - boot again and log in
back() {
	boot_machine -d "$disk" -a "root_shadow=$hash"
	login power || bail "cannot log in: $out"
	g 'systemctl is-system-running --wait' 300
	is "$1: every unit is up" "$out" running
	g 'findmnt -n -o FSTYPE /zones; cat /opt/before'
	is "$1: the pool is mounted, with what was in it" "$out" $'btrfs\nhere'
}

hash=$(openssl passwd -6 -salt dais power)
boot_machine -d "$disk" -a "root_shadow=$hash"
login power || bail "cannot log in: $out"
g 'mkpool /dev/vda && systemctl start dais-pool.service && echo here > /opt/before && sync'
ok "a pool" "$status" || bail "$out"
g 'imgadm install -q -m /system/media/images/base.json -f /system/media/images/base.tar.zst' 900
ok "an image" "$status" || bail "$out"
g "$(printf 'cat > /root/a.json <<"END"\n%s\nEND\nvmadm create -f /root/a.json' "$(payload $a one 10.99.0.21)")" 300
like "a zone" "$out" 'Successfully created' || bail "$out"

power_cut
back "after a cut with a zone running"
g "vmadm list -H -o uuid,state"
like "the zone is there" "$out" "$a"
until_g 120 "ping -c 1 -W 2 10.99.0.21"
ok "and has started with the host" $?

# Where in the create the cut falls is a matter of chance; every place must do.
g "$(printf 'cat > /root/b.json <<"END"\n%s\nEND\n(vmadm create -f /root/b.json > /dev/null 2>&1 &)' "$(payload $b two 10.99.0.22)")"
sleep 0.$((RANDOM % 10))
power_cut
back "after a cut in a create"
until_g 120 "ping -c 1 -W 2 10.99.0.21"
ok "the other zone runs" $?
g "vmadm list -H -o state uuid=$b"
state=${out// /}
note "the zone that was being created: ${state:-gone}"
[[ $state == '' || $state == running || $state == stopped ]]
ok "what was being created is whole or gone" $?
g "$(printf 'cat > /root/b.json <<"END"\n%s\nEND\n' "$(payload $b two 10.99.0.22)")"
[ -z "$state" ] || g "vmadm delete $b" 300
g 'vmadm create -f /root/b.json' 300
like "and can be created" "$out" "Successfully created VM $b" || note "$out"
g "vmadm delete $a && vmadm delete $b" 300
ok "both can be deleted" "$status" || note "$out"
g "btrfs subvolume list /zones | grep -e aaaaaaaa -e bbbbbbbb; ls -A /etc/zones/.journal /etc/zones/.claims"
is "and nothing of them is left" "$out" $'/etc/zones/.claims:\n\n/etc/zones/.journal:'
g poweroff
wait_gone 240
ok "poweroff ends the machine" $?
finish
