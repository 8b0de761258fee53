#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Images that are btrfs send streams, of the real program: full ones, and those that go on from an
# origin. What does not fit, was cut or changed is refused, and leaves nothing.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in jq zstd setfattr; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
make_pool 1G
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf"

uuid() { printf '%08x-3333-4222-8333-444444444444' "$1"; }
# install FILE N [JQ]: the manifest is changed by JQ.
install() {
	manifest "$1" "$(uuid "$2")" | jq "${3:-.}" >"$dir/m.json"
	imgadm install -q -m "$dir/m.json" -f "$1"
}
rootfs() { echo "$zones/images/$(uuid "$1")/rootfs"; }
facts() {
	(cd "$1" && find . ! -type b ! -type c ! -type s -printf '%p %y %m %U:%G %n %T@ %l\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum && getfattr -R -h -d -m '^user' . 2>/dev/null)
}
send() { # FILE SUBVOLUME [OPTION...]
	local file=$1 from=$2
	shift 2
	btrfs property set -ts "$from" ro true
	btrfs -q send "$@" "$from" >"$file" 2>"$dir/send.err" || sed 's/^/# /' "$dir/send.err"
}

src=$zones/src
btrfs -q subvolume create "$src" >/dev/null
mkdir -p "$src/etc/deep/er" "$src/dev/pts" "$src/bin"
echo hello >"$src/etc/hello"
ln "$src/etc/hello" "$src/etc/deep/again"
ln -s ../etc/hello "$src/bin/link"
head -c 1000000 /dev/urandom >"$src/bin/su"
chown 7:8 "$src/bin/su"
chmod 4751 "$src/bin/su"
cp --reflink=always "$src/bin/su" "$src/bin/shared"
truncate -s 50M "$src/sparse"
echo end >>"$src/sparse"
mkfifo "$src/fifo"
mknod "$src/dev/null" c 1 3
ln "$src/dev/null" "$src/dev/zero"
mknod "$src/dev/pts/disk" b 7 0
setfattr -n user.note -v value "$src/bin/su"
setfattr -n trusted.host -v value "$src/etc"
touch -h -d @1600000000.5 "$src/bin/link" "$src/etc/hello" "$src/dev" "$src/dev/pts" "$src"
sync -f "$src"
want=$(facts "$src")

send "$dir/full" "$src"
zstd -q "$dir/full"
install "$dir/full.zst" 1
is "installs a stream" "$status" 0
is "files, owners, modes, times, links and attributes are the subvolume's" \
	"$(facts "$(rootfs 1)")" "$want"
is "devices are left out, and counted" \
	"$(find "$(rootfs 1)/dev" -mindepth 1 -printf '%P ')$(jq .unpacked.devices_left_out "$zones/images/$(uuid 1)/meta.json")" "pts 2"
is "meta.json says what it is" "$(jq -r .file.format "$zones/images/$(uuid 1)/meta.json")" "btrfs send stream"
[ "$(stat -c %b "$(rootfs 1)/sparse")" -lt 100 ]
ok "holes stay holes" $?
is "attributes of the host do not come in" "$(getfattr -h -d -m - "$(rootfs 1)/etc")" ""

# ---- on top of an origin
btrfs -q subvolume snapshot "$src" "$zones/next" >/dev/null
next=$zones/next
rm "$next/dev/pts/disk" "$next/etc/hello"
mv "$next/dev" "$next/devices"
mv "$next/bin/su" "$next/etc/su"
echo more >>"$next/sparse"
mknod "$next/devices/tty" c 5 0
touch -d @1600000001.5 "$next/devices" "$next/devices/pts" "$next/etc" "$next"
sync -f "$next"
send "$dir/next" "$next" -p "$src"
install "$dir/next" 2 ".origin=\"$(uuid 1)\""
is "installs what changed since$err" "$status" 0
is "the tree is the new one" "$(facts "$(rootfs 2)")" "$(facts "$next")"
is "the origin's is what it was" "$(facts "$(rootfs 1)")" "$want"
install "$dir/next" 3
is "not without its origin" "$status ${err##*: }" "1 it is incremental, and the manifest names no origin"
install "$dir/full" 3 ".origin=\"$(uuid 1)\""
is "nor a full stream on top of one" "$status ${err##*: }" "1 it is a full one, and the manifest names an origin"
install "$dir/next" 3 ".origin=\"$(uuid 2)\""
is "nor on top of another snapshot" "$status ${err##*: }" "1 it goes on from another snapshot than the origin's"
tar -C "$src" -cf "$dir/plain.tar" etc
install "$dir/plain.tar" 4
install "$dir/next" 3 ".origin=\"$(uuid 4)\""
is "nor on top of a tar" "$status ${err##*: }" "1 it is incremental, and the origin did not come as a btrfs stream"

# ---- version 2: writes larger than 64 KiB, and extents as the file system has them
pack=$zones/pack
btrfs -q subvolume create "$pack" >/dev/null
for how in zlib zstd none; do
	mkdir "$pack/$how"
	btrfs property set "$pack/$how" compression $how
	yes "words of $how" | head -c 700001 >"$pack/$how/words"
	head -c 300000 /dev/urandom >"$pack/$how/noise"
done
sync -f "$pack"
# A part of an extent: its middle is overwritten, and its beginning cut away.
head -c 5000 /dev/urandom | dd of="$pack/zstd/words" bs=1000 seek=150 conv=notrunc status=none
fallocate -p -o 0 -l 8192 "$pack/zlib/words"
sync -f "$pack"
if btrfs property set -ts "$pack" ro true &&
	btrfs -q send --proto 2 "$pack" >"$dir/v2" 2>"$dir/send.err"; then
	install "$dir/v2" 6
	is "installs a stream of version 2$err" "$status $(facts "$(rootfs 6)" | sha1sum)" "0 $(facts "$pack" | sha1sum)"
	send "$dir/packed" "$pack" --proto 2 --compressed-data
	[ "$(stat -c %s "$dir/packed")" -lt "$(stat -c %s "$dir/v2")" ]
	ok "... and one with compressed extents is smaller" $?
	install "$dir/packed" 7
	is "... and installs as the same$err" "$status $(facts "$(rootfs 7)" | sha1sum)" "0 $(facts "$pack" | sha1sum)"
	btrfs property set -f -ts "$pack" ro false
	btrfs property set "$pack/none" compression lzo
	yes "more words" | head -c 400000 >"$pack/none/lzo"
	sync -f "$pack"
	send "$dir/lzo" "$pack" --proto 2 --compressed-data
	install "$dir/lzo" 8
	[ "$status" -eq 1 ] && [[ $err == *"LZO compressed: 'btrfs send' without --compressed-data"* ]]
	ok "what LZO compressed is refused by name" $?
	cut=0
	for size in $(($(stat -c %s "$dir/packed") / 2)) $(($(stat -c %s "$dir/packed") - 1)); do
		head -c "$size" "$dir/packed" >"$dir/bad"
		install "$dir/bad" 8
		[ "$status" -eq 1 ] && [[ $err != *signal* ]] && cut=$((cut + 1))
	done
	is "one that is cut off is refused" $cut 2
	for n in 6 7; do imgadm delete "$(uuid $n)"; done
else
	echo "# no stream of version 2 can be made here: $(cat "$dir/send.err")"
fi
btrfs -q subvolume delete "$pack" >/dev/null

# ---- refused
cat "$dir/full" "$dir/full" >"$dir/bad"
install "$dir/bad" 5
is "refuses two in one" "$status ${err##*: }" "1 something follows its end; an image is one subvolume"
cp "$dir/full" "$dir/bad"
printf '\3' | dd of="$dir/bad" bs=1 seek=13 conv=notrunc status=none
install "$dir/bad" 5
[ "$status" -eq 1 ] && [[ $err == *"it is of version 3, and 1 and 2 are known"* ]]
ok "refuses version 3 by name" $?
btrfs -q subvolume create "$zones/far" >/dev/null
touch "$zones/far/file"
chown 70000 "$zones/far/file"
send "$dir/bad" "$zones/far"
install "$dir/bad" 5
[ "$status" -eq 1 ] && [[ $err == *"70000:0, which no zone has"* ]]
ok "refuses owners that no zone has" $?
size=$(stat -c %s "$dir/full")
for cut in 16 17 30 1000 $((size / 2)) $((size - 1)); do
	head -c "$cut" "$dir/full" >"$dir/bad"
	install "$dir/bad" 5
	[ "$status" -eq 1 ] && [[ $err != *signal* ]]
	ok "refuses a stream cut at $cut" $?
done
flipped=0
for at in 20 24 60 500 2000 $((size / 2)) $((size - 3)); do
	python3 -c "
import sys
d = bytearray(open(sys.argv[1], 'rb').read()); d[int(sys.argv[2])] ^= 4
open(sys.argv[3], 'wb').write(d)" "$dir/full" "$at" "$dir/bad"
	install "$dir/bad" 5
	[ "$status" -eq 1 ] && [[ $err != *signal* ]] && flipped=$((flipped + 1))
done
is "refuses a stream with one bit changed, wherever" $flipped 7
is "what was refused left nothing" "$(ls "$zones/images" | wc -l) $(ls -A "$zones/images/.partial" | wc -l)" "3 0"
finish
