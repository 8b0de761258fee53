#!/bin/bash
# SPDX-License-Identifier: MIT
#
# "archive_on_delete": what is kept of a VM, and that a deletion which is killed at any
# step keeps it whole.
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf eeeeeeee-0000-4000-8000-%012x $$)
own=$u
payload '"uuid": "'$u'", "alias": "kept", "autoboot": false, "archive_on_delete": true' >"$dir/payload"
create() {
	vm create -f "$dir/payload"
	mkdir -p "$zones/$u/logs"
	echo words >"$zones/$u/logs/console.log"
	ln -sf /etc/passwd "$zones/$u/logs/link"
}
kept() { # what the archive has
	echo "$(jq -r .alias "$zones/archive/$u/record.json" 2>&1) $(ls -A "$zones/archive/$u/logs" 2>&1 | tr '\n' ' ')"
}

create
is "the VM is made" "$status" 0
vm delete $u
is "without a folder for it nothing is kept" "$status $(ls -d "$zones/archive" 2>/dev/null)" "0 "
mkdir -m 700 "$zones/archive"
create
DAIS_FAULT_LOG=1 vm delete $u
steps=$(grep -c '^step' "$dir/err")
is "record and logs are kept, links are not" "$(kept)" "kept console.log "
is "a log is what it was" "$(cat "$zones/archive/$u/logs/console.log")" words
is "nobody else may read it" "$(stat -c %a "$zones/archive/$u" "$zones/archive/$u/logs/console.log" | tr '\n' ' ')" "700 600 "
vm check
is "check has nothing to say to it" "$status" 0
sed 's/"archive_on_delete": true/"archive_on_delete": false/' "$dir/payload" >"$dir/not" && rm -rf "$zones/archive/$u"
vm create -f "$dir/not"
vm delete $u
is "who did not ask for it is not kept" "$(ls -A "$zones/archive")" ""
create
ln -s /tmp "$zones/archive/$u"
vm delete $u
is "a link in the archive is refused, and the VM stays" "$status $(ls "$root/etc/zones/$u.json")" "1 $root/etc/zones/$u.json"
rm "$zones/archive/$u"
vm delete $u
is "until it is gone" "$(kept)" "kept console.log "
for n in $(seq "$steps"); do
	rm -rf "$zones/archive/$u"
	create
	DAIS_CRASH_AT=$n vm delete $u 2>/dev/null
	vm check --repair
	vm get $u
	[ "$status" -ne 0 ] || vm delete $u
	is "a deletion killed at step $n keeps it whole" "$(kept)" "kept console.log "
done
rm -rf "$zones/archive"
is "nothing is left" "$(leftovers)" ""
finish
