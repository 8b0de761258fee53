#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What init need not wait for is mounted once it has begun, without a hook: a zone's
# snapshots are there when its start returns, as they would be from the beginning. A zone
# that has file systems of the host has all of it before its init begins.
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 1a7e0000-0000-4000-8000-%012x $$)
own=$u
mountinfo() { awk -v at="$1" '$5 == at { print $6 }' "/proc/$(jq .pid "$root/run/dais/$u/state.json")/mountinfo"; }
has_flags() { # has_flags AT FLAG...: all of them, of one mount
	local flags flag
	flags=,$(mountinfo "$1"),
	shift
	for flag; do
		[[ $flags == *",$flag,"* ]] || return 1
	done
}
was_hooked() { [ -e "$root/run/dais/$u/mounts.json" ]; }
warnings() { jq -r '.warnings[]' "$root/run/dais/$u/state.json" | grep '^snapshots\|^filesystems'; }

vm create <<<"$(payload '"uuid": "'"$u"'", "alias": "late", "autoboot": false')"
is "a zone is made" "$status" 0
vm create-snapshot "$u" before
is "with a snapshot" "$status" 0
for n in 1 2; do
	vm start "$u"
	is "it starts ($n)" "$status" 0
	has_flags /checkpoints ro nodev
	ok "its snapshots are there at once, read-only and without devices ($n)" $?
	! was_hooked
	ok "and no hook was run ($n)" $?
	[ "$n" = 2 ] || vm stop -F "$u"
done
is "nothing of them is warned of" "$(warnings)" ""
is "they are seen with the zone's own ids" \
	"$(in_zone "$u" stat -c '%u:%g %a' /checkpoints/before/etc)" "0:0 755"
in_zone "$u" mount -o remount,bind,rw /checkpoints 2>/dev/null
[ $? -ne 0 ] && has_flags /checkpoints ro
ok "its root cannot make them writable" $?
in_zone "$u" umount /checkpoints
vm create-snapshot "$u" later
is "nor does it harm that it takes them away" "$status $(vm list -Ho state; echo $out)" "0 running"
vm stop -F "$u"

# The name is something else, as a guest left it: that is told, and reaches nothing.
rmdir "$zones/$u/root/checkpoints"
mkdir "$dir/elsewhere"
ln -s "$dir/elsewhere" "$zones/$u/root/checkpoints"
vm start "$u"
is "with a link in their place it starts" "$status" 0
is "and says what it lacks" "$(warnings)" "snapshots: '/checkpoints' of the image is no folder"
vm stop -F "$u"
rm "$zones/$u/root/checkpoints"

vm update "$u" <<<'{ "add_filesystems": [{ "type": "tmpfs", "target": "/mem" }] }'
is "it gets a file system" "$status" 0
vm start "$u"
is "it starts" "$status" 0
was_hooked
ok "now a hook mounts before init begins" $?
[ -n "$(mountinfo /mem)" ] && has_flags /checkpoints ro nodev
ok "both are there" $?
vm delete "$u"
is "nothing is left" "$status $(leftovers)" "0 "
finish
