#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Images that are no tar: ZFS send streams of volumes and of file systems, full and on top of
# another; raw and qcow2 disks. What is refused leaves nothing, and memory does not grow with the image.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
here=$(cd "$(dirname "$0")" && pwd)
for tool in jq zstd; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
make_pool 12G # a sparse file
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything

uuid() { printf '%08x-2222-4222-8333-444444444444' "$1"; }

# install FILE N [JQ]: the manifest is changed by JQ.
install() {
	manifest "$1" "$(uuid "$2")" | jq "${3:-.}" >"$dir/m.json"
	imgadm install -q -m "$dir/m.json" -f "$1"
}
rootfs() { echo "$zones/images/$(uuid "$1")/rootfs"; }

stream() { python3 "$here/zstream.py" "$@" || echo "# zstream.py failed"; }
zvol='.type="zvol"|.nic_driver="virtio"|.disk_driver="virtio"|.cpu_type="host"|.image_size='

# ---- a volume
gib8=$((8 << 30))
stream volume "$dir/v" $gib8
zstd -q "$dir/v"
install "$dir/v.zst" 1 "${zvol}8192"
is "installs a volume's stream" "$status $err" "0 "
disk=$(rootfs 1)/disk0.raw
is "whose disk has its size, and takes what it holds" "$(stat -c '%s %a %U' "$disk") $(($(stat -c %b "$disk") / 256))" \
	"$gib8 600 root 1"
{ printf 'A%.0s' $(seq 8192) >"$dir/a"; head -c 1040384 /dev/zero; } >"$dir/z"
cat "$dir/a" "$dir/z" "$dir/a" "$dir/z" "$dir/a" "$dir/z" >"$dir/want"
cmp -s <(head -c $((3 << 20)) "$disk") "$dir/want"
ok "and the data" $?
is "meta.json says what it is" \
	"$(jq -r '.file.format + " " + (.unpacked.disk | tostring)' "$zones/images/$(uuid 1)/meta.json")" \
	"ZFS send stream $gib8"

stream volume-next "$dir/vn" $((9 << 30))
install "$dir/vn" 2 "${zvol}9216|.origin=\"$(uuid 1)\""
is "installs what changed since" "$status $err" "0 "
disk2=$(rootfs 2)/disk0.raw
{ printf 'B%.0s' $(seq 8192) >"$dir/b"; cat "$dir/a" "$dir/z" "$dir/b" "$dir/z"; head -c 1048576 /dev/zero; } >"$dir/want"
cmp -s <(head -c $((3 << 20)) "$disk2") "$dir/want" && [ "$(stat -c %s "$disk2")" = $((9 << 30)) ]
ok "and the disk is the new one" $?
cmp -s <(dd if="$disk" bs=1M skip=1 count=1 status=none) <(cat "$dir/a" "$dir/z")
ok "the origin's is what it was" $?
install "$dir/vn" 3 "${zvol}9216"
is "not without its origin" "$status ${err%% (on*}" \
	"1 imgadm install: error (UncompressionError): the ZFS stream is incremental"
install "$dir/v" 3 "${zvol}8192|.origin=\"$(uuid 1)\""
is "nor a full stream on top of one" "$status ${err##*: }" \
	"1 the ZFS stream is a full one, and the manifest names an origin"

# ---- a file system
stream tree "$dir/t"
xz=$dir/t.xz
xz -k "$dir/t"
install "$xz" 10
is "installs a file system's stream" "$status $err" "0 "
facts() { (cd "$1" && find . -printf '%p %y %m %U %T@ %l\n' | sort && md5sum su | cut -c 1-8); }
tree_want=". d 755 0 1700000000.1234567890 
./etc d 755 0 1700000000.1234567890 
./etc/again f 644 7 1700000000.1234567890 
./etc/hello f 644 7 1700000000.1234567890 
./etc/old f 644 0 1700000000.1234567890 
./link l 777 0 1700000000.1234567890 etc/hello
./su f 4755 0 1700000000.1234567890 
$(printf 'x%.0s' $(seq 10000) | md5sum | cut -c 1-8)"
is "with modes, owners, times and links" "$(facts "$(rootfs 10)")" "$tree_want"
is "a hard link is one" "$(stat -c %h "$(rootfs 10)/etc/again")" 2
stream tree-next "$dir/tn"
install "$dir/tn" 11 ".origin=\"$(uuid 10)\""
is "installs what changed since" "$status $err" "0 "
is "moved, changed, gone and new" "$(facts "$(rootfs 11)")" \
	". d 755 0 1700000000.1234567890 
./etc d 755 0 1700000000.1234567890 
./etc/new f 644 0 1700000000.1234567890 
./etc/su f 4755 0 1700000000.1234567890 
./hello f 644 7 1700000000.1234567890 
./link l 777 0 1700000000.1234567890 etc/hello
./su f 4755 0 1700000000.1234567890 
./sub d 700 0 1700000000.1234567890 
$({ printf 'x%.0s' $(seq 4096); printf 'y%.0s' $(seq 4096); printf 'x%.0s' $(seq 1808); } | md5sum | cut -c 1-8)"
is "the origin's tree is what it was" "$(facts "$(rootfs 10)")" "$tree_want"
tar -C "$dir" -cf "$dir/plain.tar" a
install "$dir/plain.tar" 12
install "$dir/tn" 13 ".origin=\"$(uuid 12)\""
is "not on top of a tar" "$status ${err##*: }" \
	"1 the ZFS stream is incremental, and the origin did not come as a ZFS stream"

# ---- disks
head -c 300000 /dev/urandom >"$dir/raw"
printf '\125\252' | dd of="$dir/raw" bs=1 seek=510 conv=notrunc status=none
head -c 100000 "$dir/raw" | dd of="$dir/raw" bs=1M seek=100 conv=notrunc status=none
truncate -s 200M "$dir/raw"
install "$dir/raw" 30 "${zvol}200"
cmp -s "$dir/raw" "$(rootfs 30)/disk0.raw"
ok "installs a raw disk$err" $?
[ "$(stat -c %b "$(rootfs 30)/disk0.raw")" -lt 2000 ]
ok "whose zeros are holes" $?
install "$dir/raw" 31 "${zvol}199"
is "not one larger than image_size" "$status" 1
mkfs.ext4 -q "$dir/ext4" 2M
for n in 33 34; do
	install "$dir/ext4" $n "${zvol}2"
	cmp -s "$dir/ext4" "$(rootfs $n)/disk0.raw"
	ok "a disk without a boot sector, which begins like an empty archive, or with nothing known$err" $?
	echo nonsense | dd of="$dir/ext4" conv=notrunc status=none
done
install "$dir/raw" 31
is "nor as an image of another type" "$status ${err##*, }" "1 and the file holds a disk (raw disk): that takes the type 'zvol'"
install "$dir/plain.tar" 31 "${zvol}1"
is "nor a tree as one" "$status ${err##*, }" "1 and the file holds a tree (tar archive): that takes another type"
if command -v qemu-img >/dev/null; then
	for how in "" "-c" "-c -o compression_type=zstd" "-o cluster_size=512" "-o compat=0.10"; do
		# shellcheck disable=SC2086  # words
		qemu-img convert -O qcow2 -f raw $how "$dir/raw" "$dir/q"
		install "$dir/q" 32 "${zvol}200"
		cmp -s "$dir/raw" "$(rootfs 32)/disk0.raw"
		ok "installs qcow2 (${how:-plain})$err" $?
		imgadm delete "$(uuid 32)"
	done
	qemu-img create -q -f qcow2 -b /etc/passwd -F raw "$dir/q" 1M
	install "$dir/q" 32 "${zvol}1"
	is "refuses a backing file" "$status ${err##*: }" "1 the qcow2 disk is on top of another file (a backing file)"
	(cd "$dir" && qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on q 1M)
	install "$dir/q" 32 "${zvol}1"
	is "refuses an external data file" "$status ${err##*: }" "1 the qcow2 disk has its data in another file"
	qemu-img create -q -f qcow2 "$dir/q" 8E 2>/dev/null || qemu-img create -q -f qcow2 "$dir/q" 60T
	install "$dir/q" 32 "${zvol}8"
	is "refuses a disk that the pool cannot hold" "$status" 1
	qemu-img convert -O qcow2 -c "$dir/raw" "$dir/q"
	truncate -s 100000 "$dir/q"
	install "$dir/q" 32 "${zvol}200"
	is "refuses one that was cut" "$status" 1
else
	ok "qcow2 disks # SKIP 'qemu-img' is not installed" 0
fi

# ---- refused
for kind in loop dotdot slash twice orphan deep; do
	stream $kind "$dir/bad"
	install "$dir/bad" 20
	[ "$status" -eq 1 ] && [[ $err == *"ZFS stream"* ]] && [[ $err != *signal* ]]
	ok "refuses a tree with $kind: ${err##*error }" $?
done
for cut in 100 313 5000 9999; do
	head -c $cut "$dir/t" >"$dir/cut"
	install "$dir/cut" 21
	[ "$status" -eq 1 ] && [[ $err != *signal* ]]
	ok "refuses a stream cut at $cut" $?
done
flipped=0
for at in 400 4000 8000 12000 20000; do
	python3 -c "
import sys
d = bytearray(open(sys.argv[1], 'rb').read()); d[int(sys.argv[2])] ^= 4
open(sys.argv[3], 'wb').write(d)" "$dir/t" $at "$dir/flip"
	install "$dir/flip" 22
	[ "$status" -eq 1 ] && flipped=$((flipped + 1))
done
is "refuses a stream with one bit changed, wherever" $flipped 5
is "what was refused left nothing" "$(ls "$zones/images" | wc -l) $(ls -A "$zones/images/.partial" | wc -l)" "8 0"

# ---- memory
if [ -x /usr/bin/time ] && ! ldd "$bin/imgadm" | grep -q asan; then
	imgadm delete "$(uuid 2)"
	imgadm delete "$(uuid 1)"
	manifest "$dir/v.zst" "$(uuid 1)" >"$dir/m.json"
	kib=$(/usr/bin/time -f %M "$bin/imgadm" install -q -m "$dir/m.json" -f "$dir/v.zst" --root "$root" 2>&1 | tail -1)
	[ "$kib" -lt 65536 ]
	ok "a disk of 8 GiB takes less than 64 MiB of memory ($kib KiB)" $?
fi
finish
