#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What must not work, and must leave nothing: hostile images, a full pool, no pool,
# records that cannot be read.
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf ffffffff-0000-4000-8000-%012x $$)

# hostile NAME: installs the tree $dir/tree as an image; $image is its UUID.
hostile() {
	n=$((${n:-0} + 1))
	image=$(printf '%08x-2222-4222-8333-444444444444' $n)
	tar -C "$dir/tree" -cf "$dir/h.tar" .
	printf '{ "v": 2, "uuid": "%s", "name": "h", "version": "1", "type": "lx-dataset", "os": "linux",
		"published_at": "2026-01-02T03:04:05.678Z", "files": [{ "size": %s, "sha1": "%s",
		"compression": "none" }] }' "$image" "$(stat -c %s "$dir/h.tar")" \
		"$(sha1sum <"$dir/h.tar" | cut -d' ' -f1)" >"$dir/h.json"
	"$bin/imgadm" install -q --root "$root" -m "$dir/h.json" -f "$dir/h.tar" >/dev/null
	payload '"uuid": "'$u'", "autoboot": false, "resolvers": ["10.99.0.1"]' >"$dir/h.payload"
	rm -rf "$dir/tree"
}

echo untouched >"$dir/victim"
before=$(stat -c '%Y %s' "$dir/victim")
for target in "$dir" / .. ../../../../.. /proc/self/root; do
	mkdir "$dir/tree"
	ln -s "$target" "$dir/tree/etc"
	hostile
	vm create -f "$dir/h.payload"
	is "an image whose /etc is a link to '$target' is refused" "$status" 1
	is "and leaves nothing" "$(leftovers)" ""
done
is "nothing outside was written" "$(cat "$dir/victim") $(stat -c '%Y %s' "$dir/victim") \
$(ls "$dir/hostname" "$dir/hosts" /hostname 2>/dev/null)" "untouched $before "

mkdir -p "$dir/tree/etc" "$dir/tree/var"
ln -s "$dir/victim" "$dir/tree/etc/hostname"
ln -s ../../../../../../../../../../../../../../..$dir/victim "$dir/tree/etc/hosts"
mkfifo "$dir/tree/etc/resolv.conf"
hostile
vm create -f "$dir/h.payload"
is "links and pipes in place of files are replaced" "$status" 0
is "and what they led to is not written" "$(cat "$dir/victim")" untouched
[ -f "$zones/$u/root/etc/hostname" ] && [ ! -L "$zones/$u/root/etc/hostname" ] &&
	[ -f "$zones/$u/root/etc/resolv.conf" ]
ok "the zone has files there" $?
vm delete $u

mkdir -p "$dir/tree/etc/hostname/folder"
hostile
vm create -f "$dir/h.payload"
is "a folder in place of a file is refused" "$status" 1
is "and leaves nothing of it" "$(leftovers)" ""

# A full pool.
image=$(jq -r .uuid "$images/base.json")
payload '"uuid": "'$u'", "autoboot": false' >"$dir/p.json"
dd if=/dev/zero of="$zones/full" bs=1M >/dev/null 2>&1
dd if=/dev/zero of="$zones/full2" bs=4k >/dev/null 2>&1
sync -f "$zones"
vm create -f "$dir/p.json"
if [ "$status" -eq 0 ]; then
	vm get $u
	is "a full pool still had room, and the VM is whole" "$(jq -r .state <<<"$out")" stopped
	vm delete $u
	is "and can be deleted without room" "$status" 0
else
	grep -q 'No space left on device' "$dir/err"
	ok "a full pool is said in words" $?
fi
rm -f "$zones/full" "$zones/full2"
sync -f "$zones"
vm check --repair
is "and leaves nothing once there is room" "$(leftovers)" ""

# A full disk below the records.
mkdir -p "$dir/keep" && cp -a "$root/etc/zones/." "$dir/keep/" 2>/dev/null
mount -t tmpfs -o size=64k,nr_inodes=40 tmpfs "$root/etc/zones"
mkdir -p "$root/etc/zones/.claims" "$root/etc/zones/.journal"
dd if=/dev/zero of="$root/etc/zones/full" bs=4k >/dev/null 2>&1
vm create -f "$dir/p.json"
is "no room for the journal" "$status" 1
grep -q 'No space left on device' "$dir/err"
ok "is said in words" $?
is "and nothing was begun" "$(ls -A "$root/etc/zones/.claims" "$root/etc/zones/.journal" | grep -v ':$\|^$')
$(ls -A "$zones" | grep -v '^images$\|^system$')" "
"
umount "$root/etc/zones"

# A record that cannot be read.
vm create -f "$dir/p.json"
echo '{ "v": 1' >"$root/etc/zones/$u.json"
vm list -H
is "list goes on without a record that cannot be read" "$status $out" "0 "
grep -q '^warning: 1 records cannot be read' "$dir/err"
ok "and says so" $?
vm get $u
is "get says where it is wrong" "$status $(grep -c "$u.json:" "$dir/err")" "1 1"
vm check
is "check finds it" "$status" 1
vm delete $u
is "it can be deleted" "$status $(leftovers)" "0 "

umount "$zones"
vm create -f "$dir/p.json"
is "without a pool there is no image" "$status $(head -1 "$dir/err")" "1 Invalid value(s) for: image_uuid"
finish
