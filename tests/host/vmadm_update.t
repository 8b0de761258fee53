#!/bin/bash
# SPDX-License-Identifier: MIT
#
# update on a zone that runs: values, maps, NICs, quota; refusals leave all as it
# was; killed or failing after each of its steps, the VM is as before or as after.
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf eeeeeeee-0000-4000-8000-%012x $$)
other=${u/eeeeeeee/ffffffff}
own="$u $other"
payload '"uuid": "'$u'", "alias": "up", "quota": 2, "max_physical_memory": 256,
	"tags": { "a": "1", "b": 2 }, "customer_metadata": { "k": "v" },
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"], "mac": "02:00:00:00:00:09" },
		{ "nic_tag": "stub0", "ips": ["10.98.0.9/24"], "mac": "02:00:00:00:00:19" }]' >"$dir/one.json"
payload '"uuid": "'$other'", "autoboot": false,
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.8/24"], "mac": "02:00:00:00:00:08" }]' >"$dir/other.json"
vm create -f "$dir/one.json"
ok "a zone runs" "$status"
vm create -f "$dir/other.json"
ok "another is stopped" "$status"

# change JSON...: update by a payload. get FILTER: of the VM.
change() { printf '%s\n' "$1" >"$dir/change.json"; shift; vm update $u -f "$dir/change.json" "$@"; }
get() { "$bin/vmadm" --root "$root" get $u | jq -cr "$1"; }
record() { jq -cS 'del(.last_modified)' "$root/etc/zones/$u.json"; }
claims() { find "$root/etc/zones/.claims" -type l -lname "$u" -printf '%f\n' | grep -v '^id\.' | sort | tr '\n' ' '; }
first() { printf '%s\n' "$err" | head -n 1; }

# ---- words

# The bytes that the pool lets a VM have: one of its groups holds them.
bounded() { btrfs qgroup show --raw -re "$zones" 2>/dev/null | grep -q " $1 \| $1\$"; }
before=$(get .last_modified)
bounded $((2 << 30))
quotas=$?
vm update $u alias=web cpu_shares=50 quota=3
is "words change values" "$(get '[.alias, .cpu_shares, .quota]')" '["web",50,3]'
is "the first line is the success" "$(first)" "Successfully updated VM $u"
is "what changed is told" "$(printf '%s\n' "$err" | grep ^changed: | sort | tr '\n' '|')" \
	'changed: alias: "up" -> "web"|changed: cpu_shares: 100 -> 50|changed: quota: 2 -> 3|'
[ "$before" != "$(get .last_modified)" ]
ok "last_modified moves" $?
[ $quotas -ne 0 ] || bounded $((3 << 30))
ok "the pool has the new quota" $?
vm update $u alias=web
is "the same again changes nothing" "$status $(printf '%s\n' "$err" | tail -n 1)" "0 nothing changed"
vm update $u nics.0.ip=10.99.0.7
is "a dotted key is refused" "$status $(first)" \
	"1 'nics.0.ip' cannot be changed by KEY=VALUE: give a payload with update_nics, set_tags and the like (vm-payload(5))"
vm update $u alias=
is "an empty value takes it away" "$(get 'has("alias")')" false
vm update $u quota
is "a word without = is wrong use" "$status $(first)" "2 Invalid argument to update: quota (KEY=VALUE)"
printf '{ "alias": "stdin" }' | "$bin/vmadm" --root "$root" update $u alias=words 2>/dev/null
is "words win over standard input" "$(get .alias)" words
printf '{ "alias": "stdin" }' | "$bin/vmadm" --root "$root" update $u 2>/dev/null
is "a payload on standard input" "$(get .alias)" stdin

# ---- payloads

change '{ "set_tags": { "c": true, "a": "9" }, "remove_tags": ["b", "a", "none"],
	"set_customer_metadata": { "user-script": "true" }, "remove_customer_metadata": ["k"] }'
is "tags: set wins over remove" "$(get '[.tags.a, .tags.c, (.tags | has("b"))]')" '["9",true,false]'
is "metadata" "$(get '.customer_metadata | tojson')" '{"user-script":"true"}'
[ "$(printf '%s\n' "$err" | grep -c 'user-script')" -eq 0 ]
ok "metadata is not printed" $?
change '{ "max_physical_memory": 512 }'
is "the other limits follow memory" \
	"$(get '[.max_physical_memory, .max_swap, .max_locked_memory, .tmpfs]')" '[512,512,512,512]'
change '{ "tmpfs": 64 }'
is "the zone that runs has it at once" "$(in_zone $u df -k /tmp | awk 'END { print $2 }')" 65536
change '{ "alias": "n", "vcpus": 4, "frob": 1 }'
is "what is not a property is named after the success" "$status $(printf '%s\n' "$err" | grep ignored)" \
	"0 warning: ignored: vcpus,frob"
change '{ "alias": "m", "frob": 1 }' --strict
is "--strict refuses it" "$status $(first) $(get .alias)" "1 Properties not allowed: frob n"

# ---- NICs

change '{ "add_nics": [{ "nic_tag": "stub0", "mac": "02:00:00:00:00:29", "ips": ["10.98.0.10/24"], "primary": true }] }'
is "a new NIC takes the next interface and the flag" \
	"$(get '.nics | map([.mac, .interface, .primary]) | tojson')" \
	'[["02:00:00:00:00:09","eth0",null],["02:00:00:00:00:19","eth1",null],["02:00:00:00:00:29","eth2",true]]'
change '{ "update_nics": [{ "mac": "2:0:0:0:0:9", "ip": "10.99.0.19" }], "remove_nics": ["02:00:00:00:00:29"] }'
is "an address changes in the old form, a NIC goes, the flag moves" \
	"$(get '.nics | map([.mac, .ips[0], .primary]) | tojson')" \
	'[["02:00:00:00:00:09","10.99.0.19/24",true],["02:00:00:00:00:19","10.98.0.9/24",null]]'
is "the claims follow" "$(claims)" \
	"ip.admin.0.10.99.0.19 ip.stub0.0.10.98.0.9 mac.02:00:00:00:00:09 mac.02:00:00:00:00:19 "
change '{ "set_routes": { "10.50.0.0/16": "nics[1]" } }'
is "a route" "$(get '.routes | tojson')" '{"10.50.0.0/16":"nics[1]"}'

# ---- refusals

before=$(record; claims)
refused() { # refused NAME JSON TEXT [OPTION...]
	local name=$1 json=$2 text=$3
	shift 3
	change "$json" "$@"
	is "$name" "$status $(first)" "1 $text"
	is "$name: all is as before" "$(record; claims)" "$before"
}
conflict="Conflict detected with another vm, please check the MAC, IP, and VRID"
refused "an address of another VM" \
	'{ "alias": "x", "quota": 4, "update_nics": [{ "mac": "02:00:00:00:00:09", "ips": ["10.99.0.8/24"] }] }' "$conflict"
printf '%s\n' "$err" | grep -q "belongs to VM $other"
ok "and whose it is" $?
refused "a MAC of another VM" \
	'{ "add_nics": [{ "nic_tag": "admin", "mac": "02:00:00:00:00:08", "ips": ["10.99.0.77/24"] }] }' "$conflict"
refused "a NIC that is not there" '{ "remove_nics": ["02:00:00:00:00:99"], "alias": "x" }' \
	"There is no NIC with the MAC address 02:00:00:00:00:99"
refused "a NIC that a route needs" '{ "remove_nics": ["02:00:00:00:00:19"] }' \
	'Route gateway: "nics[1]" refers to non-existent or DHCP nic'
refused "an unknown network" '{ "add_nics": [{ "nic_tag": "nope", "ip": "dhcp" }] }' 'Invalid nic tag "nope"'
refused "a wrong value" '{ "quota": "much", "alias": "x" }' "Invalid value(s) for: quota"
change '{ "remove_nics": ["02:00:00:00:00:99"], "alias": "skip" }' --ignore-missing
is "--ignore-missing goes on" "$status $(get .alias)" "0 skip"
vm update ${u/eeeeeeee/00000000} alias=x
is "no such VM" "$status $(first)" "1 zoneadm: ${u/eeeeeeee/00000000}: No such zone configured"

vm update $u --json alias=json frob=1
is "--json" "$(printf '%s' "$out" | jq -c '[.result, .changed, .changes, .warnings]')" \
	'["ok",true,["alias: \"skip\" -> \"json\""],["ignored: frob"]]'

# ---- validate

printf '{ "add_nics": [{ "nic_tag": "admin", "ip": "dhcp" }] }' >"$dir/v.json"
vm validate update lx -f "$dir/v.json"
is "validate update" "$status $err" "0 VALID 'update' payload for lx brand VMs."
printf '{ "quota": -1, "nics": [], "vcpus": 1 }' >"$dir/v.json"
vm validate update lx -f "$dir/v.json"
is "validate update refuses" "$status $(sed -n '1,/^}/p' "$dir/err" | jq -c .)" \
	'1 {"bad_values":["quota"],"bad_properties":["nics","vcpus"],"missing_properties":[]}'
vm validate update -f "$dir/v.json"
is "validate update needs a brand" "$status $(first)" "2 Will not validate without a valid action and brand."

# ---- killed, failing

old='{ "alias": "old", "quota": 2, "update_nics": [{ "mac": "02:00:00:00:00:09", "ips": ["10.99.0.30/24"] }] }'
new='{ "alias": "new", "quota": QUOTA, "update_nics": [{ "mac": "02:00:00:00:00:09", "ips": ["10.99.0.31/24"] }] }'
# Which of the two is it, the record, the claims and the pool all agreeing?
which_one() {
	vm check
	[ "$status" -eq 0 ] || { echo "check says: $out"; return; }
	[ -z "$(ls "$root/etc/zones/.journal")" ] || { echo "a journal"; return; }
	printf '%s %s %s\n' "$(get .alias)" "$(get .quota)" "$(claims | grep -o '10\.99[0-9.]*')"
}
either() { # either NAME GOT
	case $2 in
	"old 2 10.99.0.30" | "new $quota 10.99.0.31") ok "$1: $2" 0 ;;
	*) ok "$1: $2" 1 ;;
	esac
}
for quota in 5 1; do
	change "$old"
	DAIS_FAULT_LOG=1 change "${new/QUOTA/$quota}"
	steps=$(grep -c '^step' "$dir/err")
	[ "$steps" -gt 0 ] || break
	for n in $(seq "$steps"); do
		change "$old"
		DAIS_CRASH_AT=$n change "${new/QUOTA/$quota}" 2>/dev/null
		vm check --repair
		either "quota $quota: killed at step $n" "$(which_one)"
		change "$old"
		DAIS_CRASH_AT=$n change "${new/QUOTA/$quota}" 2>/dev/null
		change "${new/QUOTA/$quota}"
		is "quota $quota: the same again after step $n" "$(which_one)" "new $quota 10.99.0.31"
		change "$old"
		DAIS_FAIL_AT=$n change "${new/QUOTA/$quota}"
		vm check --repair
		either "quota $quota: failed at step $n" "$(which_one)"
	done
done
[ "$steps" -gt 0 ] || echo "# this build counts no steps: make MODE=dev programs"

pid=$(get .pid)
[ "$pid" -gt 1 ] && [ -d "/proc/$pid" ]
ok "the zone runs through all of it" $?
# An update that was cut short, and then somebody took the record away by hand.
if [ "$steps" -gt 0 ]; then
	DAIS_CRASH_AT=1 vm update $other alias=lost 2>/dev/null
	[ -e "$root/etc/zones/.journal/$other.json" ]
	ok "the update was cut short" $?
	mv "$root/etc/zones/$other.json" "$dir/kept.json"
	vm check --repair
	[ -d "$zones/$other/root/etc" ] && [ ! -e "$root/etc/zones/.journal/$other.json" ]
	ok "without its record it is given up, and what the VM stores stays" $?
	mv "$dir/kept.json" "$root/etc/zones/$other.json"
	vm check --repair
	vm start $other
	is "with the record back the VM is" "$status" 0
fi
vm delete $u
vm delete $other
is "nothing is left" "$(leftovers)" ""
finish
