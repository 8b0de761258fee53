#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Many creates at once: none is lost, none is in another's way, and of two that
# want the same address exactly one gets it.
. "$(dirname "$0")/vmadm_lib.bash"
many=${DAIS_PARALLEL:-40}

for n in $(seq "$many"); do
	payload '"alias": "p'"$n"'", "autoboot": false,
		"nics": [{ "nic_tag": "admin", "ips": ["10.99.1.'"$n"'/16"] }]' |
		"$bin/vmadm" --root "$root" create >"$dir/out.$n" 2>&1 &
done
wait
is "every create succeeds" "$(cat "$dir"/out.* | grep -c '^Successfully created VM ')" "$many"
vm list -Hpo alias
is "every VM is listed" "$(sort -u <"$dir/out" | wc -l)" "$many"
is "every one has ids of its own" \
	"$(jq .idmap_base "$root"/etc/zones/*.json | sort -u | wc -l)" "$many"
vm check
is "check finds nothing wrong" "$status $out" "0 "

vm lookup
for uuid in $out; do
	"$bin/vmadm" --root "$root" delete "$uuid" >/dev/null 2>"$dir/del.$uuid" &
done
wait
is "all of them are deleted at once" "$(leftovers)" ""

for n in $(seq 20); do
	payload '"autoboot": false, "nics": [{ "nic_tag": "admin", "ips": ["10.99.2.'"$((n / 2))"'/16"] }]' |
		"$bin/vmadm" --root "$root" create >"$dir/pair.$n" 2>&1 &
done
wait
is "of two with the same address one is made" \
	"$(cat "$dir"/pair.* | grep -c '^Successfully') $(cat "$dir"/pair.* | grep -c '^Conflict')" "11 9"

# Twenty times the same UUID at once.
payload '"uuid": "eeeeeeee-0000-4000-8000-000000000005", "autoboot": false' >"$dir/same.json"
for n in $(seq 20); do
	"$bin/vmadm" --root "$root" create -f "$dir/same.json" >"$dir/same.$n" 2>&1 &
done
wait
is "of twenty with the same uuid one is made" \
	"$(cat "$dir"/same.* | grep -c '^Successfully') $(cat "$dir"/same.* | grep -c 'already exists$')" "1 19"

# Create and delete of one VM, over and over, from four sides.
for n in 1 2 3 4; do
	for i in 1 2 3 4 5; do
		"$bin/vmadm" --root "$root" create -f "$dir/same.json" 2>&1
		"$bin/vmadm" --root "$root" delete eeeeeeee-0000-4000-8000-000000000005 2>&1
	done >"$dir/race.$n" &
done
wait
vm check
is "a race over one VM leaves nothing to mend" "$status $out" "0 "

# A VM and its image may have the same UUID: their locks were one, and the create waited
# for itself.
payload '"uuid": "'"$image"'", "autoboot": false' >"$dir/same.json"
vm create -f "$dir/same.json"
is "a VM may have its image's uuid" "$status" 0
vm delete "$image"
is "and goes without it" "$status $("$bin/imgadm" list --root "$root" -Ho uuid)" "0 $image"
finish
