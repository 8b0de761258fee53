#!/bin/bash
# SPDX-License-Identifier: MIT
#
# vmadm is killed, or fails, after each of its steps in turn. Afterwards "vmadm
# check --repair" has to find the old state or the new one and nothing besides.
# A dev build counts the steps (src/librecord/fault.h).
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf cccccccc-0000-4000-8000-%012x $$)
other=${u/cccccccc/dddddddd}
own=$u
payload '"uuid": "'$u'", "alias": "c", "autoboot": false, "resolvers": ["10.99.0.1"],
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"], "mac": "02:00:00:00:00:09" },
		{ "nic_tag": "stub0", "ip": "dhcp" }]' >"$dir/stopped.json"
sed 's/"autoboot": false/"autoboot": true/' "$dir/stopped.json" >"$dir/running.json"

DAIS_FAULT_LOG=1 vm create -f "$dir/stopped.json"
steps=$(grep -c '^step' "$dir/err")
[ "$steps" -gt 0 ] || skip "this build counts no steps: make MODE=dev programs"
DAIS_FAULT_LOG=1 vm delete $u
delete_steps=$(grep -c '^step' "$dir/err")
is "nothing is left in the beginning" "$(leftovers)" ""

# whole: the VM is there and right; gone: nothing of it is.
state() {
	vm check
	[ "$status" -eq 0 ] || { echo "check says: $out"; return; }
	if "$bin/vmadm" --root "$root" get $u >"$dir/vm" 2>/dev/null; then
		if [ -s "$zones/$u/root/etc/hostname" ] && [ -s "$zones/$u/root/etc/hosts" ] &&
			[ "$(ls "$root/etc/zones/.claims" | wc -l)" -eq 4 ] &&
			[ -z "$(ls "$root/etc/zones/.journal")" ]; then
			echo whole
		else
			echo "a VM that is not whole"
		fi
	else
		local left
		left=$(leftovers | tr '\n' ' ')
		echo "${left:-gone}"
	fi
}

reset() {
	vm check --repair
	"$bin/vmadm" --root "$root" delete $u >/dev/null 2>&1
}

either() { # either NAME GOT: whole or gone
	case $2 in
	whole | gone) ok "$1: $2" 0 ;;
	*) ok "$1: $2" 1 ;;
	esac
}

for n in $(seq "$steps"); do
	reset
	DAIS_CRASH_AT=$n vm create -f "$dir/stopped.json" 2>/dev/null
	killed=$status
	vm check --repair
	either "create killed at step $n (status $killed)" "$(state)"
	reset
	DAIS_CRASH_AT=$n vm create -f "$dir/stopped.json" 2>/dev/null
	vm create -f "$dir/stopped.json"
	is "the same create again, after step $n" "$(state)" whole
	reset
	DAIS_FAIL_AT=$n vm create -f "$dir/stopped.json"
	failed=$status
	vm check
	either "create failed at step $n (status $failed) leaves nothing to mend" "$(state)"
done

for n in $(seq "$delete_steps"); do
	reset
	vm create -f "$dir/stopped.json"
	DAIS_CRASH_AT=$n vm delete $u 2>/dev/null
	vm check --repair
	either "delete killed at step $n" "$(state)"
	reset
	vm create -f "$dir/stopped.json"
	DAIS_CRASH_AT=$n vm delete $u 2>/dev/null
	vm delete $u
	is "the same delete again, after step $n" "$(state)" gone
	vm create -f "$dir/stopped.json"
	DAIS_FAIL_AT=$n vm delete $u
	vm check --repair
	either "delete failed at step $n" "$(state)"
done

# With a zone that is started: killed before the start, and after it.
reset
# Its root has one file more, which is one step more.
for n in "$steps" $((steps + 1)); do
	DAIS_CRASH_AT=$n vm create -f "$dir/running.json" 2>/dev/null
	vm check --repair
	is "create killed around the start of the zone, step $n" "$(state)" whole
	DAIS_CRASH_AT=1 vm delete $u 2>/dev/null
	vm check --repair
	is "delete of it killed at its first step" "$(state)" gone
done

# A start whose command is killed goes on; the same command again finds or waits for it,
# and stores what the first could not.
reset
vm create -f "$dir/stopped.json"
DAIS_CRASH_AT=1 vm start $u 2>/dev/null
vm start $u
is "a start again after one that was killed" \
	"$status $(jq .autoboot "$root/etc/zones/$u.json")" "0 true"
jq '.autoboot = false' "$root/etc/zones/$u.json" >"$dir/record"
cp "$dir/record" "$root/etc/zones/$u.json"
vm start $u
is "a start of a VM that runs stores it, too" \
	"$status $(jq .autoboot "$root/etc/zones/$u.json")" "0 true"
vm delete $u

# Another VM may have what a killed create had claimed, without anybody mending it first.
DAIS_CRASH_AT=5 vm create -f "$dir/stopped.json" 2>/dev/null
[ -n "$(ls "$root/etc/zones/.claims")" ]
ok "a killed create leaves claims" $?
sed 's/cccccccc/dddddddd/' "$dir/stopped.json" >"$dir/other.json"
vm create -f "$dir/other.json"
is "and another create takes them over" "$status" 0
vm delete "$other"
is "nothing is left in the end" "$(leftovers)" ""
finish
