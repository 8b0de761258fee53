#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The power fails: with zones running, and in the middle of a create. The pool
# comes back by itself, what was there and starts with the host runs again, what
# cannot start says why, and what was half made is either whole or gone.
. "$(dirname "$0")/lib.bash"

disk=$dir/disk.img
a=aaaaaaaa-2222-4333-8444-00000000000a
b=bbbbbbbb-3333-4444-8555-00000000000b
c=cccccccc-4444-4555-8666-00000000000c
d=dddddddd-5555-4666-8777-00000000000d
e=eeeeeeee-6666-4777-8888-00000000000e
truncate -s 8G "$disk"
image=$(sed -n 's/^  "uuid": "\(.*\)",$/\1/p' "$platform/images/base.json")

# payload UUID NAME IP [MEMBERS]
payload() {
	cat <<-END
	{ ${4:-} "uuid": "$1", "alias": "$2", "brand": "lx", "image_uuid": "$image",
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
g 'mkpool /dev/vda && systemctl start dais-pool.service && echo here > /opt/before && mkdir /opt/gone && sync'
ok "a pool" "$status" || bail "$out"
g 'imgadm install -q -m /system/media/images/base.json -f /system/media/images/base.tar.zst' 900
ok "an image" "$status" || bail "$out"
# create UUID NAME IP [MEMBERS]
create() {
	g "$(printf 'cat > /root/%s.json <<"END"\n%s\nEND\nvmadm create -f /root/%s.json' "$2" "$(payload "$@")" "$2")" 300
	like "a zone, $2" "$out" 'Successfully created' || bail "$out"
}
create $a one 10.99.0.21
create $c three 10.99.0.23 '"restart_init": true,'
create $d four 10.99.0.24 '"autoboot": false,'
create $e five 10.99.0.25 '"autoboot": false,
	"filesystems": [ { "type": "lofs", "source": "/opt/gone", "target": "/mnt" } ],'
g "vmadm update $e autoboot=true && rmdir /opt/gone && sync"
ok "one that will not start" "$status" || note "$out"

# What runs under an init that is killed goes with it; the zone comes back by itself.
until_g 120 'ping -c 1 -W 2 10.99.0.23'
pid="sed -n 's/.*\"pid\": \([0-9]*\),.*/\1/p' /run/dais/$c/state.json"
g "$pid"
init=$out
g "kill -KILL $init"
until_g 120 "$pid | grep -vx $init"
ok "with restart_init a zone whose init is killed starts again" $?
until_g 120 'ping -c 1 -W 2 10.99.0.23'
ok "and is reached" $?

power_cut
back "after a cut with zones running"
until_g 120 "[ \"\$(vmadm list -H -o state | tr -d ' ' | sort | tr '\n' ' ')\" = 'failed running running stopped ' ]"
ok "two start with the host, one stays stopped, one fails" $?
g 'vmadm list -H -o alias,state | tr -s " "'
note "${out//$'\n'/, }"
for address in 21 23; do
	until_g 120 "ping -c 1 -W 2 10.99.0.$address"
	ok "10.99.0.$address is reached" $?
done
g "vmadm get $e | grep '\"failed\"'"
like "the one that fails says why" "$out" '/opt/gone'
g 'systemctl is-active dais-zones.service; journalctl -b -o cat -u dais-zones.service'
like "the log of the unit, which is active, names it" "$out" "^active.*$e does not start"
g 'vmadm check'
is "vmadm check finds nothing" "$status $out" '0 '
for zone in $c $d $e; do g "vmadm delete $zone" 300; done

# Where in the create the cut falls is a matter of chance; every place must do.
g "$(printf 'cat > /root/b.json <<"END"\n%s\nEND\n(vmadm create -f /root/b.json > /dev/null 2>&1 &)' "$(payload $b two 10.99.0.22)")"
sleep 0.$((RANDOM % 10))
power_cut
back "after a cut in a create"
until_g 120 "ping -c 1 -W 2 10.99.0.21"
ok "the other zone runs" $?
g 'vmadm check'
is "vmadm check finds nothing" "$status $out" '0 '
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
g "btrfs subvolume list /zones | grep -e aaaaaaaa -e bbbbbbbb -e cccccccc -e dddddddd -e eeeeeeee; ls -A /etc/zones/.journal /etc/zones/.claims"
is "and nothing of them is left" "$out" $'/etc/zones/.claims:\n\n/etc/zones/.journal:'
g poweroff
wait_gone 240
ok "poweroff ends the machine" $?
finish
