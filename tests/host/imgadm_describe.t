#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installing a file that has no manifest: what is made of it, by its content and its name.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in jq xz zstd gzip qemu-img; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
make_pool 1G
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything
uuid=11111111-1111-4222-8333-444444444444
made() { jq -r '.manifest | [.type, .os, .name, .version, .image_size, .files[0].compression] | map(. // "-") | join(" ")' <<<"$out"; }

mkdir "$dir/tree" "$dir/in"
head -c 300000 /dev/urandom >"$dir/tree/data"
tar -C "$dir/tree" -cf - . | zstd -q >"$dir/in/my tree,1.tar.zst"
truncate -s 5M "$dir/in/disk.raw"
printf '\x55\xaa' | dd of="$dir/in/disk.raw" bs=1 seek=510 conv=notrunc status=none
echo middle | dd of="$dir/in/disk.raw" bs=1M seek=2 conv=notrunc status=none
qemu-img convert -f raw -O qcow2 "$dir/in/disk.raw" "$dir/in/debian-12.qcow2"
xz -k "$dir/in/disk.raw"
touch -d '2025-03-04 12:00Z' "$dir/in/"*

imgadm install -q -j -f "$dir/in/my tree,1.tar.zst"
is "a tree" "$status $(made) $err" "0 lx-dataset linux my-tree-1 20250304 - zstd Installing image $(jq -r .uuid <<<"$out") (my-tree-1@20250304)
Installed image $(jq -r .uuid <<<"$out") (my-tree-1@20250304)"
tree=$(jq -r .uuid <<<"$out")
cmp -s "$dir/tree/data" "$zones/images/$tree/rootfs/data"
ok "... is installed" $?
is "the manifest has the file's hashes" "$(jq -r '.manifest.files[0] | .sha1 + " " + .sha256 + " " + (.size | tostring)' <<<"$out")" \
	"$(sha1sum <"$dir/in/my tree,1.tar.zst" | cut -d' ' -f1) $(sha256sum <"$dir/in/my tree,1.tar.zst" | cut -d' ' -f1) $(stat -c %s "$dir/in/my tree,1.tar.zst")"
for f in disk.raw disk.raw.xz debian-12.qcow2; do
	imgadm install -q -j -f "$dir/in/$f"
	case $f in
	*.xz) want=xz name=disk ;;
	*.qcow2) want=none name=debian-12 ;;
	*) want=none name=disk ;;
	esac
	is "$f is a disk" "$status $(made)" "0 zvol linux $name 20250304 5 $want"
	cmp -s "$dir/in/disk.raw" "$zones/images/$(jq -r .uuid <<<"$out")/rootfs/disk0.raw"
	ok "... and all of it is there" $?
done

imgadm install -q -u $uuid -f "$dir/in/disk.raw"
is "the UUID that was asked for" "$status $(tail -1 <<<"$out")" "0 Installed image $uuid (disk@20250304)"
sed -n '/^{/,/^}/p' <<<"$out" >"$dir/m.json"
imgadm delete $uuid
imgadm install -q -m "$dir/m.json" -f "$dir/in/disk.raw"
is "what is printed is a manifest that installs it" "$status $(tail -1 <<<"$out")" "0 Installed image $uuid (disk@20250304)"
imgadm install -q -u $uuid -f "$dir/in/debian-12.qcow2"
is "it is there already" "$status $(tail -1 <<<"$out")" "0 Image $uuid (debian-12@20250304) is already installed, skipping"

# ---- what is refused
count_images() { "$bin/imgadm" list -H --root "$root" | wc -l; }
before=$(count_images)
refused() { is "$1" "$status ${err%%$'\n'*}" "1 imgadm install: error ($2)$3"; }
imgadm install -u $uuid -m "$dir/m.json" -f "$dir/in/disk.raw"
refused "-u beside a manifest" Usage ": -u is for files without a manifest: -m has a UUID"
imgadm install -u nonsense -f "$dir/in/disk.raw"
refused "no UUID" Usage ": -u: 'nonsense' is no UUID"
head -c 100000 /dev/urandom >"$dir/in/noise"
imgadm install -f "$dir/in/noise"
refused "nothing that is known" UncompressionError ": '$dir/in/noise' is not a tar archive, nor anything else that images come in"
: >"$dir/in/empty"
imgadm install -f "$dir/in/empty"
refused "nothing at all" UncompressionError ": '$dir/in/empty' is not a tar archive, nor anything else that images come in"
gzip -c "$dir/in/disk.raw" | head -c 300 >"$dir/in/cut.gz"
imgadm install -f "$dir/in/cut.gz"
[ "$status" -eq 1 ] && [[ $err == "imgadm install: error (UncompressionError): '$dir/in/cut.gz': "* ]]
ok "a compressed disk that ends early" $?
echo "# $err"
head -c 2000 "$dir/in/my tree,1.tar.zst" >"$dir/in/cut.zst"
imgadm install -f "$dir/in/cut.zst"
is "an archive that ends early" "$status" 1
echo "# $err"
imgadm install -f "$dir/in"
refused "a folder" UncompressionError ": '$dir/in' is not a regular file"
mkfifo "$dir/in/pipe"
imgadm install -f "$dir/in/pipe"
refused "a pipe" UncompressionError ": '$dir/in/pipe' is not a regular file"
imgadm install -f "$dir/in/none"
refused "no file" FileSystem ": cannot open '$dir/in/none': No such file or directory"
qemu-img create -q -f qcow2 -b /etc/passwd -F raw "$dir/in/back.qcow2" 1M
imgadm install -q -f "$dir/in/back.qcow2"
is "a disk on top of another file" "$status" 1
zeros() { head -c "$1" /dev/zero; }
# A first record of ZFS: 312 bytes; what it is of at 32, what it is on top of at 48.
zfs_head() { zeros 8; printf '\xac\xcb\xba\xf5\x02\0\0\0'; zeros 16; printf '%b\0\0\0' "$1"; zeros 12; printf '%b' "$2"; zeros 263; }
zfs_head '\x03' '\x01' >"$dir/in/delta.zfs"
imgadm install -q -f "$dir/in/delta.zfs"
refused "an incremental stream" UncompressionError ": '$dir/in/delta.zfs' is an incremental ZFS send stream: only a manifest (-m) can say what its origin is"
zfs_head '\x03' '\0' >"$dir/in/cut.zfs"
imgadm install -f "$dir/in/cut.zfs"
is "a stream of a volume is a disk, and this one is cut" "$status $(sed -n '/^{/,/^}/p' <<<"$out" | jq -r .type)" "1 zvol"
is "nothing is left of them" "$(count_images) $(ls -A "$zones/images/.partial")" "$before "
finish
