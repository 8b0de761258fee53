#!/bin/bash
# SPDX-License-Identifier: MIT
#
# mkpool: a pool in a file and on a device, what it refuses, and that a failure
# leaves neither a loop device, nor a mount, nor a file.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"

file=$dir/pool.img
mkpool() { run "$bin/mkpool" "$@" --root "$root"; }
loops() { losetup -l -n -O BACK-FILE | grep -cF "$dir"; }

# What a mkpool that was killed had begun is in nobody's way.
printf 'half a file system' >"$file.new"
mkpool --file "$file" --size 1G --json
is "makes a pool in a file" "$status" 0
is "and says so on standard error" "$err" "mkpool: making a file system in $file
mkpool: the pool is mounted at $zones"
is "and what it is in JSON" "$(printf '%s' "$out" | python3 -c 'import json,sys; d = json.load(sys.stdin)
print(d["changed"], d["driver"], d["mountpoint"], d["size"])')" "True btrfs $zones 1073741824"
is "the label is zones" "$(btrfs filesystem label "$zones")" zones
is "nothing is left of a dead one" "$(ls "$dir" | grep -c '[.]new$')" 0
is "images are for root alone" "$(stat -c %a "$zones/images")" 700
is "one loop device" "$(loops)" 1
grep -q " $zones btrfs .*noatime" /proc/mounts && grep " $zones " /proc/mounts | grep -q nodev
ok "mounted with noatime and nodev" $?
is "pool.json remembers the file" "$(tr -d ' \n' <"$root/etc/dais/pool.json")" "{\"file\":\"$file\"}"

mkpool --file "$file" --size 1G
is "a second time there is nothing to do" "$status $err" "0 mkpool: the pool is mounted already"
mkpool --file "$dir/other.img" --size 1G
is "another pool in its place is refused" "$status $err" "1 mkpool: another pool is mounted at '$zones'"
[ ! -e "$dir/other.img" ]
ok "and its file was not made" $?

mkdir -p "$root/run/dais/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
printf '{ "state": "running", "pid": %s, "pid_start": %s }\n' $$ "$(cut -d' ' -f22 /proc/$$/stat)" \
	>"$root/run/dais/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/state.json"
mkpool --unmount
is "does not unmount under a VM that runs" "$status $err" \
	"1 mkpool: VM 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' runs; stop it first"
printf '{ "state": "running", "pid": %s, "pid_start": 1 }\n' $$ \
	>"$root/run/dais/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/state.json"
mkpool --unmount
is "a stale state file does not stop it" "$status $err" "0 mkpool: unmounted the pool"
is "the loop device is gone with the mount" "$(loops)" 0
mkpool --unmount
is "unmounting twice is fine" "$status $err" "0 mkpool: the pool is not mounted"

mkpool --file "$file" --size 1G
is "does not overwrite a pool" "$status $err" "1 mkpool: '$file' exists and holds data; mount it by \
'mkpool --mount --file $file', or --force destroys it"
mkpool --mount
is "mounts what it remembers" "$status $err" "0 mkpool: mounted the pool at $zones"
mkpool --mount
is "mounting twice is fine" "$status $err" "0 mkpool: the pool is mounted already"
mkpool -q --unmount
touch "$zones/precious"
mkpool --mount
is "does not hide files below the mount point" "$status $err" \
	"1 mkpool: '$zones' is not empty; the pool would hide what is in it"
rm "$zones/precious"

printf 'data' >"$dir/data"
mkpool --file "$dir/data" --size 1G
is "does not overwrite a file" "$status $err" "1 mkpool: '$dir/data' exists (4 bytes); --force replaces it"
mkpool --file "$dir/small" --size 1M
is "refuses a size that holds no image" "$status $err" "1 mkpool: --size must be at least 256 MiB"
ln -s "$dir/data" "$dir/link"
mkpool --file "$dir/link" --size 1G --force
is "does not follow a link" "$status $err" "1 mkpool: '$dir/link' is not a regular file"

# mkfs fails: nothing may stay.
mkdir "$dir/path"
printf '#!/bin/sh\necho "mkfs: the disk is on fire" >&2\nexit 1\n' >"$dir/path/mkfs.btrfs"
chmod +x "$dir/path/mkfs.btrfs"
PATH=$dir/path:$PATH mkpool --file "$dir/new.img" --size 1G
is "a failing mkfs is told" "$status ${err##*mkpool: }" \
	"1 cannot make a file system on '$dir/new.img.new': 'mkfs.btrfs' failed with status 1: mkfs: the disk is on fire"
is "and leaves nothing" "$(ls "$dir" | grep -c new.img) $(loops)" "0 0"

mkpool -q --mount --file /nonexistent
is "a file that is missing" "$status $err" \
	"1 mkpool: cannot open '/nonexistent': No such file or directory"

# A block device: a loop device of ours.
truncate -s 512M "$dir/disk"
disk=$(losetup -f --show "$dir/disk") || skip "no loop device"
trap 'cleanup; losetup -d "$disk" 2>/dev/null' EXIT
mkpool "$dir/data"
is "a file is no device" "$status $err" \
	"1 mkpool: '$dir/data' is not a block device; use --file for a file"
mkpool "$disk"
is "makes a pool on a device" "$status" 0
mkdir "$dir/second"
run "$bin/mkpool" --force "$disk" --root "$dir/second"
is "a mounted device is not touched" "$status $err" "1 mkpool: '$disk' is in use: it, or a partition of \
it, is mounted, swapped to, or part of another device"
mkpool -q --unmount
mkpool "$disk"
is "a device with data is named and spared" "$status $err" \
	"1 mkpool: '$disk' holds data (btrfs zones); --force destroys it"
mkpool -q --force "$disk"
is "and destroyed by --force" "$status" 0
mkpool -q --unmount
mkpool -q --mount
is "a device is remembered" "$status" 0
mkpool -q --unmount

# Two devices: everything is there twice.
truncate -s 512M "$dir/disk2"
disk2=$(losetup -f --show "$dir/disk2") || skip "no loop device"
trap 'cleanup; losetup -d "$disk" "$disk2" 2>/dev/null' EXIT
mkpool -q --force "$disk" "$disk2"
is "makes a pool on two devices" "$status $err" "0 "
btrfs filesystem df "$zones" | grep -q '^Data, RAID1:'
ok "which mirror each other" $?
mkpool -q --unmount
btrfs device scan --forget "$disk" "$disk2"
mkpool -q --mount
is "and are mounted without being scanned first" "$status $err" "0 "
mkpool -q --unmount

mkpool
is "wrong use is status 2" "$status" 2
mkpool --mount --unmount
is "two orders at once are wrong use" "$status" 2
finish
