#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The life of a zone through vmadm, on a real pool with real containers.
. "$(dirname "$0")/vmadm_lib.bash"

a=$(printf aaaaaaaa-0000-4000-8000-%012x $$)
b=$(printf bbbbbbbb-0000-4000-8000-%012x $$)
own="$a $b"

payload '"uuid": "'$a'", "alias": "a", "hostname": "alpha", "max_physical_memory": 256, "resolvers": ["10.99.0.1"],
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/24"], "gateways": ["10.99.0.1"] }]' >"$dir/a.json"
payload '"uuid": "'$b'", "alias": "b", "nics": [{ "nic_tag": "admin", "ip": "10.99.0.8",
	"netmask": "255.255.255.0" }]' >"$dir/b.json"

vm create -f "$dir/a.json"
is "create of a payload in a file" "$status $out" "0 "
is "its first line is the one that clients look for" "$(head -1 "$dir/err")" \
	"Successfully created VM $a"
vm create <"$dir/b.json"
is "create of a payload on standard input, in the old form" "$status" 0
vm list -Hpo uuid,type,state,alias,nics.0.ip -s alias
is "both run" "$out" "$a:LX:running:a:10.99.0.7
$b:LX:running:b:10.99.0.8"
eventually ping -c1 -W1 10.99.0.7
ok "the host reaches the first" $?
eventually in_zone $b ping -c1 -W1 10.99.0.7
ok "the second reaches the first" $?
is "the zone has its host name" "$(in_zone $a hostname)" alpha
is "its hosts file names it" "$(in_zone $a getent hosts alpha.local | awk '{ print $1 }')" 10.99.0.7
is "its resolver is the payload's" "$(in_zone $a cat /etc/resolv.conf)" "search local
nameserver 10.99.0.1"
is "its init is root inside and nobody special outside" \
	"$(in_zone $a id -u) $(($(stat -c %u "/proc/$(jq .pid "$root/run/dais/$a/state.json")") >= 1 << 30))" "0 1"

vm get a
is "get by alias" "$(jq -r '[.uuid, .state, .zone_state, .brand, .quota] | join(" ")' "$dir/out")" \
	"$a running running lx 10"
is "get has what clients require" "$(jq -r '[.v, .hvm, .firewall_enabled, .autoboot, .billing_id,
	.owner_uuid, .limit_priv, .zfs_filesystem, .zonepath, .create_timestamp, .last_modified,
	.platform_buildstamp, .nics, .kernel_version, .pid, .boot_timestamp, .snapshots] |
	map(. != null) | all' "$dir/out")" true
is "and not what is ours" "$(jq -r .idmap_base "$dir/out")" null
vm lookup -1 nics.\*.ip=10.99.0.8
is "lookup by address" "$out" $b

vm create -f "$dir/a.json"
is "a second create of the same uuid" "$status $err" "1 VM with UUID $a already exists"
payload '"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.7/16"] }]' >"$dir/c.json"
vm create -f "$dir/c.json"
is "an address in use names the VM that has it" "$status $err" \
	"1 Conflict detected with another vm, please check the MAC, IP, and VRID
  /nics/0/ips/0: address 10.99.0.7 on 'admin' (VLAN 0) belongs to VM $a"
vm list -H
is "neither left anything" "$(wc -l <"$dir/out")" 2

vm start $a
is "start of a VM that runs" "$status $err" \
	"0 Unable to start VM $a: VM $a is already 'running'"
pid=$(jq .pid "$root/run/dais/$a/state.json")
vm stop $a
is "stop" "$status $err" "0 Successfully completed stop for VM $a"
! kill -0 "$pid" 2>/dev/null
ok "its init is gone" $?
vm list -Hpo state,autoboot uuid=$a
is "it is stopped and stays so" "$out" "stopped:"
vm stop $a
is "stop of a VM that is stopped" "$status $err" "0 VM $a is already 'stopped'"
vm reboot $a
is "reboot of a VM that is stopped" "$status $err" \
	"1 Cannot reboot vm from state \"stopped\", must be \"running\""
vm kill $a
is "kill of a VM that is stopped" "$status $err" "1 Cannot find running init PID for VM $a"
vm start $a
is "start" "$status $(head -1 "$dir/err")" "0 Successfully started VM $a"
vm list -Hpo state,autoboot uuid=$a
is "it runs, and will with the host" "$out" "running:true"
eventually ping -c1 -W1 10.99.0.7
ok "and answers again" $?
pid=$(jq .pid "$root/run/dais/$a/state.json")
vm reboot -F $a
is "reboot by force" "$status $(head -1 "$dir/err")" \
	"0 Successfully completed reboot for VM $a"
[ "$(jq .pid "$root/run/dais/$a/state.json")" -ne "$pid" ]
ok "there is another init" $?
vm stop -F $a
is "stop by force" "$status $err" "0 Successfully completed stop for VM $a"

vm --version
vm check
is "check finds nothing wrong" "$status $out$err" "0 "
vm delete $a
is "delete of a stopped VM" "$status $err" "0 Successfully deleted VM $a"
vm delete -F $b
is "delete of a running VM" "$status $err" "0 Successfully deleted VM $b"
vm delete $b
is "delete of a VM that is not there" "$status $err" "1 Failed to delete VM $b: zoneadm: $b: No such zone configured"
vm get $b
is "get of a VM that is not there" "$status $err" "1 zoneadm: $b: No such zone configured"
is "nothing is left" "$(leftovers)" ""

vm create -f "$dir/c.json"
is "the address is free again" "$status" 0
uuid=$(sed -n 's/^Successfully created VM //p' "$dir/err")
vm delete "$uuid"

# A stop that the guest ignores ends by force, and a dead supervisor is no obstacle.
payload '"uuid": "'$a'", "alias": "a"' >"$dir/d.json"
vm create -f "$dir/d.json"
kill -9 "$(jq .supervisor "$root/run/dais/$a/state.json")"
vm list -Hpo state
is "a zone outlives its supervisor" "$out" running
vm stop -F $a
is "and is stopped without it" "$status $err" "0 Successfully completed stop for VM $a"
vm delete $a
is "nothing is left after that either" "$(leftovers)" ""
finish
