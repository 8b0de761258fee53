#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Images that are squashfs file systems, of the real program with each of its compressors. What
# was cut or changed is refused or is not what was asked for, and leaves nothing.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in jq mksquashfs setfattr setcap; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
make_pool 1G
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf"

uuid() { printf '%08x-4444-4222-8333-444444444444' "$1"; }
install() {
	manifest "$1" "$(uuid "$2")" | jq "${3:-.}" >"$dir/m.json"
	imgadm install -q -m "$dir/m.json" -f "$1"
}
rootfs() { echo "$zones/images/$(uuid "$1")/rootfs"; }
facts() {
	(cd "$1" && find . ! -type b ! -type c ! -type s ! -type d -printf '%p %y %m %U:%G %n %Ts %l\n' -o -type d -printf '%p %m %U:%G %Ts\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum && find . -print0 | sort -z | xargs -0 getfattr -h -d -m '^user|capability' 2>/dev/null)
}
squash() { # FILE [OPTION...]
	local file=$1
	shift
	rm -f "$file"
	mksquashfs "$dir/src" "$file" -quiet -no-progress "$@" >"$dir/mk.log" 2>&1 || sed 's/^/# /' "$dir/mk.log"
}

src=$dir/src
mkdir -p "$src/etc/deep/er" "$src/dev" "$src/bin" "$src/many"
echo hello >"$src/etc/hello"
ln "$src/etc/hello" "$src/etc/deep/again"
ln -s ../etc/hello "$src/bin/link"
for n in 0 1 131071 131072 131073 1000000; do head -c $n /dev/urandom >"$src/bin/$n"; done
seq 200000 >"$src/bin/text"
head -c 1000 /dev/urandom >"$src/bin/su"
setcap cap_net_raw=ep "$src/bin/su"
chown 7:8 "$src/bin/text"
chmod 4751 "$src/bin/text"
truncate -s 5M "$src/sparse"
echo end >>"$src/sparse"
for n in $(seq 700); do echo "$n" >"$src/many/a file with a name $n"; done
mkfifo -m 640 "$src/fifo"
mknod "$src/dev/null" c 1 3
setfattr -n user.note -v value "$src/etc/hello"
setfattr -n user.large -v "$(printf 'x%.0s' $(seq 2000))" "$src/etc"
touch -h -d @1600000000 "$src/bin/link" "$src/etc/hello" "$src/etc" "$src"
want=$(facts "$src")

n=1
for how in gzip xz zstd lz4 "gzip -b 4096 -no-fragments" "gzip -noI -noD -noF -noX" "xz -b 1M -Xbcj x86"; do
	# shellcheck disable=SC2086  # words
	squash "$dir/$n" -comp $how
	install "$dir/$n" $n
	is "installs a squashfs ($how)$err" "$status" 0
	is "which is the tree" "$(facts "$(rootfs $n)")" "$want"
	n=$((n + 1))
done
is "devices are left out, and counted" \
	"$(ls "$(rootfs 1)/dev")$(jq .unpacked.devices_left_out "$zones/images/$(uuid 1)/meta.json")" 1
[ "$(stat -c %b "$(rootfs 1)/sparse")" -lt 1000 ]
ok "holes stay holes" $?

squash "$dir/bad" -comp lzo
if [ -s "$dir/bad" ]; then
	install "$dir/bad" 20
	[ "$status" -eq 1 ] && [[ $err == *"compressed by lzo"* ]]
	ok "refuses lzo by name" $?
fi
install "$dir/1" 20 ".origin=\"$(uuid 1)\""
[ "$status" -eq 1 ] && [[ $err == *"the manifest names an origin"* ]]
ok "refuses an origin" $?
chown 70000 "$src/etc/hello"
squash "$dir/bad" -comp gzip
install "$dir/bad" 20
[ "$status" -eq 1 ] && [[ $err == *"belongs to 70000:0"* ]]
ok "refuses owners that no zone has" $?
size=$(stat -c %s "$dir/1")
for cut in 50 96 5000 $((size / 2)) $((size - 5000)); do
	head -c "$cut" "$dir/1" >"$dir/bad"
	install "$dir/bad" 20
	[ "$status" -eq 1 ] && [[ $err != *signal* ]]
	ok "refuses one cut at $cut" $?
done
for at in 5 13 17 20 24 29 34 49 65 73 81 57 $(seq $((size - 6000)) 600 $((size - 100))); do
	python3 -c "
import sys
d = bytearray(open(sys.argv[1], 'rb').read()); d[int(sys.argv[2])] ^= 0x55
open(sys.argv[3], 'wb').write(d)" "$dir/1" "$at" "$dir/bad"
	install "$dir/bad" 20
	[ "$status" -eq 0 ] && imgadm delete "$(uuid 20)"
	[[ $err != *signal* ]] || hurt=$at
done
is "no changed byte hurts the reader" "${hurt:-none}" none
is "what was refused left nothing" "$(ls "$zones/images" | wc -l) $(ls -A "$zones/images/.partial" | wc -l)" "7 0"
finish
