#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What vacuum leaves by --older-than and --keep, of images that nothing needs and of others.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
command -v jq >/dev/null || skip "'jq' is not installed"
make_pool 1G
mkdir -p "$root/var/imgadm" "$root/etc/zones"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything
uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
mkdir "$dir/tree"
echo x >"$dir/tree/x"
tar -C "$dir/tree" -cf "$dir/tree.tar" .

# image N NAME PUBLISHED DAYS [JQ]: installed so many days ago.
image() { # age N HOURS
	manifest "$dir/tree.tar" "$(uuid "$1")" | jq --arg n "$2" --arg at "$3T00:00:00.000Z" ".name = \$n | .published_at = \$at | ${5:-.}" >"$dir/m.json"
	imgadm install -q -m "$dir/m.json" -f "$dir/tree.tar"
	[ "$status" -eq 0 ] || echo "# $err"
	age "$1" $(($4 * 24))
}
age() { # age N HOURS
	local meta
	meta=$zones/images/$(uuid "$1")/meta.json
	jq --arg at "$(date -u -d "now - $2 hours" +%FT%T.000Z)" '.installed_at = $at' "$meta" >"$dir/meta" && cp "$dir/meta" "$meta"
}
# The numbers of the images that go, in their order; the exact list is the answer.
goes() { imgadm vacuum -n -j "$@"; jq -r '.[].uuid[0:8]' <<<"$out" | sort | while read -r n; do printf '%d ' $((16#$n)); done; }

image 1 debian 2024-01-01 400
image 2 debian 2025-01-01 100
image 3 debian 2026-01-01 10
image 4 alpine 2020-01-01 5
image 5 derived 2021-01-01 5 ".origin = \"$(uuid 1)\""
docker='.type = "docker" | .tags = {"docker:repo": "r/x"}'
image 6 docker-layer 2022-01-01 50 "$docker"
image 7 docker-layer 2022-01-01 50 "$docker | .tags.\"docker:tag:1\" = true"
image 8 docker-layer 2023-01-01 50 "$docker | .tags.\"docker:tag:2\" = true"

is "without a rule all go" "$(goes)" "1 2 3 4 5 6 7 8 "
is "30 days: what is younger stays, and what that was made from" "$(goes --older-than 30)" "2 6 7 8 "
imgadm vacuum -n -v --older-than 30
is "... for reasons" "$(grep -c 'it was installed in the last 30 days' <<<"$err") $(grep -c "image $(uuid 5) has it as its origin" <<<"$err")" "3 1"
is "the newest of each name stay, layers have none" "$(goes --keep 1)" "2 6 7 "
imgadm vacuum -n -v --keep 2
is "the newest two" "$(grep -c 'it is one of the newest 2 of its name' <<<"$err") $(awk '{print $4}' <<<"$out" | cut -c8)" "6 6"
is "both: either is a reason to stay" "$(goes --keep 1 --older-than 75)" "2 "
is "an hour less than the days" "$(age 2 719; goes --older-than 30)" "6 7 8 "
jq 'del(.installed_at)' "$zones/images/$(uuid 8)/meta.json" >"$dir/meta"
cp "$dir/meta" "$zones/images/$(uuid 8)/meta.json"
is "what has no date stays" "$(goes --older-than 30)" "6 7 "
imgadm vacuum -n -v --older-than 30
is "... and it is said why" "$(grep -c "^keeping image $(uuid 8) .*: when it was installed is not known$" <<<"$err")" 1

vm=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
echo "{\"uuid\":\"$vm\",\"image_uuid\":\"$(uuid 6)\"}" >"$root/etc/zones/$vm.json"
imgadm vacuum -f --older-than 30
is "what a VM needs stays whatever its age" "$status $out" "0 Deleted image $(uuid 7) (docker-layer@1.0)"
is "... and only that was deleted" "$("$bin/imgadm" list -H --root "$root" | wc -l)" 7

for word in 0 -1 x 1x "" 99999999999999999999 +3; do
	imgadm vacuum -n --keep "$word"
	is "--keep '$word'" "$status ${err%%$'\n'*}" "1 imgadm vacuum: error (Usage): --keep is a number from 1 to 1000000, not '$word'"
done
imgadm vacuum -n --older-than 36501
is "--older-than has an end" "$status ${err%%$'\n'*}" "1 imgadm vacuum: error (Usage): --older-than is a number from 1 to 36500, not '36501'"
finish
